//! Chat completions.

use serde_json::{Value, json};

use super::{Case, sse, weather_tool};
use crate::Response;

const OPENAI: (&str, &str) = ("api.openai.com", "/v1/chat/completions");

pub(super) fn cases() -> Vec<Case> {
    let question = json!([{"role": "system", "content": "Be short"}, {"role": "user", "content": "Weather in Oslo?"}]);
    let call_of = |index: u64, arguments: &str| json!({"index": index, "function": {"arguments": arguments}});
    let chunk = |choice: Value| json!({"model": "gpt-5-2026", "choices": [choice], "usage": null, "obfuscation": "x"});
    let delta = |index: u64, delta: Value| json!({"index": index, "delta": delta, "finish_reason": null});
    vec![
        Case {
            name: "chat with tools, in fragments, two choices interleaved",
            address: OPENAI,
            request: json!({
                "model": "gpt-5", "messages": question, "temperature": 0, "stream": true, "seed": 7, "user": "u1", "n": 2,
                "stream_options": {"include_usage": true}, "tools": [weather_tool()], "tool_choice": "auto",
                "max_completion_tokens": 9, "parallel_tool_calls": true, "stop": ["\n"], "store": true, "metadata": {"a": "b"}
            }),
            response: sse(&[
                chunk(delta(0, json!({"role": "assistant", "content": null, "tool_calls": [
                    {"index": 0, "id": "call_a", "type": "function", "function": {"name": "weather", "arguments": ""}}]}))),
                chunk(delta(1, json!({"role": "assistant", "content": "", "refusal": null}))),
                chunk(delta(0, json!({"tool_calls": [call_of(0, "{\"ci")]}))),
                chunk(delta(1, json!({"content": "It is "}))),
                chunk(delta(0, json!({"tool_calls": [
                    {"index": 1, "id": "call_b", "type": "function", "function": {"name": "weather", "arguments": "{bad"}}]}))),
                chunk(delta(0, json!({"tool_calls": [call_of(0, "ty\":\"Oslo\"}")]}))),
                chunk(delta(1, json!({"content": "cold. \u{1f976}"}))),
                chunk(json!({"index": 0, "delta": {}, "finish_reason": "tool_calls"})),
                chunk(json!({"index": 1, "delta": {}, "finish_reason": "stop"})),
                json!({"model": "gpt-5-2026", "choices": [], "usage": {"prompt_tokens": 31, "completion_tokens": 12,
                    "total_tokens": 43, "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 4, "accepted_prediction_tokens": 0}}}),
            ]),
            span: "Chat Completion",
            input: question.clone(),
            output: json!([
                {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}},
                    {"id": "call_b", "type": "function", "function": {"name": "weather", "arguments": "{bad"}}]}},
                {"index": 1, "finish_reason": "stop", "message":
                    {"role": "assistant", "content": "It is cold. \u{1f976}", "refusal": null}},
            ]),
            metadata: json!({
                "provider": "openai", "model": "gpt-5-2026", "temperature": 0, "max_tokens": 9, "stop": ["\n"],
                "parallel_tool_calls": true, "tools": [weather_tool()], "tool_choice": "auto"
            }),
            metrics: json!({"prompt_tokens": 31, "completion_tokens": 12, "tokens": 43, "prompt_cached_tokens": 8,
                "prompt_audio_tokens": 0, "completion_reasoning_tokens": 4, "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "chat of a compatible provider, with reasoning, usage in x_groq, and no [DONE]",
            address: ("api.groq.com", "/openai/v1/chat/completions"),
            request: json!({"model": "qwen", "messages": question, "stream": true}),
            response: Response::sse(
                [
                    json!({"model": "qwen-3", "choices": [delta(0, json!({"role": "assistant", "reasoning_content": "Cold"}))]}),
                    json!({"choices": [delta(0, json!({"reasoning_content": " there."}))]}),
                    json!({"choices": [delta(0, json!({"content": "Cold."}))]}),
                    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
                        "x_groq": {"usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}}}),
                ]
                .map(|event| format!("data: {event}\r\n\r\n"))
                .concat(),
            ),
            span: "Chat Completion",
            input: question.clone(),
            output: json!([{"index": 0, "finish_reason": "stop", "message":
                {"role": "assistant", "content": "Cold.", "reasoning_content": "Cold there."}}]),
            metadata: json!({"provider": "groq", "model": "qwen-3"}),
            metrics: json!({"prompt_tokens": 5, "completion_tokens": 3, "tokens": 8, "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "a refusal, in one piece, with counts that are none",
            address: OPENAI,
            request: json!({"model": "gpt-5", "messages": question, "tools": [], "functions": [{"name": "f"}],
                "function_call": {"name": "f"}}),
            response: Response::json(
                json!({
                    "id": "x", "model": "gpt-5-2026", "choices": [{"index": 0, "finish_reason": "stop",
                        "message": {"role": "assistant", "content": null, "refusal": "No."}}],
                    "usage": {"prompt_tokens": 3, "completion_tokens": -1, "total_tokens": null}
                })
                .to_string(),
            ),
            span: "Chat Completion",
            input: question.clone(),
            output: json!([{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": null, "refusal": "No."}}]),
            metadata: json!({"provider": "openai", "model": "gpt-5-2026",
                "tools": [{"type": "function", "function": {"name": "f"}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}}}),
            metrics: json!({"prompt_tokens": 3}),
            error: Value::Null,
        },
        Case {
            name: "an error in place of an answer",
            address: OPENAI,
            request: json!({"model": "gpt-5", "messages": question}),
            response: Response {
                status: 429,
                ..Response::json(r#"{"error":{"message":"Slow down","type":"requests","code":"rate_limit_exceeded"}}"#)
            },
            span: "Chat Completion",
            input: question.clone(),
            output: Value::Null,
            metadata: json!({"provider": "openai", "model": "gpt-5"}),
            metrics: json!({}),
            error: json!("429 Too Many Requests: Slow down (rate_limit_exceeded)"),
        },
        Case {
            name: "an error in the middle of an answer",
            address: OPENAI,
            request: json!({"model": "gpt-5", "messages": question, "stream": true}),
            response: Response::sse(
                [chunk(delta(0, json!({"content": "It"}))), json!({"error": {"message": "Overloaded", "type": "server_error"}})]
                    .map(|event| format!("data: {event}\n\n"))
                    .concat(),
            ),
            span: "Chat Completion",
            input: question,
            output: json!([{"index": 0, "finish_reason": null, "message": {"role": "assistant", "content": "It"}}]),
            metadata: json!({"provider": "openai", "model": "gpt-5-2026"}),
            metrics: json!({"time_to_first_token": true}),
            error: json!("Overloaded (server_error)"),
        },
    ]
}
