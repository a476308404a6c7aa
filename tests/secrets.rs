//! The API key goes into the `Authorization` header, and nowhere else: not into `Debug` texts, messages, errors, rows, or any
//! file that the library writes.

mod backend;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use backend::Backend;
use braintrust::{Attachment, Event, Logger, SpanType, Verbosity, traced};
use braintrust_test_backend::{Endpoint, Fault, Trouble};

/// In three parts, so that this file does not hold what is looked for.
fn key() -> String {
    ["sk-", "q8Zr2Vn5Lx", "7Tb4Wd9Kc1"].concat()
}

const APP_URL: &str = "BRAINTRUST_TEST_SECRETS_APP_URL";
/// The key, if the program gives it to the builder.
const GIVEN: &str = "BRAINTRUST_TEST_SECRETS_GIVEN";
const FOLDER: &str = "BRAINTRUST_TEST_SECRETS_FOLDER";

#[traced]
fn work(number: u32) -> u32 {
    number + 1
}

/// A program that shows everything it can get hold of, and lets the library write every file that it can.
fn program(app_url: &str, folder: &Path) {
    let builder = Logger::builder()
        .project("p")
        .app_url(app_url)
        .spool_dir(folder.join("spool"))
        .failed_payloads_dir(folder.join("failed"))
        .all_payloads_dir(folder.join("all"))
        .durable(true)
        .num_retries(0)
        .verbosity(Verbosity::Debug);
    println!("{builder:?}");
    let builder = match std::env::var(GIVEN) {
        Ok(given) => builder.api_key(given),
        Err(_) => builder,
    };
    println!("{builder:?}");
    let logger = builder.build().unwrap();
    logger.install();
    work(1);
    let image = serde_json::json!([{"image_url": {"url": format!("data:image/png;base64,{}", "aGVsbG8g".repeat(9))}}]);
    logger.start_span("chat").kind(SpanType::Llm).input(&image).start().end();
    logger.log(Event::new().input(Attachment::from_bytes(&b"data"[..])));
    let flushed = logger.flush_blocking(Duration::from_secs(2));
    println!("{logger:?} {flushed:?} {:?}", logger.stats());
    if let Err(error) = flushed {
        println!("{error} {error:?} {:?}", std::error::Error::source(&error));
    }
}

fn run(test: &str, backend: &Backend, folder: &Path, key_variable: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(APP_URL, backend.url())
        .env(FOLDER, folder)
        .env_remove("BRAINTRUST_API_KEY")
        .env(key_variable, key())
        .output()
        .unwrap()
}

/// Every file under `folder`, with its content.
fn files(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(content) = fs::read(&path) {
            found.insert(path, content);
        }
    }
}

fn mentions(text: &[u8]) -> bool {
    let key = key();
    // A part of the key, or the key in another spelling, is as good as the whole.
    [&key[..], &key[5..15], &key.to_uppercase()].iter().any(|part| {
        let part = part.as_bytes();
        text.windows(part.len()).any(|window| window == part)
    })
}

#[test]
fn the_key_is_in_no_text_and_no_file() {
    let name = "the_key_is_in_no_text_and_no_file";
    if let (Some(url), Some(folder)) = (std::env::var_os(APP_URL), std::env::var_os(FOLDER)) {
        return program(&OsString::into_string(url).unwrap(), Path::new(&folder));
    }
    assert!(mentions(format!("Bearer {}", key()).as_bytes()), "it would be found");
    let faults: [(&str, Option<Fault>); 5] = [
        ("well", None),
        ("down", Some(Fault::Down)),
        ("login", Some(Fault::At(Endpoint::Login, Trouble::Status(401)))),
        ("rows", Some(Fault::At(Endpoint::Rows, Trouble::Status(400)))),
        ("html", Some(Fault::At(Endpoint::Any, Trouble::Html))),
    ];
    std::thread::scope(|scope| {
        for (what, fault) in faults {
            for variable in ["BRAINTRUST_API_KEY", GIVEN] {
                let fault = fault.clone();
                scope.spawn(move || look_through(name, &format!("{what}-{variable}"), fault, variable));
            }
        }
    });
}

/// Runs the program once, and looks for the key wherever it may have left it.
fn look_through(test: &str, what: &str, fault: Option<Fault>, variable: &str) {
    let backend = Backend::start();
    if let Some(fault) = fault {
        backend.fail(fault);
    }
    let folder = tempfile::tempdir().unwrap();
    let output = run(test, &backend, folder.path(), variable);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {out}{err}");
    assert!(out.contains("Logger { project: \"p\""), "{what}: everything was printed: {out}");
    assert!(!mentions(&output.stdout), "{what}: {out}");
    assert!(!mentions(&output.stderr), "{what}: {err}");
    let mut written = BTreeMap::new();
    files(folder.path(), &mut written);
    for (path, content) in &written {
        assert!(!mentions(content), "{what}: {}", path.display());
        assert!(!mentions(path.as_os_str().as_encoded_bytes()), "{what}: {}", path.display());
    }
    for request in backend.requests() {
        assert!(!mentions(&request.body) && !mentions(request.path.as_bytes()), "{what}: {request:?}");
        let with_key = request.headers.values().filter(|value| mentions(value.as_bytes())).count();
        assert_eq!(with_key, usize::from(!request.path.starts_with("/upload/")), "{what}: {}", request.path);
    }
}
