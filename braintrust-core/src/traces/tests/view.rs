//! What a view of one span tells.

use std::time::Duration;

use serde_json::json;

use super::{Traces, row, with};

#[test]
fn a_span_tells_all_its_fields() {
    let full = with(
        row("a", 1.0, &[]),
        json!({
            "input": 1, "output": null, "expected": "x", "tags": ["t", "u"], "scores": {"ok": 0.5},
            "metadata": {"model": "m"}, "context": {"caller_lineno": 7}, "metrics": {"start": 1.0, "end": 1.25, "n": 3},
        }),
    );
    let traces = Traces::from_rows([full]);
    let span = traces.find("a");

    assert_eq!((span.id(), span.span_id(), span.root_span_id()), ("row-a", "a", "trace"));
    assert_eq!(span.kind(), None);
    assert_eq!(span.input(), Some(&json!(1)));
    assert_eq!(span.output(), Some(&json!(null)));
    assert_eq!(span.expected(), Some(&json!("x")));
    assert_eq!(span.tags(), ["t", "u"]);
    assert_eq!(span.scores().unwrap()["ok"], 0.5);
    assert_eq!(span.metadata().unwrap()["model"], "m");
    assert_eq!(span.context().unwrap()["caller_lineno"], 7);
    assert_eq!(span.metric("n"), Some(3.0));
    assert_eq!(span.duration(), Some(Duration::from_millis(250)));
    assert!(span.is_finished());
    assert!(span.error().is_none());
    assert_eq!(span.parent(), None);
}

#[test]
fn an_error_that_is_no_text_is_given_as_json() {
    let failed = |name: &str, error| with(row(name, 1.0, &[]), json!({"error": error}));
    let traces = Traces::from_rows([
        failed("text", json!("boom")),
        failed("object", json!({"code": 7})),
        failed("null", json!(null)),
    ]);
    let error_of = |name: &str| traces.find(name).error();

    assert_eq!(error_of("text").as_deref(), Some("boom"));
    assert_eq!(error_of("object").as_deref(), Some(r#"{"code":7}"#));
    assert_eq!(error_of("null"), None);
}

#[test]
fn parents_and_children_lead_to_each_other() {
    let traces = Traces::from_rows([row("a", 1.0, &[]), row("b", 2.0, &["a"]), row("b2", 3.0, &["a"])]);
    let (parent, child) = (traces.find("a"), traces.find("b"));

    assert_eq!(child.parent(), Some(parent));
    assert_eq!(parent.children(), [child, traces.find("b2")]);
    assert_eq!(traces.roots(), [parent]);
}

#[test]
fn spans_are_found_by_name() {
    let twin = with(row("a", 2.0, &[]), json!({"id": "twin"}));
    let traces = Traces::from_rows([twin, row("a", 1.0, &[])]);

    assert_eq!(traces.find("a").id(), "row-a");
    assert_eq!(traces.find_all("a").len(), 2);
    assert_eq!(traces.get("b"), None);
}

#[test]
#[should_panic(expected = "no span is named `c`; there are: `a` (2 times), `b`")]
fn a_name_that_is_not_there_panics_with_those_that_are() {
    let twin = with(row("a", 2.0, &[]), json!({"id": "twin"}));
    let _ = Traces::from_rows([row("a", 1.0, &[]), twin, row("b", 3.0, &[])]).find("c");
}

#[test]
#[should_panic(expected = "no span is named `c`; nothing was traced")]
fn a_name_in_no_spans_panics_with_that() {
    let _ = Traces::default().find("c");
}
