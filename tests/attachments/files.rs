//! Files that are read when they are uploaded.

use std::fs;

use braintrust::{Attachment, Event};

use crate::backend::Backend;
#[cfg(unix)]
use crate::flushed;
use crate::{Folder, LIMIT, arrived, is_reference};

#[test]
fn files_are_read_when_they_are_uploaded() {
    let folder = Folder::new();
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
    let row = &backend.stored()[0];
    assert!(is_reference(&row["input"], "kept.jpg", "image/jpeg"));
    assert!(is_reference(&row["output"], "removed.csv", "text/csv"));
    let error = Attachment::from_path(folder.path().join("none.png")).unwrap_err();
    assert!(error.to_string().contains("cannot attach `") && error.to_string().contains("none.png"), "{error}");
    assert!(Attachment::from_path(folder.path()).is_err(), "a folder is no file");
}

#[test]
fn a_file_that_changed_is_not_uploaded_as_if_it_had_not() {
    let folder = Folder::new();
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
