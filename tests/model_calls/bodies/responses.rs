//! OpenAI's responses.

use serde_json::{Value, json};

use super::{Case, named_sse, parameters};

const RESPONSES: (&str, &str) = ("api.openai.com", "/v1/responses");

pub(super) fn cases() -> Vec<Case> {
    let item = json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "annotations": [], "text": "Cold."}]});
    let reasoning = json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]});
    let usage = json!({"input_tokens": 13, "output_tokens": 6, "total_tokens": 19,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1}, "output_tokens_details": {"reasoning_tokens": 5}});
    let request = json!({
        "model": "gpt-5", "input": "Weather?", "instructions": "Be short", "stream": true, "max_output_tokens": 50,
        "tool_choice": {"type": "function", "name": "weather"}, "max_tool_calls": 2, "text": {"format": {"type": "json_object"}},
        "tools": [
            {"type": "function", "name": "weather", "parameters": parameters(), "strict": false},
            {"type": "mcp", "server_url": "https://x", "authorization": "tok-1", "headers": {"x-key": "tok-2"}},
        ]
    });
    let metadata = json!({
        "provider": "openai", "model": "gpt-5-2026", "max_tokens": 50, "max_tool_calls": 2,
        "response_format": {"type": "json_object"},
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "tools": [
            {"type": "function", "function": {"name": "weather", "parameters": parameters(), "strict": false}},
            {"type": "mcp", "server_url": "https://x", "authorization": "[REDACTED]", "headers": "[REDACTED]"},
        ]
    });
    let input = json!([{"role": "user", "content": "Weather?"}, {"role": "system", "content": "Be short"}]);
    let begun = [
        json!({"type": "response.created", "response": {"model": "gpt-5-2026", "output": [], "usage": null, "error": null}}),
        json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"id": "rs_1", "type": "reasoning", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0,
            "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Hm."}),
        json!({"type": "response.output_item.added", "output_index": 1,
            "item": {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}}),
        json!({"type": "response.content_part.added", "output_index": 1, "content_index": 0,
            "part": {"type": "output_text", "annotations": [], "text": ""}}),
        json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "Co"}),
        json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "ld."}),
    ];
    let last = json!({"type": "response.completed", "response":
        {"model": "gpt-5-2026", "output": [reasoning, item], "usage": usage, "error": null, "tools": [], "temperature": 1}});
    let failed = json!({"type": "response.failed", "response":
        {"model": "gpt-5-2026", "output": [], "usage": null, "error": {"code": "server_error", "message": "Sorry"}}});
    let mut open_item = item.clone();
    open_item["status"] = "in_progress".into();
    let citation = json!({"type": "url_citation", "url": "https://x", "start_index": 0, "end_index": 4});
    let with_citations = |number: usize| {
        let mut item = open_item.clone();
        item["content"][0]["annotations"] = vec![citation.clone(); number].into();
        item
    };
    let annotated = json!({"type": "response.output_text.annotation.added", "output_index": 1, "content_index": 0,
        "annotation_index": 0, "annotation": citation});
    let incomplete = json!({"type": "response.incomplete", "response": {"model": "gpt-5-2026", "status": "incomplete", "error": null,
        "incomplete_details": {"reason": "max_output_tokens"}, "output": [reasoning, open_item], "usage": usage}});
    let all_metrics = json!({"prompt_tokens": 13, "completion_tokens": 6, "tokens": 19, "prompt_cached_tokens": 2,
        "prompt_cache_creation_tokens": 1, "completion_reasoning_tokens": 5, "time_to_first_token": true});
    let case = |name: &'static str, events: &[Value], output: Value| Case {
        name,
        address: RESPONSES,
        request: request.clone(),
        response: named_sse(events),
        span: "openai.responses.create",
        input: input.clone(),
        output,
        metadata: metadata.clone(),
        metrics: json!({"time_to_first_token": true}),
        error: Value::Null,
    };
    let text = |index: u64, delta: &str| json!({"type": "response.output_text.delta", "output_index": index, "content_index": 0, "delta": delta});
    vec![
        Case {
            metrics: all_metrics,
            ..case("responses that are cut by their limit", &[&begun[..], &[incomplete]].concat(), json!([reasoning, open_item]))
        },
        Case {
            error: json!("Sorry (server_error)"),
            ..case(
                "responses with citations, ended by an error event",
                &[&begun[..], &[annotated.clone(), annotated,
                    json!({"type": "error", "code": "server_error", "message": "Sorry", "param": null, "sequence_number": 9})]].concat(),
                json!([reasoning, with_citations(2)]),
            )
        },
        Case {
            error: json!("the response failed"),
            ..case(
                "responses that fail without a word, whose items come out of order",
                &[
                    json!({"type": "response.created", "response": {"model": "gpt-5-2026", "output": []}}),
                    json!({"type": "response.output_item.added", "output_index": 3,
                        "item": {"type": "function_call", "name": "f", "call_id": "c", "arguments": ""}}),
                    json!({"type": "response.output_item.done", "output_index": 0, "item": reasoning}),
                    json!({"type": "response.function_call_arguments.delta", "output_index": 3, "delta": "{}"}),
                    json!({"type": "response.failed", "response": {"model": "gpt-5-2026", "output": [], "status": "failed"}}),
                ],
                json!([reasoning, {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}]),
            )
        },
        case(
            "responses of a gateway that sends nothing but deltas of text",
            &[
                json!({"type": "response.created", "response": {"model": "gpt-5-2026"}}),
                text(0, "Co"),
                text(0, "ld."),
                json!({"type": "response.completed", "response": {"model": "gpt-5-2026", "output": []}}),
            ],
            json!([{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Cold."}]}]),
        ),
        Case {
            name: "responses, streamed",
            address: RESPONSES,
            request: request.clone(),
            response: named_sse(&[&begun[..], &[last]].concat()),
            span: "openai.responses.create",
            input: input.clone(),
            output: json!([reasoning, item]),
            metadata: metadata.clone(),
            metrics: json!({"prompt_tokens": 13, "completion_tokens": 6, "tokens": 19, "prompt_cached_tokens": 2,
                "prompt_cache_creation_tokens": 1, "completion_reasoning_tokens": 5, "time_to_first_token": true}),
            error: Value::Null,
        },
        Case {
            name: "responses that fail on the way",
            address: RESPONSES,
            request,
            response: named_sse(&[&begun[..], &[failed]].concat()),
            span: "openai.responses.create",
            input,
            output: json!([reasoning, open_item]),
            metadata,
            metrics: json!({"time_to_first_token": true}),
            error: json!("Sorry (server_error)"),
        },
    ]
}
