//! Data anywhere in a value: uploaded once for each key, and only where the row still names it.

use braintrust::{Attachment, Event, ExternalAttachment, JsonAttachment, SpanType, current_span, traced};
use serde::Serialize;
use serde_json::{Value, json};

use crate::backend::{Backend, KEY};
use crate::{Arrived, arrived, flushed, is_reference, logger_with};

#[derive(Serialize)]
struct Question<'a> {
    text: &'a str,
    pages: Vec<Option<Attachment>>,
}

#[traced]
fn answer(question: &Question<'_>) -> Attachment {
    current_span().log(Event::new().metadata("pages", question.pages.len()));
    Attachment::from_bytes(question.text.as_bytes().to_vec()).filename("answer.txt").content_type("text/plain")
}

#[test]
fn data_is_uploaded_from_anywhere_in_a_value() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    let png = &b"\x89PNG\r\n\x1a\n and so on"[..];
    logger.in_scope(|| {
        let pages = vec![None, Some(Attachment::from_bytes(png).filename("page.png"))];
        answer(&Question { text: "what is this?", pages });
        let late = json!({"a": [{"b": JsonAttachment::new(json!({"big": [1, 2, 3]}))}]});
        logger.log(Event::new().metadata("deep", late).expected(Attachment::from_bytes(&b"%PDF-1.7"[..])));
    });
    assert_eq!(flushed(&logger), (4, 0));
    let rows = backend.stored();
    let call = rows.iter().find(|row| row["span_attributes"]["name"] == "answer").unwrap();
    let page = &call["input"]["question"]["pages"][1];
    assert!(is_reference(page, "page.png", "image/png"), "{page}");
    assert!(is_reference(&call["output"], "answer.txt", "text/plain"), "{call:?}");
    let other = rows.iter().find(|row| row["span_attributes"]["name"] != "answer").unwrap();
    let document = &other["metadata"]["deep"]["a"][0]["b"];
    assert!(is_reference(document, "data.json", "application/json"), "{document}");
    assert!(is_reference(&other["expected"], "attachment.pdf", "application/pdf"), "{other:?}");

    let arrived = arrived(&backend);
    let data = |reference: &Value| {
        let Arrived { announced, data, statuses } = &arrived[reference["key"].as_str().unwrap()];
        let [announced] = announced.as_slice() else { panic!("{announced:?}") };
        assert_eq!(
            *announced,
            json!({"key": reference["key"], "filename": reference["filename"],
                "content_type": reference["content_type"], "org_id": "org-1"})
        );
        assert_eq!(*statuses, [json!({"upload_status": "done"})]);
        let [data] = data.as_slice() else { panic!("{data:?}") };
        data.clone()
    };
    assert_eq!(data(page), png);
    assert_eq!(data(&call["output"]), b"what is this?");
    assert_eq!(data(document), br#"{"big":[1,2,3]}"#);
    assert_eq!(data(&other["expected"]), b"%PDF-1.7");
    let paths: Vec<_> = backend.requests().iter().map(|request| request.path.clone()).collect();
    let first = |what: &str| paths.iter().position(|path| path == what).unwrap();
    assert!(first("/logs3") < first("/attachment"), "rows come first: {paths:?}");
}

#[test]
fn what_is_logged_again_is_uploaded_once() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    let image = Attachment::from_bytes(&b"GIF89a"[..]);
    let value = json!({"history": [image.clone(), image]});
    logger.log(Event::new().input(&value).output(&image));
    assert_eq!(flushed(&logger), (1, 0));
    logger.log(Event::new().input(&value).output(&image));
    assert_eq!(flushed(&logger), (0, 0));
    assert_eq!(arrived(&backend).values().map(|arrived| arrived.data.len()).sum::<usize>(), 1);
    let renamed = image.filename("other.gif");
    logger.log(Event::new().input(&renamed));
    assert_eq!(flushed(&logger), (1, 0), "another name is another attachment");
}

#[test]
fn each_key_has_its_own_upload() {
    let backend = Backend::start();
    let north = backend.logger("north");
    let south = backend.builder("south").api_key(format!("{KEY}-south")).build().unwrap();
    let shared = json!(Attachment::from_bytes(&b"shared by both"[..]));
    for logger in [&north, &south] {
        logger.log(Event::new().input(&shared));
    }
    assert_eq!((flushed(&north), flushed(&south)), ((1, 0), (1, 0)));
    let announcements = backend.requests().into_iter().filter(|request| request.path == "/attachment");
    let mut keys: Vec<_> = announcements.map(|request| request.headers["authorization"].clone()).collect();
    keys.sort_by_key(|key| key.as_bytes().to_vec());
    assert_eq!(keys, [format!("Bearer {KEY}"), format!("Bearer {KEY}-south")]);
}

#[test]
fn references_to_other_stores_are_only_shown() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    logger.log(Event::new().input(ExternalAttachment::new("s3://bucket/key.pdf?versionId=1")));
    assert_eq!(flushed(&logger), (0, 0));
    let expected = json!({"type": "external_attachment", "filename": "key.pdf", "content_type": "application/pdf",
        "url": "s3://bucket/key.pdf?versionId=1"});
    assert_eq!(backend.stored()[0]["input"], expected);
    assert!(arrived(&backend).is_empty());
}

#[test]
fn what_a_mask_hides_is_not_uploaded() {
    let backend = Backend::start();
    let logger = logger_with(&backend, |builder| builder.mask_fields(["passport"]));
    let uri = format!("data:image/png;base64,{}", "aGVsbG8g".repeat(10));
    let scan =
        json!({"passport": Attachment::from_bytes(&b"hidden"[..]), "page": Attachment::from_bytes(&b"seen"[..])});
    logger.log(Event::new().input(&scan));
    let messages = json!([{"passport": {"image_url": {"url": uri}}}]);
    logger.start_span("chat").kind(SpanType::Llm).input(&messages).start().end();
    assert_eq!(flushed(&logger), (1, 0));
    let data: Vec<_> = arrived(&backend).into_values().flat_map(|arrived| arrived.data).collect();
    assert_eq!(data, [b"seen"]);
}
