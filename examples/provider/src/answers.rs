//! The stand-in's answers: bodies as providers send them, picked by what was asked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Reply, Request};

const JSON: &str = "application/json";

/// The answer to a request, told by its path and by what it holds.
pub fn answer(request: &Request) -> Reply {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match request.path.as_str() {
        "/v1/chat/completions" => chat(&asked),
        "/v1/responses" => Reply::whole(200, JSON, include_str!("bodies/responses.json")),
        "/v1/embeddings" => Reply::whole(200, JSON, include_str!("bodies/embeddings.json")),
        "/v1/messages" => Reply::whole(200, JSON, include_str!("bodies/messages.json")),
        path => {
            let error = json!({"message": format!("there is no {path} here"), "type": "invalid_request_error"});
            Reply::whole(404, JSON, json!({"error": error}).to_string())
        }
    }
}

fn chat(asked: &Value) -> Reply {
    if asked["stream"] == true {
        let events = include_str!("bodies/chat_stream.sse").split_inclusive("\n\n");
        return Reply::chunks(200, "text/event-stream", events).paced(Duration::from_millis(15));
    }
    let messages = asked["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let has_image = |message: &Value| message["content"].to_string().contains("image_url");
    let body = match asked["tools"].is_array() {
        true if messages.iter().any(|message| message["role"] == "tool") => include_str!("bodies/tool_answer.json"),
        true => include_str!("bodies/tool_calls.json"),
        false if messages.iter().any(has_image) => include_str!("bodies/vision.json"),
        false => include_str!("bodies/chat.json"),
    };
    Reply::whole(200, JSON, body).paced(Duration::from_millis(40))
}
