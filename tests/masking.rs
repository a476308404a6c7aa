//! Hiding parts of rows: nothing that a logger is told to hide leaves the process, by whatever way a row comes about.

mod backend;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use backend::{Backend, KEY};
use braintrust::{Event, Feedback, Logger, LoggerBuilder, MaskedField, local, start_span, traced};
use serde_json::{Map, Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const SECRET: &str = "sk-proj-Ab3dEf6hIj9kLm2nOp5q";

type Row = Map<String, Value>;

fn builder(backend: &Backend) -> LoggerBuilder {
    backend.builder("my-project")
}

/// The rows that a scenario sends, and everything else that went over the wire.
fn sent(mask: impl FnOnce(LoggerBuilder) -> LoggerBuilder, scenario: impl FnOnce(&Logger)) -> (Vec<Row>, String) {
    let backend = Backend::start();
    let logger = mask(builder(&backend)).build().unwrap();
    logger.in_scope(|| scenario(&logger));
    logger.flush_blocking(LIMIT).unwrap();
    let wire = backend.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    (backend.rows(), wire)
}

#[derive(Debug, serde::Serialize)]
struct Connection {
    url: String,
    password: String,
}

#[traced]
fn connect(connection: &Connection, key: &str) -> Result<(), std::io::Error> {
    Err(std::io::Error::other(format!("{} refused {key}", connection.url)))
}

/// A key, a password and a URL on every way into a row.
fn careless_program(logger: &Logger) {
    let connection = Connection { url: "postgres://ada:hunter2@db/x".into(), password: "hunter2".into() };
    connect(&connection, SECRET).unwrap_err();
    let span = start_span("later").start();
    let row_id = span.id();
    logger.flush_blocking(LIMIT).unwrap();
    span.log(Event::new().output(&connection).metadata("header", format!("Bearer {SECRET}")));
    span.end();
    logger.flush_blocking(LIMIT).unwrap();
    logger.update_span(&row_id, Event::new().expected(format!("{connection:?}"))).unwrap();
    logger.log_feedback(&row_id, Feedback::new().expected(&connection).comment(format!("leaks {SECRET}"))).unwrap();
    logger.log(Event::new().input(KEY).error(SECRET).tag(SECRET));
}

#[test]
fn built_in_masks_leave_no_secret_in_any_row() {
    let (rows, wire) = sent(LoggerBuilder::mask_secrets, careless_program);
    assert!(rows.len() >= 6, "{rows:?}");
    for secret in [SECRET, "hunter2", KEY] {
        assert!(!wire.contains(secret), "{secret} in {wire}");
    }
    let (_, unmasked) = sent(|builder| builder, careless_program);
    for secret in [SECRET, "hunter2", KEY] {
        assert!(unmasked.contains(secret), "the program has {secret}");
    }
    let call = rows.iter().find(|row| row["span_attributes"]["name"] == "connect").unwrap();
    assert_eq!(call["input"]["connection"], json!({"url": "postgres://ada:[REDACTED]@db/x", "password": "[REDACTED]"}));
    assert_eq!(call["error"], "postgres://ada:[REDACTED]@db/x refused [REDACTED]");
}

#[test]
fn the_local_folder_holds_what_may_be_seen_only() {
    let folder = tempfile::tempdir().unwrap();
    let logger = Logger::builder()
        .project("p")
        .local_folder(folder.path())
        .mask_secrets()
        .mask_fields(["name"])
        .build()
        .unwrap();
    logger.log(Event::new().input(json!({"name": "Ada", "key": SECRET})));
    logger.flush_blocking(LIMIT).unwrap();
    let traces = local::read(folder.path()).unwrap();
    assert_eq!(*traces.find("root").input().unwrap(), json!({"key": "[REDACTED]", "name": "[REDACTED]"}));
}

#[test]
fn a_mask_belongs_to_its_logger() {
    let backend = Backend::start();
    let masked = builder(&backend).mask(|_, value| *value = json!({})).build().unwrap();
    let open = builder(&backend).build().unwrap();
    masked.log(Event::new().input("hidden"));
    open.log(Event::new().input("seen"));
    for logger in [&masked, &open] {
        logger.flush_blocking(LIMIT).unwrap();
    }
    let mut inputs: Vec<_> = backend.rows().iter().map(|row| row["input"].to_string()).collect();
    inputs.sort();
    assert_eq!(inputs, ["\"seen\"", "{}"]);
}

/// The same program as in the official SDKs' captures: a mask that knows one word.
fn as_in_the_captures(logger: &Logger) {
    let span = logger.start_span("secret-name").input(json!({"a": "secret"})).start();
    span.log(Event::new().output("my secret").expected("secret").metadata("k", "secret").tag("secret"));
    span.log(Event::new().score("secret", 1.0).metric("secret", 2).error("secret err"));
    span.end();
    logger.flush_blocking(LIMIT).unwrap();
    let feedback = Feedback::new().expected("secret").comment("secret comment").metadata("z", "secret");
    logger.log_feedback("x", feedback).unwrap();
}

fn hide_word(_: MaskedField, value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("secret", "***"),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_word(MaskedField::Input, item)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| hide_word(MaskedField::Input, entry)),
        _ => {}
    }
}

#[test]
fn a_mask_of_ones_own_does_what_it_does_in_the_other_sdks() {
    let (rows, _) = sent(|builder| builder.mask(hide_word), as_in_the_captures);
    let [span, feedback, comment] = rows.try_into().unwrap();
    assert_eq!((&span["input"], &span["output"]), (&json!({"a": "***"}), &json!("my ***")));
    assert_eq!((&span["expected"], &span["metadata"]), (&json!("***"), &json!({"k": "***"})));
    assert_eq!((&span["error"], &span["tags"]), (&json!("secret err"), &json!(["secret"])));
    assert_eq!((&span["scores"]["secret"], &span["metrics"]["secret"]), (&json!(1.0), &json!(2)));
    assert_eq!(span["span_attributes"]["name"], "secret-name");
    let (feedback, comment) = if feedback.contains_key("expected") { (feedback, comment) } else { (comment, feedback) };
    assert_eq!((&feedback["expected"], &feedback["_audit_metadata"]), (&json!("***"), &json!({"z": "secret"})));
    assert_eq!(comment["comment"], json!({"text": "secret comment"}));
}

/// Where the captures are at hand: every masked field of ours is what both official SDKs send.
#[test]
fn masked_rows_agree_with_the_captures() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/captures");
    if !captures.is_dir() {
        eprintln!("skipped: no captures of the official SDKs here");
        return;
    }
    let (rows, _) = sent(|builder| builder.mask(hide_word), as_in_the_captures);
    for sdk in ["py", "js"] {
        let theirs = first_row(&captures.join(sdk).join("masking.json"));
        for field in ["input", "output", "expected", "metadata", "scores", "error", "tags"] {
            let same = rows[0][field] == theirs[field] || field == "scores" && rows[0][field]["secret"] == 1.0;
            assert!(same, "{sdk}: {field}: {} and {}", rows[0][field], theirs[field]);
        }
    }
    let failing = |logger: &Logger| {
        let event = Event::new().input("i").output("o").expected("e").metadata("a", 1).score("s", 1.0).tag("t");
        logger.log(event);
    };
    let (rows, _) = sent(|builder| builder.mask(|_, _| panic!("MyErr")), failing);
    for sdk in ["py", "js"] {
        let theirs = first_row(&captures.join(sdk).join("masking_throws.json"));
        for field in ["input", "output", "expected", "metadata", "context", "tags", "scores", "metrics"] {
            let theirs = theirs.get(field).map(|value| value.to_string().replace("- MyErr", "- panic"));
            assert_eq!(rows[0].get(field).map(Value::to_string), theirs, "{sdk}: {field}");
        }
        let parts = |error: &str| {
            let mut parts: Vec<_> = error.replace("- MyErr", "- panic").split("; ").map(str::to_owned).collect();
            parts.sort();
            parts
        };
        assert_eq!(parts(rows[0]["error"].as_str().unwrap()), parts(theirs["error"].as_str().unwrap()), "{sdk}");
    }
}

fn first_row(file: &Path) -> Row {
    let capture: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut requests = capture["requests"].as_array().unwrap().iter();
    let request = requests.find(|request| request["path"] == "/logs3").unwrap();
    request["body_json"]["rows"][0].as_object().unwrap().clone()
}

/// What a panic in a mask says is shown nowhere, neither in rows nor on stderr: it may quote what was to be hidden.
#[test]
fn the_message_of_a_panic_in_a_mask_is_shown_nowhere() {
    const CHILD: &str = "BRAINTRUST_TEST_MASK_PANICS";
    if std::env::var_os(CHILD).is_some() {
        let (rows, wire) = sent(
            |builder| builder.mask(|field, value| assert_ne!(field.as_str(), "input", "found {value}")),
            |logger| {
                logger.log(Event::new().input("my ssn is 123-45-6789"));
                logger.log(Event::new().input("my ssn is 123-45-6789"));
            },
        );
        assert!(!wire.contains("123-45-6789"), "{wire}");
        assert!(rows.iter().all(|row| row["input"] == "ERROR: Failed to mask field 'input' - panic"), "{rows:?}");
        let panic_of_the_program = std::panic::catch_unwind(|| panic!("the program's own"));
        assert!(panic_of_the_program.is_err());
        return;
    }
    let name = "the_message_of_a_panic_in_a_mask_is_shown_nowhere";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
    assert!(!said.contains("123-45-6789"), "{said}");
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("given to `mask`")).collect();
    assert_eq!(warnings.len(), 1, "said once: {said}");
    assert!(warnings[0].contains("field `input`") && warnings[0].contains("masking.rs:"), "{said}");
    assert!(said.contains("the program's own"), "other panics are shown as ever: {said}");
}

#[test]
fn a_mask_that_is_traced_itself_does_not_feed_itself() {
    #[traced]
    fn shorten(text: &mut String) {
        text.truncate(1);
    }
    let shorten_text = |_, value: &mut Value| {
        if let Value::String(text) = value {
            shorten(text);
        }
    };
    let backend = Backend::start();
    let logger = builder(&backend).mask(shorten_text).build().unwrap();
    logger.install();
    logger.log(Event::new().output("long"));
    logger.flush_blocking(LIMIT).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    let rows = backend.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["output"], "l");
}
