//! Chat completions as others than OpenAI send them, with what is theirs alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Case, sse};
use crate::Response;

const OPENAI: (&str, &str) = ("api.openai.com", "openai");
const AZURE: (&str, &str) = ("acme.openai.azure.com", "azure");
/// A gateway that is known by its path only.
const GATEWAY: (&str, &str) = ("gateway.example", "openai");

/// A call of which only the answer matters.
fn case(
    name: &'static str,
    (host, provider): (&'static str, &'static str),
    response: Response,
    output: Value,
    metrics: Value,
) -> Case {
    Case {
        name,
        address: (host, "/v1/chat/completions"),
        request: json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true}),
        response,
        span: "Chat Completion",
        input: json!([{"role": "user", "content": "Hi"}]),
        output,
        metadata: json!({"provider": provider, "model": "m"}),
        metrics,
        error: Value::Null,
    }
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn last(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn answer(message: Value, reason: &str) -> Value {
    json!([{"index": 0, "finish_reason": reason, "message": message}])
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

pub(super) fn cases() -> Vec<Case> {
    [contents(), calls(), usages(), failures()].into_iter().flatten().collect()
}

fn contents() -> Vec<Case> {
    let thought = |text: &str| json!([{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]);
    vec![
        case(
            "thoughts as parts, then an answer as text",
            ("api.mistral.ai", "mistral"),
            sse(&[
                delta(json!({"role": "assistant", "content": ""})),
                delta(json!({"content": thought("Be ")})),
                delta(json!({"content": thought("polite")})),
                delta(json!({"content": "Hello"})),
                delta(json!({"content": " there"})),
                delta(json!({"content": [{"type": "reference", "reference_ids": [3]}]})),
                delta(json!({"content": [{"type": "text", "text": "."}]})),
                json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13}}),
            ]),
            answer(
                json!({"role": "assistant", "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Be polite"}]},
                    {"type": "text", "text": "Hello there"},
                    {"type": "reference", "reference_ids": [3]},
                    {"type": "text", "text": "."}]}),
                "stop",
            ),
            json!({"prompt_tokens": 4, "completion_tokens": 9, "tokens": 13, "time_to_first_token": true}),
        ),
        case(
            "an answer as text, then as parts",
            GATEWAY,
            sse(&[
                delta(json!({"role": "assistant", "content": "Hel"})),
                delta(
                    json!({"content": [{"type": "text", "text": "lo"}, {"type": "image_url", "image_url": {"url": "u"}}]}),
                ),
                last("stop"),
            ]),
            answer(
                json!({"role": "assistant", "content": [
                    {"type": "text", "text": "Hello"}, {"type": "image_url", "image_url": {"url": "u"}}]}),
                "stop",
            ),
            json!({"time_to_first_token": true}),
        ),
        case(
            "sound in pieces that are base64 each, with what is said",
            OPENAI,
            sse(&[
                delta(json!({"role": "assistant", "content": null, "audio": {"id": "audio_1", "transcript": ""}})),
                delta(json!({"audio": {"transcript": "Hel", "data": STANDARD.encode([1_u8; 4])}})),
                delta(json!({"audio": {"transcript": "lo", "data": STANDARD.encode([2_u8; 5])}})),
                delta(json!({"audio": {"expires_at": 7}})),
                last("stop"),
            ]),
            answer(
                json!({"role": "assistant", "content": null, "audio": {"id": "audio_1", "transcript": "Hello",
                    "expires_at": 7, "data": STANDARD.encode([1, 1, 1, 1, 2, 2, 2, 2, 2])}}),
                "stop",
            ),
            json!({"time_to_first_token": true}),
        ),
        case(
            "reasoning in details of several kinds that share an index",
            ("openrouter.ai", "openrouter"),
            sse(&[
                delta(json!({"role": "assistant", "content": "", "reasoning": "Hm",
                    "reasoning_details": [{"type": "reasoning.summary", "summary": "Hm", "index": 0}]})),
                delta(json!({"content": "", "reasoning": "m",
                    "reasoning_details": [{"type": "reasoning.summary", "summary": "m", "index": 0}]})),
                delta(
                    json!({"content": "", "reasoning_details": [{"type": "reasoning.encrypted", "data": "gAAA", "index": 0}]}),
                ),
                delta(json!({"content": "Hi"})),
                last("stop"),
            ]),
            answer(
                json!({"role": "assistant", "content": "Hi", "reasoning": "Hmm", "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "Hmm", "index": 0},
                    {"type": "reasoning.encrypted", "data": "gAAA", "index": 0}]}),
                "stop",
            ),
            json!({"time_to_first_token": true}),
        ),
        case(
            "a first chunk without choices, lines that end with \\r, comments, a mark, and no space after the colon",
            AZURE,
            Response::sse(
                ["\u{feff}:hello".to_owned(), format!("data:{}", json!({"model": "", "choices": [],
                    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}))]
                .into_iter()
                .chain([delta(json!({"role": "assistant", "content": "", "refusal": null})), delta(json!({"content": "Hi"})),
                    last("stop")].map(|event| format!("data:{event}")))
                .map(|line| line + "\r\r")
                .collect::<String>()
                    // One event whose data comes in two lines.
                    + &format!("id: 7\rdata: {{\"choices\": [],\rdata: \"usage\": {}}}\r\r", json!({"prompt_tokens": 1, "completion_tokens": 2})),
            ),
            answer(json!({"role": "assistant", "content": "Hi", "refusal": null}), "stop"),
            json!({"prompt_tokens": 1, "completion_tokens": 2, "tokens": 3, "time_to_first_token": true}),
        ),
    ]
}

fn calls() -> Vec<Case> {
    let piece = |call: Value| delta(json!({"tool_calls": [call]}));
    let metrics = json!({"time_to_first_token": true});
    let output =
        |calls: Value| answer(json!({"role": "assistant", "content": null, "tool_calls": calls}), "tool_calls");
    vec![
        case(
            "calls out of order, with a gap between their numbers",
            OPENAI,
            sse(&[
                piece(
                    json!({"index": 4, "id": "c", "type": "function", "function": {"name": "late", "arguments": "{"}}),
                ),
                piece(
                    json!({"index": 1, "id": "a", "type": "function", "function": {"name": "early", "arguments": ""}}),
                ),
                piece(json!({"index": 4, "function": {"arguments": "}"}})),
                piece(json!({"index": 1, "function": {"arguments": "{}"}})),
                last("tool_calls"),
            ]),
            output(json!([call("a", "early", "{}"), call("c", "late", "{}")])),
            metrics.clone(),
        ),
        case(
            "whole calls of one function, all with the same number and no id",
            ("generativelanguage.googleapis.com", "google"),
            sse(&[
                piece(
                    json!({"index": 0, "id": "", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}),
                ),
                piece(
                    json!({"index": 0, "id": "", "type": "function", "function": {"name": "f", "arguments": "{\"a\":2}"}}),
                ),
                piece(json!({"index": 0, "id": "", "type": "function", "function": {"name": "g", "arguments": "{}"}})),
                last("tool_calls"),
            ]),
            output(json!([call("", "f", "{\"a\":1}"), call("", "f", "{\"a\":2}"), call("", "g", "{}")])),
            metrics.clone(),
        ),
        case(
            "fragments that each have an id of their own",
            GATEWAY,
            sse(&[
                piece(json!({"index": 0, "id": "x1", "type": "function", "function": {"name": "f", "arguments": ""}})),
                piece(json!({"index": 0, "id": "x2", "type": "function", "function": {"arguments": "{\"a\":"}})),
                piece(json!({"index": 0, "id": "x3", "type": "function", "function": {"arguments": "1}"}})),
                last("tool_calls"),
            ]),
            output(json!([call("x1", "f", "{\"a\":1}")])),
            metrics,
        ),
    ]
}

fn usages() -> Vec<Case> {
    let hi = delta(json!({"role": "assistant", "content": "Hi"}));
    let output = answer(json!({"role": "assistant", "content": "Hi"}), "stop");
    vec![
        case(
            "usage within the last choice",
            ("api.moonshot.cn", "moonshot"),
            sse(&[
                hi.clone(),
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop",
                    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "cached_tokens": 3}}]}),
            ]),
            output.clone(),
            json!({"prompt_tokens": 5, "completion_tokens": 2, "tokens": 7, "prompt_cached_tokens": 3, "time_to_first_token": true}),
        ),
        case(
            "reasoning counted beside the completion, and a usage so far in each chunk",
            ("api.x.ai", "xai"),
            sse(&[
                json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}], "usage": {"prompt_tokens": 10,
                    "completion_tokens": 1, "total_tokens": 31, "completion_tokens_details": {"reasoning_tokens": 20}}}),
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 10,
                    "completion_tokens": 3, "total_tokens": 33, "completion_tokens_details": {"reasoning_tokens": 20}}}),
            ]),
            output.clone(),
            json!({"prompt_tokens": 10, "completion_tokens": 23, "tokens": 33, "completion_reasoning_tokens": 20,
                "time_to_first_token": true}),
        ),
        case(
            "counts of which only one is sound",
            GATEWAY,
            sse(&[
                hi.clone(),
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": "5",
                    "completion_tokens": 2, "total_tokens": -7, "completion_tokens_details": {"reasoning_tokens": 0.5}}}),
            ]),
            output.clone(),
            json!({"completion_tokens": 2, "time_to_first_token": true}),
        ),
        case(
            "what a gateway to Anthropic says of its cache",
            GATEWAY,
            sse(&[
                hi,
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 50,
                    "completion_tokens": 3, "total_tokens": 53, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 10}}),
            ]),
            output,
            json!({"prompt_tokens": 50, "completion_tokens": 3, "tokens": 53, "prompt_cached_tokens": 10,
                "prompt_cache_creation_tokens": 20, "time_to_first_token": true}),
        ),
    ]
}

fn failures() -> Vec<Case> {
    let refused = Response::sse(r#"{"error": {"message": "No such model", "code": "model_not_found"}}"#);
    let whole = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    let begun = format!("data: {}\n\n", delta(json!({"role": "assistant", "content": "Hi"})));
    let output = answer(json!({"role": "assistant", "content": "Hi"}), "");
    let broken_off = |name, event: String, error: &str| {
        let mut output = output.clone();
        output[0]["finish_reason"] = Value::Null;
        let response = Response::sse(begun.clone() + &event);
        Case { error: error.into(), ..case(name, OPENAI, response, output, json!({"time_to_first_token": true})) }
    };
    let of_a_choice = json!({"choices": [{"index": 0, "finish_reason": null, "delta": {"content": ""},
        "error": {"code": 502, "message": "Upstream is gone"}}]});
    vec![
        broken_off(
            "an event that is called an error",
            "event: error\ndata: {\"message\":\"Too many\",\"code\":\"rate_limited\"}\n\n".to_owned(),
            "Too many (rate_limited)",
        ),
        broken_off(
            "an event that says it is an error",
            "data: {\"object\":\"error\",\"message\":\"Too long\",\"type\":\"BadRequestError\",\"code\":400}\n\n"
                .to_owned(),
            "Too long (BadRequestError)",
        ),
        Case {
            output: json!([{"index": 0, "finish_reason": null, "message": {"role": "assistant", "content": "Hi"},
                "error": {"code": 502, "message": "Upstream is gone"}}]),
            ..broken_off("an error of a choice", format!("data: {of_a_choice}\n\n"), "Upstream is gone")
        },
        Case {
            error: "No such model (model_not_found)".into(),
            ..case("an error under the content type of events", OPENAI, refused, Value::Null, json!({}))
        },
        case(
            "an answer in one piece under the content type of events",
            OPENAI,
            Response::sse(serde_json::to_string_pretty(&whole).unwrap()),
            answer(json!({"role": "assistant", "content": "Hi"}), "stop"),
            json!({"prompt_tokens": 1, "completion_tokens": 2, "tokens": 3}),
        ),
        broken_off(
            "an error of Groq's own",
            "data: {\"x_groq\":{\"id\":\"r\",\"error\":\"over_capacity\"},\"choices\":[]}\n\n".to_owned(),
            "over_capacity",
        ),
        broken_off("an error that is mere text", "data: {\"error\":\"Sorry\"}\n\ndata: [DONE]\n\n".to_owned(), "Sorry"),
    ]
}
