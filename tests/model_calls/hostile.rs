//! Responses that are malformed, cut off, or meant to harm: the span tells what could be made of them, and what
//! is wrong, in bounded time.

use braintrust::llm::{Endpoint, WireApi};
use braintrust::testing::memory_logger;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::strangers::{APIS, CONTENT_TYPES};
use super::{LIMIT, Response, begin, call, merged};

fn chat() -> Endpoint {
    Endpoint::new("acme", WireApi::ChatCompletions)
}

/// The row of one call whose response comes in these chunks.
fn row_of(content_type: &str, chunks: impl IntoIterator<Item = Bytes>) -> Value {
    let (logger, rows) = memory_logger();
    let mut call = begin(&logger, &chat(), r#"{"model":"m","messages":[]}"#);
    call.respond(200, Some(content_type));
    chunks.into_iter().for_each(|chunk| call.chunk(&chunk));
    call.finish();
    logger.flush_blocking(LIMIT).unwrap();
    let [row] = merged(&rows).try_into().unwrap();
    assert!(row["metrics"]["end"].is_number(), "the span has ended");
    row
}

fn notes(row: &Value) -> String {
    row["span_attributes"]["response_notes"].to_string()
}

#[test]
fn what_is_malformed_is_shown_as_far_as_it_goes() {
    let deep = format!("{{\"choices\":[{}{}]}}", "[".repeat(50_000), "]".repeat(50_000));
    let wide = format!("{{\"choices\":[{}0],\"usage\":{{\"prompt_tokens\":3}}}}", "[],".repeat(3_000_000));
    let bodies: [(&[u8], &str, Value); 9] = [
        (b"<html>Bad Gateway</html>", "expected value", json!("<html>Bad Gateway</html>")),
        (
            b"{\"choices\":[{\"index\":0,\"message\":{\"content\":\"hi\"}},",
            "EOF",
            json!([{"index": 0, "message": {"content": "hi"}}]),
        ),
        (b"{\"choices\":[{\"index\":0,\"x\":\"\xff\"}]}", "UTF-8", json!([{"index": 0, "x": "\u{fffd}"}])),
        (b"\x1f\x8b\x08\x00", "expected value", json!("\u{1f}\u{fffd}\u{8}\0")),
        (deep.as_bytes(), "recursion", Value::Null),
        (wide.as_bytes(), "values", Value::Null),
        (b"{\"choices\":[],\"usage\":{\"prompt_tokens\":-5}}", "`prompt_tokens` is -5", json!([])),
        (b"{\"answer\":42}", "shape", json!({"answer": 42})),
        (b"[1,2]", "shape", json!([1, 2])),
    ];
    for (body, note, output) in bodies {
        let row = row_of("application/json", [Bytes::copy_from_slice(body)]);
        assert!(notes(&row).contains(note), "{}", notes(&row));
        if !output.is_null() {
            assert_eq!(row["output"], output);
        }
        assert!(row.get("error").is_none(), "the call did not fail");
    }
}

#[test]
fn a_request_that_is_none_is_noted() {
    let (logger, rows) = memory_logger();
    call(&logger, &chat(), "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}", &Response::json("{}"), &[]);
    logger.flush_blocking(LIMIT).unwrap();
    let row = &merged(&rows)[0];
    assert_eq!((&row["input"], &row["metadata"]["model"]), (&json!([{"role": "user"}]), &json!("m")));
    assert!(row["span_attributes"]["request_notes"][0].as_str().unwrap().contains("could not be read whole"));
}

/// Fragments that mean something to one format or another, so that nonsense gets far.
fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        "data: ",
        "event: error\n",
        "\n\n",
        "{\"choices\":[",
        "{\"index\":18446744073709551615,",
        "\"delta\":",
        "{\"content\":\"x\"}",
        "{\"type\":\"content_block_delta\",",
        "\"index\":0,",
        "\"tool_calls\":[",
        "{\"id\":7}",
        "\"usage\":{\"prompt_tokens\":",
        "-1",
        "1e400",
        "null",
        "}",
        "]",
        "}}]}",
        "[DONE]",
        "{\"candidates\":[{\"content\":{\"parts\":[",
        "{\"message\":{\"content\":",
        "\"done\":true",
        "\"response\":",
        ",",
        "\\ud800",
        "\"",
        "\0\0\0\u{10}\0\0\0\0",
        "{\"type\":\"response.output_item.added\",\"item\":",
        "{\"type\":\"tool-call-start\",\"index\":9,\"delta\":{\"message\":{\"tool_calls\":",
        "{\"message\":{\"content\":{\"thinking\":7}}",
        "data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[",
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
        "{\"choices\":[{\"delta\":{\"audio\":{\"data\":\"AAA=\"}}}]}\n",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n",
        "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"citations_delta\",\"citation\":{}}}\n",
        "{\"contentBlockDelta\":{\"delta\":{\"toolResult\":[7]}}}\n",
        "{\"contentBlockDelta\":{\"delta\":{\"citation\":1,\"text\":{}}}}\n",
        "{\"type\":\"response.output_text.annotation.added\",\"annotation\":1}\n",
        "{\"type\":\"response.output_text.delta\",\"delta\":\"x\",\"content_index\":0}\n",
        "{\"results\":",
        "\"x_groq\":{\"error\":",
    ]);
    let piece = prop_oneof![
        8 => fragment.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    /// One flush for many calls: each of them is one row that has ended.
    #[test]
    fn no_nonsense_loses_a_span(bodies in prop::collection::vec((nonsense(), nonsense()), 8)) {
        let (logger, rows) = memory_logger();
        let mut calls = 0;
        for (request, body) in &bodies {
            for api in APIS {
                for content_type in CONTENT_TYPES {
                    let endpoint = Endpoint::new("acme", api);
                    let response = Response { content_type: content_type.unwrap_or_default().to_owned(), ..Response::json(body.clone()) };
                    call(&logger, &endpoint, &String::from_utf8_lossy(request), &response, &[3]);
                    calls += 1;
                }
            }
        }
        logger.flush_blocking(LIMIT).unwrap();
        let rows = merged(&rows);
        prop_assert_eq!(rows.len(), calls);
        for row in &rows {
            prop_assert!(row["metrics"]["end"].is_number());
            prop_assert!(!row.to_string().contains("this is a defect"), "{}", row);
        }
    }
}
