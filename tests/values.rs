//! What the public types can do besides: copies, names, defaults, and which error is which.

use std::time::Duration;

use braintrust::testing::memory_logger;
use braintrust::{Event, Feedback, FeedbackSource, JsonAttachment, Span, SpanType};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn what_was_described_can_be_copied_and_changed_further() {
    let (logger, rows) = memory_logger();
    let common = Event::new().input("question").tag("common");
    logger.log(common.clone().output("first"));
    logger.log(common.output("second").tag("more"));
    let call = logger.start_span("call").kind(SpanType::Llm).input(1);
    call.clone().start().end();
    call.event(Event::new().output(2)).start().end();
    let feedback = Feedback::new().comment("nice");
    logger.log_feedback("row-1", feedback.clone().score("rating", 0.5)).unwrap();
    logger.log_feedback("row-2", feedback).unwrap();
    logger.flush_blocking(LIMIT).unwrap();

    let roots = rows.traces();
    let fields = |name: &str| -> Vec<_> {
        let spans = roots.find_all(name);
        spans.iter().map(|span| json!([span.input(), span.output(), span.tags()])).collect()
    };
    let expected = [json!(["question", "first", ["common"]]), json!(["question", "second", ["common", "more"]])];
    assert_eq!(fields("root"), expected);
    assert_eq!(fields("call"), [json!([1, null, []]), json!([1, 2, []])]);
    assert_eq!(rows.rows().iter().filter(|row| row["comment"]["text"] == "nice").count(), 2);
    assert_eq!(rows.rows().iter().filter(|row| row["scores"]["rating"] == 0.5).count(), 1);
}

#[derive(Serialize)]
struct Model {
    model: &'static str,
}

struct Unwilling;

impl Serialize for Unwilling {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

#[test]
fn values_are_given_as_they_are_or_by_reference() {
    let (logger, rows) = memory_logger();
    let list = vec![1, 2];
    let (slice, text): (&[i32], &str) = (&list, "x");
    let model = Model { model: "m" };
    logger.log(Event::new().input(slice).output(&list).expected(text).metadata_from(&model));
    logger.log(Event::new().input(&list).output(list.clone()).expected("x".to_owned()).metadata_from(model));
    let file = JsonAttachment::new(list);
    logger.start_span("large").input(file).event(Event::new().output(42)).start().end();
    logger.log(Event::new().input(&Unwilling).output(Unwilling));
    logger.flush_blocking(LIMIT).unwrap();

    let rows = rows.rows();
    for row in &rows[..2] {
        let fields = json!([row["input"], row["output"], row["expected"], row["metadata"]]);
        assert_eq!(fields, json!([[1, 2], [1, 2], "x", {"model": "m"}]));
    }
    assert_eq!((&rows[2]["output"], &rows[2]["input"]["content_type"]), (&json!(42), &json!("application/json")));
    let note = "<values::Unwilling could not be serialized: no>";
    assert_eq!((&rows[3]["input"], &rows[3]["output"]), (&json!(note), &json!(note)), "the type is named as it is");
}

struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("not here")
    }
}

#[test]
fn feedback_takes_what_an_event_takes() {
    let (logger, rows) = memory_logger();
    let feedback = Feedback::new().scores([("kind", 1.0), ("short", 0.25)]).tags(["good", "seen"]);
    let feedback = feedback.metadata("user", 7).metadata("how", Unwilling).metadata("why", Panicking);
    logger.log_feedback("row", feedback).unwrap();
    logger.start_span("step").input(1).metadata("attempt", 2).start().end();
    logger.flush_blocking(LIMIT).unwrap();

    let rows = rows.rows();
    let row = rows.iter().find(|row| row["id"] == "row").unwrap();
    assert_eq!(row["scores"], json!({"kind": 1.0, "short": 0.25}));
    assert_eq!(row["tags"], json!(["good", "seen"]));
    let notes = [
        "<values::Unwilling could not be serialized: no>",
        "<values::Panicking could not be serialized: it panicked: not here>",
    ];
    assert_eq!(row["_audit_metadata"], json!({"user": 7, "how": notes[0], "why": notes[1]}));
    let step = rows.iter().find(|row| row["span_attributes"]["name"] == "step").unwrap();
    assert_eq!((&step["input"], &step["metadata"]), (&json!(1), &json!({"attempt": 2})));
}

#[test]
fn names_on_the_wire_are_read_as_they_are_written() {
    for kind in SpanType::ALL {
        assert_eq!(kind.to_string().parse::<SpanType>().unwrap(), *kind);
    }
    let error = "lllm".parse::<SpanType>().unwrap_err();
    assert!(error.is_argument() && error.to_string().contains("llm, score"), "{error}");
    let sources = [FeedbackSource::App, FeedbackSource::Api, FeedbackSource::External];
    assert_eq!(sources.map(|source| source.to_string()), ["app", "api", "external"]);
}

#[test]
fn errors_tell_what_kind_they_are() {
    let missing = braintrust::local::read("no/such/folder").unwrap_err();
    assert!(missing.is_io() && !missing.is_argument() && std::error::Error::source(&missing).is_some(), "{missing}");
    let (logger, _) = memory_logger();
    let nothing = logger.log_feedback("row", Feedback::new()).unwrap_err();
    assert!(nothing.is_argument() && !nothing.is_io(), "{nothing}");
}

/// So that a span can be a field of what is made by `Default`, and be taken out of it.
#[test]
fn the_default_span_is_a_no_op() {
    assert!(Span::default().is_noop());
}

#[test]
fn metrics_are_numbers_that_json_has() {
    let (logger, rows) = memory_logger();
    let usage: Option<u32> = Some(31);
    let event = Event::new().metric("known", usage).metric("unknown", None::<u64>).metric("ms", 12_u128);
    let event = event.metric("huge", u128::MAX).metric("tiny", i128::MIN).metric("below", -3_i128);
    logger.log(event.metrics([("none", None), ("some", Some(0.5))]).metric("nan", Some(f64::NAN)));
    logger.flush_blocking(LIMIT).unwrap();

    let mut metrics = rows.rows()[0]["metrics"].clone();
    metrics.as_object_mut().unwrap().retain(|name, _| !["start", "end"].contains(&name.as_str()));
    assert_eq!(metrics, json!({"known": 31, "ms": 12, "below": -3, "some": 0.5}));
}

/// What a program may do with a public type: keep it in a state that threads and tasks share, print it, and hold it where
/// a panic is caught.
#[test]
fn public_types_go_anywhere() {
    use std::fmt::Debug;
    use std::panic::{RefUnwindSafe, UnwindSafe};

    use braintrust::{import, llm, testing};

    fn is_shared<T: Debug + Send + Sync + Unpin>() {}
    fn goes_anywhere<T: Debug + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}
    // With errors and closures of others in them, of which nothing is known.
    is_shared::<braintrust::Error>();
    is_shared::<braintrust::LoggerBuilder>();
    macro_rules! go_anywhere { ($($public:ty),* $(,)?) => { $(goes_anywhere::<$public>();)* } }
    go_anywhere!(
        braintrust::Attachment,
        braintrust::AttachmentCounts,
        braintrust::ExternalAttachment,
        braintrust::FlushReport,
        braintrust::Logger,
        braintrust::LossReason,
        braintrust::Losses,
        braintrust::MaskedField,
        braintrust::Parent,
        braintrust::Secret<String>,
        braintrust::SpanBuilder,
        braintrust::Stats,
        braintrust::TracedSpan<'static>,
        braintrust::Traces,
        braintrust::Tree<'static>,
        braintrust::Verbosity,
        braintrust::WhenFull,
        braintrust::InSpan<std::future::Ready<()>>,
        braintrust::InContext<std::future::Ready<()>>,
        import::ImportReport,
        import::Problem,
        llm::CallOptions,
        llm::Endpoint,
        llm::Llm,
        llm::LlmCall,
        llm::ModelCall,
        llm::WireApi,
        testing::MemoryRows,
        Event,
        Feedback,
        FeedbackSource,
        JsonAttachment,
        Span,
        SpanType,
    );
}

/// JSON text goes into a row as it is; not so if nobody could read the row then.
#[test]
fn json_text_that_no_parser_reads_is_a_string() {
    let (logger, rows) = memory_logger();
    let texts = [format!("{}{}", "[".repeat(500), "]".repeat(500)), r#"["\ud800"]"#.to_owned(), "[1e999]".to_owned()];
    for text in texts.iter().cloned() {
        let raw = RawValue::from_string(text).unwrap();
        logger.log(Event::new().input(json!({})).output([&raw]));
    }
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().lost.total(), 0);
    let outputs: Vec<_> = rows.rows().into_iter().map(|row| row["output"].clone()).collect();
    assert_eq!(outputs, texts.map(|text| json!([text])));
}
