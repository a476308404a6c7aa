//! Anthropic's messages.

use serde_json::{Value, json};

use super::{Case, named_sse, parameters, weather_tool};
use crate::Response;

const ANTHROPIC: (&str, &str) = ("api.anthropic.com", "/v1/messages");

pub(super) fn cases() -> Vec<Case> {
    let user = json!({"role": "user", "content": [{"type": "text", "text": "Weather in Oslo?"}]});
    let request = json!({
        "model": "claude-x", "max_tokens": 64, "system": "Be short", "stream": true, "messages": [user], "top_k": 5,
        "stop_sequences": ["END"], "metadata": {"user_id": "u"}, "thinking": {"type": "enabled", "budget_tokens": 10},
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "tools": [{"name": "weather", "description": "Of a city", "input_schema": parameters(), "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_1", "name": "web_search", "max_uses": 2}]
    });
    let metadata = json!({
        "provider": "anthropic", "model": "claude-x-1", "max_tokens": 64, "stop": ["END"], "tool_choice": "required",
        "parallel_tool_calls": false,
        "tools": [weather_tool(), {"type": "web_search_1", "name": "web_search", "max_uses": 2}]
    });
    let input = json!([user, {"role": "system", "content": "Be short"}]);
    let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start =
        |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let content = json!([
        {"type": "thinking", "thinking": "Ask the tool", "signature": "sig"},
        {"type": "text", "text": "One moment"},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
    ]);
    vec![
        Case {
            name: "messages, streamed, with thinking, text and a tool",
            address: ANTHROPIC,
            request: request.clone(),
            response: named_sse(&[
                json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
                    "model": "claude-x-1", "content": [], "stop_reason": null, "usage": {"input_tokens": 10,
                    "cache_creation_input_tokens": 30, "cache_read_input_tokens": 200, "output_tokens": 1,
                    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}}}),
                json!({"type": "ping"}),
                start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
                delta(0, json!({"type": "thinking_delta", "thinking": "Ask "})),
                delta(0, json!({"type": "thinking_delta", "thinking": "the tool"})),
                delta(0, json!({"type": "signature_delta", "signature": "sig"})),
                json!({"type": "content_block_stop", "index": 0}),
                start(1, json!({"type": "text", "text": ""})),
                delta(1, json!({"type": "text_delta", "text": "One moment"})),
                start(2, json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}})),
                delta(2, json!({"type": "input_json_delta", "partial_json": ""})),
                delta(2, json!({"type": "input_json_delta", "partial_json": "{\"city\": \"Os"})),
                delta(2, json!({"type": "input_json_delta", "partial_json": "lo\"}"})),
                json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage":
                    {"output_tokens": 40, "cache_read_input_tokens": null, "output_tokens_details": {"thinking_tokens": 7}}}),
                json!({"type": "message_stop"}),
            ]),
            span: "anthropic.messages.stream",
            input: input.clone(),
            output: json!({"role": "assistant", "content": content, "stop_reason": "tool_use"}),
            metadata: metadata.clone(),
            metrics: json!({"prompt_tokens": 240, "completion_tokens": 40, "tokens": 280, "prompt_cached_tokens": 200,
                "prompt_cache_creation_5m_tokens": 10, "prompt_cache_creation_1h_tokens": 20,
                "completion_reasoning_tokens": 7, "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "messages in one piece, without the split of what was cached",
            address: ANTHROPIC,
            request: json!({"model": "claude-x", "max_tokens": 64, "messages": [user], "tool_choice": {"type": "tool", "name": "w"},
                "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}}}),
            response: Response::json(
                json!({"id": "m", "type": "message", "role": "assistant", "model": "claude-x-1", "stop_reason": "end_turn",
                    "content": [{"type": "text", "text": "Cold."}], "usage": {"input_tokens": 10, "output_tokens": 2,
                    "cache_creation_input_tokens": 5, "cache_read_input_tokens": 1}})
                .to_string(),
            ),
            span: "anthropic.messages.create",
            input: json!([user]),
            output: json!({"role": "assistant", "content": [{"type": "text", "text": "Cold."}], "stop_reason": "end_turn"}),
            metadata: json!({"provider": "anthropic", "model": "claude-x-1", "max_tokens": 64,
                "response_format": {"type": "json_schema", "schema": {}}, "tool_choice": {"type": "function", "function": {"name": "w"}}}),
            metrics: json!({"prompt_tokens": 16, "completion_tokens": 2, "tokens": 18, "prompt_cached_tokens": 1,
                "prompt_cache_creation_tokens": 5}),
            error: Value::Null,
        },
        Case {
            name: "messages that break off",
            address: ANTHROPIC,
            request,
            response: named_sse(&[
                json!({"type": "message_start", "message": {"role": "assistant", "model": "claude-x-1", "content": [],
                    "usage": {"input_tokens": 10, "output_tokens": 1}}}),
                start(0, json!({"type": "text", "text": ""})),
                delta(0, json!({"type": "text_delta", "text": "One"})),
                json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            ]),
            span: "anthropic.messages.stream",
            input,
            output: json!({"role": "assistant", "content": [{"type": "text", "text": "One"}]}),
            metadata,
            metrics: json!({"prompt_tokens": 10, "completion_tokens": 1, "tokens": 11, "time_to_first_token": true}),
            error: json!("Overloaded (overloaded_error)"),
        },
    ]
}

/// What Anthropic's own tools, and its newer kinds of blocks, bring.
pub(super) fn of_its_own() -> Vec<Case> {
    let user = json!({"role": "user", "content": "Weather?"});
    let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start =
        |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let begun = |usage: Value| json!({"type": "message_start", "message": {"role": "assistant", "model": "claude-x-1", "content": [], "usage": usage}});
    let ended = |usage: Value| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage});
    let case = |name: &'static str, events: &[Value], content: Value, metrics: Value| Case {
        name,
        address: ANTHROPIC,
        request: json!({"model": "claude-x", "stream": true, "messages": [user]}),
        response: named_sse(events),
        span: "anthropic.messages.stream",
        input: json!([user]),
        output: json!({"role": "assistant", "content": content, "stop_reason": "end_turn"}),
        metadata: json!({"provider": "anthropic", "model": "claude-x-1"}),
        metrics,
        error: Value::Null,
    };
    let found = json!([{"type": "web_search_result", "url": "https://x", "title": "X", "encrypted_content": "e"}]);
    let citation = |url: &str| json!({"type": "web_search_result_location", "url": url, "cited_text": "cold"});
    vec![
        case(
            "a search of Anthropic's own, with citations, and more written to the cache by the end",
            &[
                begun(
                    json!({"input_tokens": 10, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 0, "output_tokens": 1,
                    "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0}}),
                ),
                start(0, json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}})),
                delta(0, json!({"type": "input_json_delta", "partial_json": "{\"query\":\"Oslo\"}"})),
                start(1, json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": found})),
                start(2, json!({"type": "text", "text": "", "citations": []})),
                delta(2, json!({"type": "citations_delta", "citation": citation("https://x")})),
                delta(2, json!({"type": "text_delta", "text": "Co"})),
                delta(2, json!({"type": "citations_delta", "citation": citation("https://y")})),
                delta(2, json!({"type": "text_delta", "text": "ld."})),
                ended(json!({"input_tokens": 40, "cache_creation_input_tokens": 25, "cache_read_input_tokens": 15,
                    "output_tokens": 9, "server_tool_use": {"web_search_requests": 1}})),
                json!({"type": "message_stop"}),
            ],
            json!([
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Oslo"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": found},
                {"type": "text", "text": "Cold.", "citations": [citation("https://x"), citation("https://y")]},
            ]),
            json!({"prompt_tokens": 80, "completion_tokens": 9, "tokens": 89, "prompt_cached_tokens": 15,
                "prompt_cache_creation_tokens": 25, "time_to_first_token": true}),
        ),
        case(
            "thoughts that are hidden, what was compacted, blocks without a beginning, and a gap between their numbers",
            &[
                begun(json!({"input_tokens": 10, "output_tokens": 1})),
                start(0, json!({"type": "redacted_thinking", "data": "gAAA"})),
                start(1, json!({"type": "compaction", "content": null})),
                delta(1, json!({"type": "compaction_delta", "content": "So far", "encrypted_content": "e"})),
                delta(3, json!({"type": "thinking_delta", "thinking": "Hm"})),
                delta(3, json!({"type": "signature_delta", "signature": "sig"})),
                delta(7, json!({"type": "citations_delta", "citation": citation("https://x")})),
                delta(7, json!({"type": "text_delta", "text": "Cold."})),
                delta(9, json!({"type": "novel_delta", "novelty": "A"})),
                delta(9, json!({"type": "novel_delta", "novelty": "B"})),
                ended(json!({"output_tokens": 9})),
            ],
            json!([
                {"type": "redacted_thinking", "data": "gAAA"},
                {"type": "compaction", "content": "So far", "encrypted_content": "e"},
                {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                {"type": "text", "text": "Cold.", "citations": [citation("https://x")]},
                {"type": "novel", "novelty": "AB"},
            ]),
            json!({"prompt_tokens": 10, "completion_tokens": 9, "tokens": 19, "time_to_first_token": true}),
        ),
        case(
            "a call of a tool without arguments is something generated",
            &[
                begun(json!({"input_tokens": 10, "output_tokens": 1})),
                start(0, json!({"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}})),
                ended(json!({"output_tokens": 9})),
            ],
            json!([{"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}]),
            json!({"prompt_tokens": 10, "completion_tokens": 9, "tokens": 19, "time_to_first_token": true}),
        ),
    ]
}
