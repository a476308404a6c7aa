//! Base64 in the messages of models, which becomes attachments.

use braintrust::SpanType;
use serde_json::{Map, Value, json};

use crate::backend::Backend;
use crate::{arrived, flushed, is_reference, logger_with};

/// A message with a picture in it.
pub fn message(data: &str) -> Value {
    let picture = json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}});
    json!([{"role": "user", "content": [{"type": "text", "text": "what is this?"}, picture]}])
}

fn url(row: &Map<String, Value>) -> &Value {
    &row["input"][0]["content"][1]["image_url"]["url"]
}

#[test]
fn base64_in_messages_of_models_becomes_attachments() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    let data = "aGVsbG8g".repeat(10);
    logger.start_span("chat").kind(SpanType::Llm).input(message(&data)).start().end();
    logger.start_span("work").kind(SpanType::Task).input(message(&data)).start().end();
    assert_eq!(flushed(&logger), (1, 0));
    let rows = backend.stored();
    let named = |name: &str| rows.iter().find(|row| row["span_attributes"]["name"] == name).unwrap();
    assert!(is_reference(url(named("chat")), "image.png", "image/png"), "{rows:?}");
    assert_eq!(named("work")["input"], message(&data), "only models' messages");
    let data: Vec<_> = arrived(&backend).into_values().flat_map(|arrived| arrived.data).collect();
    assert_eq!(data, ["hello ".repeat(10).as_bytes()]);

    let backend = Backend::start();
    let logger = logger_with(&backend, |builder| builder.convert_attachments(false));
    logger.start_span("chat").kind(SpanType::Llm).input(message("aGVsbG8gd29ybGQsIGhlbGxv")).start().end();
    assert_eq!(flushed(&logger), (0, 0));
    assert_eq!(backend.stored()[0]["input"], message("aGVsbG8gd29ybGQsIGhlbGxv"), "switched off");
}

#[test]
fn pictures_of_many_megabytes_are_not_cut() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    let data = "QUJD".repeat(2_500_000);
    logger.start_span("chat").kind(SpanType::Llm).input(message(&data)).start().end();
    logger.start_span("work").kind(SpanType::Task).input(message(&data)).start().end();
    assert_eq!(flushed(&logger), (1, 0));
    let data: Vec<_> = arrived(&backend).into_values().flat_map(|arrived| arrived.data).collect();
    assert_eq!(data.iter().map(Vec::len).collect::<Vec<_>>(), [7_500_000]);
    let rows = backend.stored();
    let work = rows.iter().find(|row| row["span_attributes"]["name"] == "work").unwrap();
    let cut = url(work).as_str().unwrap();
    assert!(cut.len() < 1000 && cut.ends_with("bytes are cut]"), "elsewhere they are cut as ever: {}", cut.len());
}
