//! Cohere's own chat.

use serde_json::{Value, json};

use super::{Case, named_sse, parameters, weather_tool};
use crate::Response;

const COHERE: (&str, &str) = ("api.cohere.com", "/v2/chat");

pub(super) fn cases() -> Vec<Case> {
    let user = json!({"role": "user", "content": "Weather in Oslo?"});
    let request = json!({
        "model": "command-x", "messages": [user], "stream": true, "max_tokens": 64, "p": 0.9, "k": 5,
        "stop_sequences": ["END"], "safety_mode": "OFF", "tool_choice": "REQUIRED",
        "tools": [{"type": "function", "function":
            {"name": "weather", "description": "Of a city", "parameters": parameters()}}]
    });
    let metadata = json!({"provider": "cohere", "model": "command-x", "max_tokens": 64, "top_p": 0.9, "stop": ["END"],
        "tool_choice": "required", "tools": [weather_tool()]});
    let usage = json!({"billed_units": {"input_tokens": 40, "output_tokens": 7},
        "tokens": {"input_tokens": 245, "output_tokens": 9}, "cached_tokens": 16});
    let event =
        |kind: &str, index: u64, message: Value| json!({"type": kind, "index": index, "delta": {"message": message}});
    let begun = vec![
        json!({"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant", "content": [],
            "tool_plan": "", "tool_calls": [], "citations": []}}}),
        event("content-start", 0, json!({"content": {"type": "thinking", "thinking": ""}})),
        event("content-delta", 0, json!({"content": {"thinking": "Let "}})),
        event("content-delta", 0, json!({"content": {"thinking": "me see"}})),
        json!({"type": "content-end", "index": 0}),
        event("content-start", 1, json!({"content": {"type": "text", "text": ""}})),
        event("content-delta", 1, json!({"content": {"text": "One "}})),
        event("content-delta", 1, json!({"content": {"text": "moment"}})),
        event("citation-start", 0, json!({"citations": {"start": 0, "end": 3, "text": "One", "sources": []}})),
        json!({"type": "citation-end", "index": 0}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "Ask "}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "the tool"}}}),
        event(
            "tool-call-start",
            0,
            json!({"tool_calls": {"id": "a", "type": "function",
            "function": {"name": "weather", "arguments": ""}}}),
        ),
        event("tool-call-delta", 0, json!({"tool_calls": {"function": {"arguments": "{\"city\":"}}})),
        event("tool-call-delta", 0, json!({"tool_calls": {"function": {"arguments": "\"Oslo\"}"}}})),
        json!({"type": "tool-call-end", "index": 0}),
        event(
            "tool-call-start",
            1,
            json!({"tool_calls": {"id": "b", "type": "function",
            "function": {"name": "weather", "arguments": "{}"}}}),
        ),
    ];
    let end = json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": usage}});
    let message = json!({
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Let me see"}, {"type": "text", "text": "One moment"}],
        "citations": [{"start": 0, "end": 3, "text": "One", "sources": []}],
        "tool_plan": "Ask the tool",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}},
            {"id": "b", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    });
    vec![
        Case {
            name: "cohere, streamed, with thinking, text, citations, a plan and tools",
            address: COHERE,
            request: request.clone(),
            response: named_sse(&[begun.clone(), vec![end]].concat()),
            span: "cohere.chatStream",
            input: json!([user]),
            output: json!([{"index": 0, "finish_reason": "TOOL_CALL", "message": message}]),
            metadata: metadata.clone(),
            metrics: json!({"prompt_tokens": 40, "completion_tokens": 7, "tokens": 47, "prompt_cached_tokens": 16,
                "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "cohere, ended by an error",
            address: COHERE,
            request: request.clone(),
            response: named_sse(&[
                begun[0].clone(),
                event("content-delta", 0, json!({"content": {"type": "text", "text": "One"}})),
                json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "model overloaded"}}),
            ]),
            span: "cohere.chatStream",
            input: json!([user]),
            output: json!([{"index": 0, "finish_reason": "ERROR",
                "message": {"role": "assistant", "content": [{"type": "text", "text": "One"}]}}]),
            metadata: metadata.clone(),
            metrics: json!({"time_to_first_token": true}),
            error: json!("model overloaded"),
        },
        Case {
            name: "cohere, in one piece, with nothing billed and more cached than that",
            address: COHERE,
            request: json!({"model": "command-x", "messages": [user], "tool_choice": "NONE"}),
            response: Response::json(
                json!({"id": "m", "finish_reason": "COMPLETE",
                    "message": {"role": "assistant", "content": [{"type": "text", "text": "Cold."}]},
                    "usage": {"tokens": {"input_tokens": 12, "output_tokens": 2}, "cached_tokens": 144}})
                .to_string(),
            ),
            span: "cohere.chat",
            input: json!([user]),
            output: json!([{"index": 0, "finish_reason": "COMPLETE",
                "message": {"role": "assistant", "content": [{"type": "text", "text": "Cold."}]}}]),
            metadata: json!({"provider": "cohere", "model": "command-x", "tool_choice": "none"}),
            metrics: json!({"prompt_tokens": 12, "completion_tokens": 2, "tokens": 14}),
            error: Value::Null,
        },
        Case {
            name: "cohere, refused",
            address: COHERE,
            request: json!({"model": "command-x", "messages": [user]}),
            response: Response {
                status: 401,
                ..Response::json(json!({"id": "m", "message": "invalid api token"}).to_string())
            },
            span: "cohere.chat",
            input: json!([user]),
            output: Value::Null,
            metadata: json!({"provider": "cohere", "model": "command-x"}),
            metrics: json!({}),
            error: json!("401 Unauthorized: invalid api token"),
        },
    ]
}
