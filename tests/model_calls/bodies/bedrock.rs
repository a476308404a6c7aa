//! Amazon Bedrock: Converse, and models that are invoked in their own format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Case, parameters, weather_tool};
use crate::Response;

const HOST: &str = "bedrock-runtime.eu-west-1.amazonaws.com";

pub(super) fn cases() -> Vec<Case> {
    let request = json!({
        "messages": [{"role": "user", "content": [{"text": "Weather?"}, {"cachePoint": {"type": "default"}}]}],
        "system": [{"text": "Be short"}], "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 1, "stopSequences": []},
        "toolConfig": {"toolChoice": {"any": {}}, "tools": [
            {"toolSpec": {"name": "weather", "description": "Of a city", "inputSchema": {"json": parameters()}}},
            {"cachePoint": {"type": "default"}}]}
    });
    let metadata = json!({"provider": "bedrock", "model": "amazon.nova:0", "max_tokens": 9, "temperature": 0.5, "top_p": 1,
        "stop": [], "tool_choice": "required", "tools": [weather_tool()]});
    let input = json!([
        {"role": "user", "content": [{"type": "text", "text": "Weather?"},
            {"type": "cache_point", "cachePoint": {"type": "default"}}]},
        {"role": "system", "content": [{"type": "text", "text": "Be short"}]},
    ]);
    let usage = json!({"inputTokens": 6, "outputTokens": 3, "totalTokens": 29, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 0});
    let event = |name: &str, payload: Value| message(":event-type", name, payload.to_string().as_bytes());
    let delta = |index: u64, delta: Value| {
        event("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta, "p": "ab"}))
    };
    let begun = [
        event("messageStart", json!({"role": "assistant", "p": "abc"})),
        delta(0, json!({"reasoningContent": {"text": "Hm"}})),
        delta(0, json!({"reasoningContent": {"signature": "sig"}})),
        delta(1, json!({"text": ""})),
        delta(1, json!({"text": "Cold"})),
        delta(1, json!({"text": "."})),
        event(
            "contentBlockStart",
            json!({"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}),
        ),
        delta(2, json!({"toolUse": {"input": "{\"city\":"}})),
        delta(2, json!({"toolUse": {"input": "\"Oslo\"}"}})),
    ]
    .concat();
    let rest = [
        event("contentBlockStop", json!({"contentBlockIndex": 2})),
        event("messageStop", json!({"stopReason": "tool_use"})),
        event("metadata", json!({"usage": usage, "metrics": {"latencyMs": 5}})),
    ]
    .concat();
    let output = json!([{"role": "assistant", "content": [
        {"type": "reasoning_content", "reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
        {"type": "text", "text": "Cold."},
        {"type": "tool_use", "toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}}]}]);
    let of_tools = [
        event("messageStart", json!({"role": "assistant"})),
        event(
            "contentBlockStart",
            json!({"contentBlockIndex": 0, "start": {"toolResult": {"toolUseId": "t0", "type": "nova_grounding", "status": "success"}}}),
        ),
        delta(0, json!({"toolResult": [{"json": {"a": 1}}]})),
        delta(0, json!({"toolResult": [{"text": "b"}]})),
        delta(1, json!({"text": "Co"})),
        delta(1, json!({"citation": {"title": "X", "source": "u1"}})),
        delta(1, json!({"text": "ld."})),
        delta(1, json!({"citation": {"title": "Y", "source": "u2"}})),
        delta(2, json!({"reasoningContent": {"redactedContent": "gA=="}})),
        event("contentBlockStart", json!({"contentBlockIndex": 3, "start": {"image": {"format": "png"}}})),
        delta(3, json!({"image": {"source": {"bytes": "iVBO"}}})),
        delta(3, json!({"image": {"source": {"bytes": "Rw0K"}}})),
    ]
    .concat();
    let output_of_tools = json!([{"role": "assistant", "content": [
        {"type": "tool_result", "toolResult": {"toolUseId": "t0", "type": "nova_grounding", "status": "success",
            "content": [{"json": {"a": 1}}, {"text": "b"}]}},
        {"type": "citations_content", "citationsContent": {"content": [{"text": "Cold."}],
            "citations": [{"title": "X", "source": "u1"}, {"title": "Y", "source": "u2"}]}},
        {"type": "reasoning_content", "reasoningContent": {"redactedContent": "gA=="}},
        {"type": "image", "image": {"format": "png", "source": {"bytes": "iVBORw0K"}}}]}]);
    let failed = message_of(
        &[(":message-type", "error"), (":error-code", "internalFailure"), (":error-message", "Try again")],
        b"",
    );
    vec![
        Case {
            name: "bedrock, with what its own tools gave, citations and an image, broken off by an error in the headers",
            address: (HOST, "/model/amazon.nova%3A0/converse-stream"),
            request: request.clone(),
            response: stream([of_tools, failed].concat()),
            span: "bedrock.converse-stream",
            input: input.clone(),
            output: output_of_tools,
            metadata: metadata.clone(),
            metrics: json!({"time_to_first_token": true}),
            error: json!("Try again (internalFailure)"),
        },
        Case {
            name: "bedrock, as a binary stream",
            address: (HOST, "/model/amazon.nova%3A0/converse-stream"),
            request: request.clone(),
            response: stream([begun.clone(), rest].concat()),
            span: "bedrock.converse-stream",
            input: input.clone(),
            output: output.clone(),
            metadata: metadata.clone(),
            metrics: json!({"prompt_tokens": 26, "completion_tokens": 3, "tokens": 29, "prompt_cached_tokens": 20,
                "prompt_cache_creation_tokens": 0, "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "bedrock, broken off by an exception",
            address: (HOST, "/model/amazon.nova%3A0/converse-stream"),
            request: request.clone(),
            response: stream([begun, message(":exception-type", "throttlingException", b"{\"message\":\"Too fast\"}")].concat()),
            span: "bedrock.converse-stream",
            input: input.clone(),
            output,
            metadata: metadata.clone(),
            metrics: json!({"time_to_first_token": true}),
            error: json!("Too fast (throttlingException)"),
        },
        Case {
            name: "bedrock, in one piece",
            address: (HOST, "/model/amazon.nova%3A0/converse"),
            request,
            response: Response::json(
                json!({"output": {"message": {"role": "assistant", "content": [{"text": "Cold."}]}}, "stopReason": "end_turn",
                    "usage": {"inputTokens": 6, "outputTokens": 3, "totalTokens": 29, "cacheReadInputTokens": 15,
                        "cacheWriteInputTokens": 5, "cacheDetails": [{"ttl": "1h", "inputTokens": 5}]}})
                .to_string(),
            ),
            span: "bedrock.converse",
            input,
            output: json!([{"role": "assistant", "content": [{"type": "text", "text": "Cold."}]}]),
            metadata,
            metrics: json!({"prompt_tokens": 26, "completion_tokens": 3, "tokens": 29, "prompt_cached_tokens": 15,
                "prompt_cache_creation_1h_tokens": 5}),
            error: Value::Null,
        },
    ]
}

/// Claude by way of InvokeModel: Anthropic's bodies, each event of a stream in base64.
pub(super) fn invoked() -> Vec<Case> {
    let user = json!({"role": "user", "content": "Weather?"});
    let request =
        json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "system": "Be short", "messages": [user]});
    let input = json!([user, {"role": "system", "content": "Be short"}]);
    let chunk = |event: Value| {
        let payload = json!({"bytes": STANDARD.encode(event.to_string()), "p": "abcdef"});
        message(":event-type", "chunk", payload.to_string().as_bytes())
    };
    let begun = [
        chunk(json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
            "model": "claude-x-1", "content": [], "usage": {"input_tokens": 10, "output_tokens": 1}}})),
        chunk(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
        chunk(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Co"}})),
        chunk(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ld."}})),
    ]
    .concat();
    let rest = [
        chunk(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}})),
        chunk(json!({"type": "message_stop", "amazon-bedrock-invocationMetrics":
            {"inputTokenCount": 10, "outputTokenCount": 4, "invocationLatency": 5, "firstByteLatency": 3}})),
    ]
    .concat();
    let whole = json!({"id": "m", "type": "message", "role": "assistant", "model": "claude-x-1", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Cold."}],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 4}});
    let case = |name: &'static str, streams: bool, response: Response| Case {
        name,
        address: match streams {
            true => (HOST, "/model/eu.anthropic.claude-x-v1%3A0/invoke-with-response-stream"),
            false => (HOST, "/model/eu.anthropic.claude-x-v1%3A0/invoke"),
        },
        request: request.clone(),
        response,
        span: if streams { "anthropic.messages.stream" } else { "anthropic.messages.create" },
        input: input.clone(),
        output: json!({"role": "assistant", "content": [{"type": "text", "text": "Cold."}], "stop_reason": "end_turn"}),
        metadata: json!({"provider": "bedrock", "model": "claude-x-1", "max_tokens": 9}),
        metrics: json!({"prompt_tokens": 10, "completion_tokens": 4, "tokens": 14, "time_to_first_token": true}),
        error: Value::Null,
    };
    let throttled = message(":exception-type", "throttlingException", b"{\"message\":\"Too fast\"}");
    let profile =
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fabc/invoke-with-response-stream";
    vec![
        case("claude invoked on bedrock, as a binary stream", true, stream([begun.clone(), rest.clone()].concat())),
        Case {
            address: (HOST, profile),
            ..case("claude invoked by a profile's ARN", true, stream([begun.clone(), rest].concat()))
        },
        Case {
            output: json!({"role": "assistant", "content": [{"type": "text", "text": "Cold."}]}),
            metrics: json!({"prompt_tokens": 10, "completion_tokens": 1, "tokens": 11, "time_to_first_token": true}),
            error: json!("Too fast (throttlingException)"),
            ..case("claude invoked on bedrock, broken off by an exception", true, stream([begun, throttled].concat()))
        },
        Case {
            metrics: json!({"prompt_tokens": 15, "completion_tokens": 4, "tokens": 19, "prompt_cached_tokens": 5}),
            ..case("claude invoked on bedrock, in one piece", false, Response::json(whole.to_string()))
        },
    ]
}

fn stream(body: Vec<u8>) -> Response {
    Response { content_type: "application/vnd.amazon.eventstream".to_owned(), ..Response::json(body) }
}

/// A message of Amazon's event stream.
pub fn message(kind: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    message_of(&[(kind, name)], payload)
}

fn message_of(entries: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in entries {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let mut message = ((16 + headers.len() + payload.len()) as u32).to_be_bytes().to_vec();
    message.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    message.extend_from_slice(&checksum(&message).to_be_bytes());
    message.extend_from_slice(&headers);
    message.extend_from_slice(payload);
    message.extend_from_slice(&checksum(&message).to_be_bytes());
    message
}

/// CRC-32, as slow as its definition.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
