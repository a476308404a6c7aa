//! Data on disk until it can be uploaded: in the spool, or in a local folder.

use std::fs;
use std::path::{Path, PathBuf};

use braintrust::import::Import;
use braintrust::{Attachment, Event, Logger, SpanType, local};
use braintrust_test_backend::{Endpoint, Fault, Trouble};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::messages::message;
use crate::{Folder, LIMIT, arrived, flushed, is_reference, logger_with};

#[test]
fn data_waits_on_disk_while_the_backend_is_away_and_is_uploaded_when_it_is_back() {
    let (backend, folder) = (Backend::start(), Folder::new());
    let logger = logger_with(&backend, |builder| builder.spool_dir(folder.path().join("spool")));
    backend.fail(Fault::Down);
    let file = folder.file("page.png", b"a page");
    let page = Attachment::from_path(&file).unwrap();
    logger.log(Event::new().input(Attachment::from_bytes(&b"patient"[..])).output(&page));
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
    assert!(files_with(&folder.path().join("spool"), b"patient").is_empty(), "what is uploaded takes no space");
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
    let (backend, folder) = (Backend::start(), Folder::new());
    let logger = logger_with(&backend, |builder| builder.spool_dir(folder.path().join("spool")).durable(true));
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Hang));
    logger.log(Event::new().input(Attachment::from_bytes(&b"precious"[..])));
    assert!(backend.wait_until(LIMIT, || !backend.stored().is_empty()), "the row does not come");
    assert_eq!(files_with(&folder.path().join("spool"), b"precious").len(), 1);
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
}

#[test]
fn a_local_folder_keeps_the_data_until_it_can_be_sent() {
    let folder = Folder::new();
    let logger = Logger::builder().project("p").local_folder(folder.path().join(".braintrust")).build().unwrap();
    let image = Attachment::from_bytes(&b"\x89PNG\r\n\x1a\n"[..]).filename("page.png");
    logger.start_span("look").input(json!({"page": image})).start().end();
    logger.start_span("chat").kind(SpanType::Llm).input(message(&"aGVsbG8g".repeat(10))).start().end();
    assert_eq!(flushed(&logger), (2, 0));
    let traces = local::read(folder.path().join(".braintrust")).unwrap();
    let input: Value = serde_json::to_value(traces.find("look").input().unwrap()).unwrap();
    assert!(is_reference(&input["page"], "page.png", "image/png"));
    let file = folder.path().join(".braintrust/attachments").join(input["page"]["key"].as_str().unwrap());
    assert_eq!(fs::read(&file).unwrap(), b"\x89PNG\r\n\x1a\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }

    let backend = Backend::start();
    let online = backend.logger("p");
    let report = Import::new(&online).local_folder(folder.path().join(".braintrust")).run().unwrap();
    assert_eq!(report.imported, 2);
    let arrived = arrived(&backend);
    assert_eq!(arrived.len(), 2);
    let page = &arrived[input["page"]["key"].as_str().unwrap()];
    assert_eq!(page.data, [b"\x89PNG\r\n\x1a\n"]);
    assert_eq!(page.announced[0]["filename"], "page.png");
}
