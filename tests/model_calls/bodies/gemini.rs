//! Google's Gemini.

use serde_json::{Value, json};

use super::{Case, parameters, weather_tool};
use crate::Response;

pub(super) fn cases() -> Vec<Case> {
    const STREAM: &str = "/v1beta/models/gemini-x:streamGenerateContent";
    let contents = json!([{"role": "user", "parts": [{"text": "Weather in Oslo?"}]}]);
    let request = json!({
        "contents": contents, "systemInstruction": {"parts": [{"text": "Be short"}]}, "safetySettings": [],
        "generationConfig": {"temperature": 0.5, "topP": 1, "maxOutputTokens": 9, "topK": 4, "stopSequences": ["x"],
            "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}},
        "tools": [{"functionDeclarations": [{"name": "weather", "description": "Of a city", "parameters": parameters()}]},
            {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}
    });
    let chunk = |parts: Value, rest: Value, usage: Value| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
        candidate.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-x-001", "responseId": "r"})
    };
    let chunks = [
        chunk(
            json!([{"text": "Let me", "thought": true}]),
            json!({}),
            json!({"promptTokenCount": 7, "totalTokenCount": 7}),
        ),
        chunk(json!([{"text": " see", "thought": true}, {"text": "It "}]), json!({}), json!({"promptTokenCount": 7})),
        chunk(json!([{"text": "is cold."}]), json!({}), json!({"promptTokenCount": 7, "candidatesTokenCount": 2})),
        chunk(
            json!([{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "s"}]),
            json!({"finishReason": "STOP"}),
            json!({"promptTokenCount": 7, "candidatesTokenCount": 6, "thoughtsTokenCount": 4, "totalTokenCount": 20,
                "toolUsePromptTokenCount": 3, "cachedContentTokenCount": 5,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 2}]}),
        ),
    ];
    let case = |name, response| Case {
        name,
        address: ("generativelanguage.googleapis.com", STREAM),
        request: request.clone(),
        response,
        span: "generate_content",
        input: json!({"model": "gemini-x", "contents": contents, "systemInstruction": {"parts": [{"text": "Be short"}]}}),
        output: json!({"candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
            {"text": "Let me see", "thought": true}, {"text": "It is cold."},
            {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "s"}]}}]}),
        metadata: json!({
            "provider": "google", "model": "gemini-x-001", "temperature": 0.5, "top_p": 1, "max_tokens": 9, "stop": ["x"],
            "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "OBJECT"}}},
            "tools": [weather_tool(), {"googleSearch": {}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}}
        }),
        metrics: json!({"prompt_tokens": 10, "completion_tokens": 10, "tokens": 20, "prompt_cached_tokens": 5,
            "prompt_audio_tokens": 2, "completion_reasoning_tokens": 4, "time_to_first_token": true}),
        error: Value::Null,
    };
    vec![
        case("gemini, as events", Response::sse(chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect::<String>())),
        case("gemini, as an array", Response::json(serde_json::to_string_pretty(&chunks).unwrap())),
        Case {
            name: "gemini, two candidates that interleave, with feedback that blocks nothing, a mark, and an error at the end",
            response: Response::sse(
                "\u{feff}".to_owned()
                    + &[
                        json!({"promptFeedback": {"safetyRatings": []}, "candidates": [
                            {"index": 1, "content": {"role": "model", "parts": [{"text": "B"}]}},
                            {"index": 0, "content": {"role": "model", "parts": [{"text": "A"}]}}]}),
                        json!({"candidates": [{"index": 1, "content": {"parts": [
                            {"text": "", "thoughtSignature": "s"}, {"executableCode": {"code": "1"}}]}, "finishReason": "STOP"}],
                            "usageMetadata": {"promptTokenCount": 7, "thoughtsTokenCount": 3, "totalTokenCount": 10}}),
                        json!({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}),
                    ]
                    .map(|chunk| format!("data:{chunk}\n\n"))
                    .concat(),
            ),
            output: json!({"promptFeedback": {"safetyRatings": []}, "candidates": [
                {"index": 0, "content": {"role": "model", "parts": [{"text": "A"}]}},
                {"index": 1, "finishReason": "STOP", "content": {"role": "model", "parts": [
                    {"text": "B"}, {"text": "", "thoughtSignature": "s"}, {"executableCode": {"code": "1"}}]}}]}),
            metadata: {
                let mut metadata = case("", Response::json("")).metadata;
                metadata["model"] = "gemini-x".into();
                metadata
            },
            metrics: json!({"prompt_tokens": 7, "completion_tokens": 3, "tokens": 10, "completion_reasoning_tokens": 3,
                "time_to_first_token": true}),
            error: json!("Overloaded (UNAVAILABLE)"),
            ..case("", Response::json(""))
        },
        Case {
            name: "gemini, blocked",
            address: ("generativelanguage.googleapis.com", "/v1beta/models/gemini-x:generateContent"),
            request: json!({"contents": contents}),
            response: Response::json(
                json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}})
                    .to_string(),
            ),
            span: "generate_content",
            input: json!({"model": "gemini-x", "contents": contents}),
            output: json!({"promptFeedback": {"blockReason": "SAFETY"}}),
            metadata: json!({"provider": "google", "model": "gemini-x"}),
            metrics: json!({"prompt_tokens": 3, "tokens": 3}),
            error: Value::Null,
        },
    ]
}
