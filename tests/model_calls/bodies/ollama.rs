//! Ollama's own API.

use serde_json::{Value, json};

use super::{Case, weather_tool};
use crate::Response;

const OLLAMA: (&str, &str) = ("localhost:11434", "/api/chat");

pub(super) fn cases() -> Vec<Case> {
    let lines = [
        json!({"model": "qwen:1", "message": {"role": "assistant", "content": "", "thinking": "H"}, "done": false}),
        json!({"model": "qwen:1", "message": {"role": "assistant", "content": "", "thinking": "m"}, "done": false}),
        json!({"model": "qwen:1", "message": {"role": "assistant", "content": "Co"}, "done": false}),
        json!({"model": "qwen:1", "message": {"role": "assistant", "content": "ld", "tool_calls":
            [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]}, "done": false}),
        json!({"model": "qwen:1", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop",
            "prompt_eval_count": 5, "eval_count": 8, "total_duration": 3}),
    ];
    vec![
        Case {
            name: "ollama, in lines",
            address: OLLAMA,
            request: json!({"model": "qwen", "messages": [{"role": "user", "content": "Weather?"}], "tools": [weather_tool()],
                "format": "json", "keep_alive": 5, "options": {"temperature": 0, "num_predict": 9, "num_ctx": 4096}}),
            response: Response {
                content_type: "application/x-ndjson".to_owned(),
                ..Response::json(lines.iter().map(|line| format!("{line}\n")).collect::<String>())
            },
            span: "ollama.chat",
            input: json!([{"role": "user", "content": "Weather?"}]),
            output: json!([{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Cold", "thinking": "Hm",
                "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]}}]),
            metadata: json!({"provider": "ollama", "model": "qwen:1", "temperature": 0, "max_tokens": 9,
                "response_format": "json", "tools": [weather_tool()]}),
            metrics: json!({"prompt_tokens": 5, "completion_tokens": 8, "tokens": 13, "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "ollama's completion, in one piece",
            address: (OLLAMA.0, "/api/generate"),
            request: json!({"model": "qwen", "prompt": "Weather?", "system": "Be short", "stream": false}),
            response: Response::json(
                json!({"model": "qwen:1", "response": "Cold", "done": true, "done_reason": "stop", "context": [1, 2],
                    "prompt_eval_count": 5, "eval_count": 1})
                .to_string(),
            ),
            span: "ollama.generate",
            input: json!([{"role": "user", "content": "Weather?"}, {"role": "system", "content": "Be short"}]),
            output: json!([{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Cold"}}]),
            metadata: json!({"provider": "ollama", "model": "qwen:1"}),
            metrics: json!({"prompt_tokens": 5, "completion_tokens": 1, "tokens": 6}),
            error: Value::Null,
        },
    ]
}
