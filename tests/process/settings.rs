//! Settings as programs are given them.

use std::time::Duration;

use braintrust::Logger;
use braintrust_test_backend::{Endpoint, Fault, Trouble};
use tempfile::TempDir;

use crate::{BACKEND, Case, KEY, one_call};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) const CASES: &[Case] = &[
    Case::new("settings: a malformed value is a warning", one_call, |outcome| {
        let warning = "braintrust: warning: BRAINTRUST_DEFAULT_BATCH_SIZE is \"many\", expected a whole number above 0; \
                       using the default: 4000";
        assert_eq!(outcome.stderr.matches(warning).count(), 1, "{}", outcome.stderr);
        outcome.assert_spans(&["leaf"]);
    })
    .with(&[("BRAINTRUST_DEFAULT_BATCH_SIZE", "many")]),
    Case::new("settings: nothing is sent without a flush, if that is asked for", without_a_flush, |outcome| {
        outcome.assert_spans(&["flushed", "of another logger"]);
    })
    .with(&[("BRAINTRUST_SYNC_FLUSH", "1"), ("BRAINTRUST_DISABLE_ATEXIT_FLUSH", "1")]),
    Case {
        fault: Some(Fault::At(Endpoint::Rows, Trouble::Status(400))),
        ..Case::new("settings: copies of requests", copies, |outcome| {
            assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
        })
    },
    Case::new("settings: the nearest .env.braintrust", from_a_file, |outcome| outcome.assert_spans(&[])),
];

fn from_a_file(_: &Logger) {
    let scratch = folder();
    let folder = scratch.path().canonicalize().unwrap();
    std::fs::write(
        folder.join(".env.braintrust"),
        "# whose\nexport BRAINTRUST_PROJECT='from a file'\nBRAINTRUST_SYNC_FLUSH=1\nBRAINTRUST_ORG_NAME=far\n",
    )
    .unwrap();
    std::env::set_current_dir(folder.join("below")).unwrap();
    let of_file = Logger::builder().local_folder("rows").build().unwrap();
    assert_eq!(of_file.project(), "from a file");
    assert_eq!(of_file.local_folder().unwrap(), folder.join("below/rows"));
    let given = Logger::builder().project("given").local_folder("rows").build().unwrap();
    assert_eq!(given.project(), "given");
    assert!(std::env::var("BRAINTRUST_PROJECT").is_err(), "the file is not put into the environment");
}

fn without_a_flush(logger: &Logger) {
    let another = Logger::builder().project("another").api_key(KEY).app_url(std::env::var(BACKEND).unwrap());
    let another = another.sync_flush(false).build().unwrap();
    logger.start_span("flushed").start().end();
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
    logger.start_span("never").start().end();
    // The exporter hands over all rows with those of the flush, and has a request's time to send them.
    another.start_span("of another logger").start().end();
    assert_eq!(another.flush_blocking(LIMIT).unwrap().delivered, 1);
}

fn copies(_: &Logger) {
    let scratch = folder();
    let folder = scratch.path().canonicalize().unwrap();
    let logger = Logger::builder()
        .project("p")
        .api_key(KEY)
        .app_url(std::env::var(BACKEND).unwrap())
        .all_payloads_dir(folder.join("all"))
        .failed_payloads_dir(folder.join("failed"))
        .build()
        .unwrap();
    logger.start_span("refused").start().end();
    let _ = logger.flush_blocking(LIMIT);
    for kind in ["all", "failed"] {
        let files: Vec<_> = std::fs::read_dir(folder.join(kind)).unwrap().map(Result::unwrap).collect();
        let [file] = &files[..] else { panic!("one file in {kind}: {files:?}") };
        let name = file.file_name().into_string().unwrap();
        assert!(name.starts_with("payload_") && name.ends_with(".json"), "{name}");
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("\"refused\"") && text.ends_with("\"api_version\": 2}") && !text.contains(KEY), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir_all(folder.path().join("below")).unwrap();
    folder
}
