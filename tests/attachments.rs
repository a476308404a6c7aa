//! Attachments: wherever in a value they stand, their data arrives, once, after the rows; and what goes wrong is told.

mod backend;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backend::{Backend, KEY};
use braintrust::import::Import;
use braintrust::{
    Attachment, Event, ExternalAttachment, JsonAttachment, Logger, LoggerBuilder, SpanType, current_span, local, traced,
};
use braintrust_test_backend::{Endpoint, Fault, Trouble};
use serde::Serialize;
use serde_json::{Map, Value, json};

const LIMIT: Duration = Duration::from_secs(30);

/// What the backend has been told and sent of an attachment.
#[derive(Clone, Debug, Default, PartialEq)]
struct Arrived {
    announced: Vec<Value>,
    data: Vec<Vec<u8>>,
    statuses: Vec<Value>,
}

fn arrived(backend: &Backend) -> BTreeMap<String, Arrived> {
    let mut all: BTreeMap<String, Arrived> = BTreeMap::new();
    for request in backend.requests() {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let key = |body: &Value| body["key"].as_str().unwrap().to_owned();
        match request.path.as_str() {
            "/attachment" => all.entry(key(&body)).or_default().announced.push(body),
            "/attachment/status" => all.entry(key(&body)).or_default().statuses.push(body["status"].clone()),
            path => {
                if let Some(key) = path.strip_prefix("/upload/") {
                    assert!(!request.headers.contains_key("authorization"), "the key has no business there");
                    assert_eq!(request.headers["x-test"], "1");
                    all.entry(key.to_owned()).or_default().data.push(request.body.to_vec());
                }
            }
        }
    }
    all
}

fn flushed(logger: &Logger) -> (u64, u64) {
    let report = match logger.flush_blocking(LIMIT) {
        Ok(report) => report,
        Err(error) => error.report().unwrap_or_else(|| panic!("{error}")).clone(),
    };
    (report.attachments.delivered, report.attachments.lost)
}

fn is_reference(value: &Value, filename: &str, content_type: &str) -> bool {
    value["type"] == "braintrust_attachment"
        && value["filename"] == filename
        && value["content_type"] == content_type
        && value.as_object().unwrap().len() == 4
        && value["key"].as_str().unwrap().len() == 36
}

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
        let late = json!({"a": [{"b": JsonAttachment::new(&json!({"big": [1, 2, 3]}))}]});
        logger.log(Event::new().metadata("deep", late).expected(&Attachment::from_bytes(&b"%PDF-1.7"[..])));
    });
    assert_eq!(flushed(&logger), (4, 0));
    let rows = backend.rows();
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
    let south =
        Logger::builder().project("south").api_key(format!("{KEY}-south")).app_url(backend.url()).build().unwrap();
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
    logger.log(Event::new().input(&ExternalAttachment::new("s3://bucket/key.pdf?versionId=1")));
    assert_eq!(flushed(&logger), (0, 0));
    let expected = json!({"type": "external_attachment", "filename": "key.pdf", "content_type": "application/pdf",
        "url": "s3://bucket/key.pdf?versionId=1"});
    assert_eq!(backend.rows()[0]["input"], expected);
    assert!(arrived(&backend).is_empty());
}

/// A folder that is removed when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("braintrust-attachments-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, data).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_read_when_they_are_uploaded() {
    let folder = Folder::new("files");
    let backend = Backend::start();
    let logger = backend.logger("p");
    let kept = Attachment::from_path(folder.file("kept.jpg", b"a picture")).unwrap();
    let removed = folder.file("removed.csv", b"a,b\n");
    let gone = Attachment::from_path(&removed).unwrap();
    logger.log(Event::new().input(&kept).output(&gone));
    drop(gone);
    fs::remove_file(removed).unwrap();
    #[cfg(unix)]
    assert_eq!(flushed(&logger), (2, 0), "a file that is removed after it was attached is still there");
    let row = &backend.rows()[0];
    assert!(is_reference(&row["input"], "kept.jpg", "image/jpeg"));
    assert!(is_reference(&row["output"], "removed.csv", "text/csv"));
    let error = Attachment::from_path(folder.0.join("none.png")).unwrap_err();
    assert!(error.to_string().contains("cannot attach `") && error.to_string().contains("none.png"), "{error}");
    assert!(Attachment::from_path(&folder.0).is_err(), "a folder is no file");
}

#[test]
fn a_file_that_changed_is_not_uploaded_as_if_it_had_not() {
    let folder = Folder::new("changed");
    let backend = Backend::start();
    let logger = backend.logger("p");
    let path = folder.file("page.png", b"first");
    let image = Attachment::from_path(&path).unwrap();
    fs::write(&path, b"second, and longer").unwrap();
    logger.log(Event::new().input(&image));
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    assert!(
        error.to_string().contains("`page.png` could not be uploaded") && error.to_string().contains("changed"),
        "{error}"
    );
    assert_eq!(error.report().unwrap().attachments.lost, 1);
    assert_eq!(error.report().unwrap().delivered, 1, "the row itself has arrived");
    let arrived: Vec<_> = arrived(&backend).into_values().collect();
    assert_eq!((arrived.len(), arrived[0].data.len()), (1, 0));
    assert_eq!(arrived[0].statuses[0]["upload_status"], "error");
    assert!(arrived[0].statuses[0]["error_message"].as_str().unwrap().contains("changed"));
}

#[test]
fn an_upload_that_is_refused_is_told_and_holds_up_no_rows() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Status(403)));
    logger.log(Event::new().input(&Attachment::from_bytes(&b"refused"[..])));
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    assert_eq!((error.report().unwrap().delivered, error.report().unwrap().attachments.lost), (1, 1), "{error}");
    for secret in [KEY, "do-not-show"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    backend.heal();
    logger.log(Event::new().input(&Attachment::from_bytes(&b"welcome"[..])));
    assert_eq!(flushed(&logger), (1, 0));
}

#[test]
fn an_upload_is_repeated_until_the_backend_is_well_again() {
    let backend = Backend::start();
    let logger = logger_with(&backend, LoggerBuilder::without_spool);
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Status(503)));
    logger.log(Event::new().input(&Attachment::from_bytes(&b"in the end"[..])));
    let asked = |backend: &Backend| backend.requests().iter().filter(|request| request.path == "/attachment").count();
    let begun = Instant::now();
    let early = logger.flush_blocking(Duration::from_secs(1)).unwrap_err();
    assert!(early.is_timeout() && early.report().unwrap().attachments.queued == 1, "{early}");
    assert_eq!(early.report().unwrap().delivered, 1, "rows don't wait for attachments");
    while asked(&backend) < 2 && begun.elapsed() < LIMIT {
        std::thread::yield_now();
    }
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
    let arrived: Vec<_> = arrived(&backend).into_values().collect();
    assert_eq!(arrived[0].data, [b"in the end"]);
}

#[test]
fn without_a_spool_data_waits_in_memory_for_a_backend_that_is_away() {
    let backend = Backend::start();
    let logger = logger_with(&backend, LoggerBuilder::without_spool);
    backend.fail(Fault::Down);
    logger.log(Event::new().input(&Attachment::from_bytes(&b"patient"[..])));
    let early = logger.flush_blocking(Duration::from_millis(700)).unwrap_err();
    assert!(early.is_timeout() && early.report().unwrap().attachments.queued == 1, "{early}");
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
    assert_eq!(arrived(&backend).into_values().next().unwrap().data, [b"patient"]);
}

#[test]
fn data_waits_on_disk_while_the_backend_is_away_and_is_uploaded_when_it_is_back() {
    let (backend, folder) = (Backend::start(), Folder::new("away"));
    let logger = logger_with(&backend, |builder| builder.spool_dir(folder.0.join("spool")));
    backend.fail(Fault::Down);
    let file = folder.file("page.png", b"a page");
    let page = Attachment::from_path(&file).unwrap();
    logger.log(Event::new().input(&Attachment::from_bytes(&b"patient"[..])).output(&page));
    let report = logger.flush_blocking(LIMIT).unwrap();
    assert_eq!((report.spooled, report.attachments.spooled, report.attachments.queued), (1, 2, 0), "{report}");
    assert!(report.to_string().ends_with("attachments: 2 spooled"), "{report}");
    fs::write(file, b"another").unwrap();
    backend.heal();
    while logger.stats().attachments.delivered < 2 {
        assert_eq!(flushed(&logger).1, 0);
    }
    let mut data: Vec<_> = arrived(&backend).into_values().flat_map(|arrived| arrived.data).collect();
    data.sort();
    assert_eq!(data, [b"a page".to_vec(), b"patient".to_vec()]);
    assert_eq!(logger.stats().attachments.spooled, 0);
    assert!(files_with(&folder.0.join("spool"), b"patient").is_empty(), "what is uploaded takes no space");
}

/// The files in a folder and the folders in it that hold these bytes.
fn files_with(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let holds = |path: &Path| fs::read(path).unwrap().windows(bytes.len()).any(|part| part == bytes);
    let found = |path: PathBuf| {
        if path.is_dir() { files_with(&path, bytes) } else { Vec::from_iter(holds(&path).then_some(path)) }
    };
    paths.flat_map(found).collect()
}

#[test]
fn durable_data_is_on_disk_before_its_row_is_sent() {
    let (backend, folder) = (Backend::start(), Folder::new("durable"));
    let logger = logger_with(&backend, |builder| builder.spool_dir(folder.0.join("spool")).durable(true));
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Hang));
    logger.log(Event::new().input(&Attachment::from_bytes(&b"precious"[..])));
    let begun = Instant::now();
    while backend.rows().is_empty() {
        assert!(begun.elapsed() < LIMIT, "the row does not come");
        std::thread::yield_now();
    }
    assert_eq!(files_with(&folder.0.join("spool"), b"precious").len(), 1);
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
}

#[test]
fn what_is_too_large_is_told_and_not_uploaded() {
    let backend = Backend::start();
    let logger = logger_with(&backend, |builder| builder.max_attachment_bytes(100));
    let large = Attachment::from_bytes(vec![0; 101]).filename("large.bin");
    logger.log(Event::new().input(&json!([large, Attachment::from_bytes(vec![0; 100])])));
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    assert!(error.to_string().contains("`large.bin` could not be uploaded: it has 101 bytes"), "{error}");
    let counts = error.report().unwrap().attachments;
    assert_eq!((counts.delivered, counts.lost), (1, 1));
    let states: Vec<_> =
        arrived(&backend).into_values().map(|arrived| arrived.statuses[0]["upload_status"].clone()).collect();
    assert!(states.contains(&json!("done")) && states.contains(&json!("error")), "{states:?}");
    let messages = message(&"aGVsbG8g".repeat(30));
    logger.start_span("chat").kind(SpanType::Llm).input(&messages).start().end();
    assert_eq!(flushed(&logger), (0, 0));
    assert_eq!(backend.rows()[1]["input"], messages, "data that is too large stays in the message");
}

#[test]
fn rows_go_on_while_an_upload_hangs() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Hang));
    logger.log(Event::new().input(&Attachment::from_bytes(&b"slow"[..])));
    for round in 1..=3 {
        let begun = Instant::now();
        logger.log(Event::new().input(&round));
        while backend.rows().len() < round + 1 {
            assert!(begun.elapsed() < LIMIT, "rows wait for an upload");
            std::thread::yield_now();
        }
    }
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
}

fn logger_with(backend: &Backend, set: impl FnOnce(LoggerBuilder) -> LoggerBuilder) -> Logger {
    set(Logger::builder().project("p").api_key(KEY).app_url(backend.url())).build().unwrap()
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

/// A message with a picture in it.
fn message(data: &str) -> Value {
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
    logger.start_span("chat").kind(SpanType::Llm).input(&message(&data)).start().end();
    logger.start_span("work").kind(SpanType::Task).input(&message(&data)).start().end();
    assert_eq!(flushed(&logger), (1, 0));
    let rows = backend.rows();
    let named = |name: &str| rows.iter().find(|row| row["span_attributes"]["name"] == name).unwrap();
    assert!(is_reference(url(named("chat")), "image.png", "image/png"), "{rows:?}");
    assert_eq!(named("work")["input"], message(&data), "only models' messages");
    let data: Vec<_> = arrived(&backend).into_values().flat_map(|arrived| arrived.data).collect();
    assert_eq!(data, ["hello ".repeat(10).as_bytes()]);

    let backend = Backend::start();
    let logger = logger_with(&backend, |builder| builder.convert_attachments(false));
    logger.start_span("chat").kind(SpanType::Llm).input(&message("aGVsbG8gd29ybGQsIGhlbGxv")).start().end();
    assert_eq!(flushed(&logger), (0, 0));
    assert_eq!(backend.rows()[0]["input"], message("aGVsbG8gd29ybGQsIGhlbGxv"), "switched off");
}

#[test]
fn pictures_of_many_megabytes_are_not_cut() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    let data = "QUJD".repeat(2_500_000);
    logger.start_span("chat").kind(SpanType::Llm).input(&message(&data)).start().end();
    logger.start_span("work").kind(SpanType::Task).input(&message(&data)).start().end();
    assert_eq!(flushed(&logger), (1, 0));
    let data: Vec<_> = arrived(&backend).into_values().flat_map(|arrived| arrived.data).collect();
    assert_eq!(data.iter().map(Vec::len).collect::<Vec<_>>(), [7_500_000]);
    let rows = backend.rows();
    let work = rows.iter().find(|row| row["span_attributes"]["name"] == "work").unwrap();
    let cut = url(work).as_str().unwrap();
    assert!(cut.len() < 1000 && cut.ends_with("bytes are cut]"), "elsewhere they are cut as ever: {}", cut.len());
}

#[test]
fn a_local_folder_keeps_the_data_until_it_can_be_sent() {
    let folder = Folder::new("local");
    let logger = Logger::builder().project("p").local_folder(folder.0.join(".braintrust")).build().unwrap();
    let image = Attachment::from_bytes(&b"\x89PNG\r\n\x1a\n"[..]).filename("page.png");
    logger.start_span("look").input(&json!({"page": image})).start().end();
    logger.start_span("chat").kind(SpanType::Llm).input(&message(&"aGVsbG8g".repeat(10))).start().end();
    assert_eq!(flushed(&logger), (2, 0));
    let traces = local::read(folder.0.join(".braintrust")).unwrap();
    let input: Value = serde_json::to_value(traces.find("look").input().unwrap()).unwrap();
    assert!(is_reference(&input["page"], "page.png", "image/png"));
    let file = folder.0.join(".braintrust/attachments").join(input["page"]["key"].as_str().unwrap());
    assert_eq!(fs::read(&file).unwrap(), b"\x89PNG\r\n\x1a\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }

    let backend = Backend::start();
    let online = backend.logger("p");
    let report = Import::new(&online).local_folder(folder.0.join(".braintrust")).run().unwrap();
    assert_eq!(report.imported, 2);
    let arrived = arrived(&backend);
    assert_eq!(arrived.len(), 2);
    let page = &arrived[input["page"]["key"].as_str().unwrap()];
    assert_eq!(page.data, [b"\x89PNG\r\n\x1a\n"]);
    assert_eq!(page.announced[0]["filename"], "page.png");
}

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
        "j": JsonAttachment::new(&1).filename("t.json"),
        "jp": JsonAttachment::new(&1),
        "ext": ExternalAttachment::new("s3://bucket/key.pdf"),
        "inline": "data:image/png;base64,iVBORw0KGgo=",
    });
    logger.start_span("att").input(&input).start().end();
    assert_eq!(flushed(&logger), (4, 0));
    let ours = shape(&backend.rows()[0]["input"]);
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
