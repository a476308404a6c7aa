//! The shapes that both official SDKs have.

use std::fs;
use std::path::Path;

use braintrust::{Attachment, ExternalAttachment, JsonAttachment};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::flushed;

/// Where the captures are at hand: references and requests have the shape of both official SDKs.
#[test]
fn references_and_requests_agree_with_the_captures() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/captures");
    if !captures.is_dir() {
        eprintln!("skipped: no captures of the official SDKs here");
        return;
    }
    let backend = Backend::start();
    let logger = backend.logger("my-project");
    let input = json!({
        "img": Attachment::from_bytes(&b"hi"[..]).filename("a.png").content_type("image/png"),
        "list": [Attachment::from_bytes(&b"hi"[..]).filename("f.txt").content_type("text/plain")],
        "j": JsonAttachment::new(1).filename("t.json"),
        "jp": JsonAttachment::new(1),
        "ext": ExternalAttachment::new("s3://bucket/key.pdf"),
        "inline": "data:image/png;base64,iVBORw0KGgo=",
    });
    logger.start_span("att").input(&input).start().end();
    assert_eq!(flushed(&logger), (4, 0));
    let ours = shape(&backend.stored()[0]["input"]);
    for sdk in ["py", "js"] {
        let capture = fs::read_to_string(captures.join(sdk).join("attachments.json")).unwrap();
        let capture: Value = serde_json::from_str(&capture).unwrap();
        let requests: Vec<_> = capture["requests"].as_array().unwrap().iter().filter(|r| r.is_object()).collect();
        let to = |path: &str| requests.iter().find(|request| request["path"] == path).unwrap();
        assert_eq!(ours, shape(&to("/logs3")["body_json"]["rows"][0]["input"]), "{sdk}");
        let theirs = to("/attachment");
        let mine = backend.requests().into_iter().find(|request| request.path == "/attachment").unwrap();
        let mine_body: Value = serde_json::from_slice(&mine.body).unwrap();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            (theirs["method"].as_str().unwrap(), keys(&theirs["body_json"])),
            (mine.method.as_str(), keys(&mine_body))
        );
    }
}

/// A value with its keys of attachments made equal.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, entry)| (key.clone(), if key == "key" { json!("…") } else { shape(entry) }))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        other => other.clone(),
    }
}
