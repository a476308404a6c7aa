//! What a line says, and how.

use insta::assert_snapshot;
use serde_json::json;

use super::{Traces, row, tree, with};

#[test]
fn a_line_has_name_type_input_output_error_tokens_and_scores() {
    let answer = with(
        row("answer", 1.0, &[]),
        json!({
            "input": {"body": "hi"}, "output": "…", "error": "too \"long\"\nby far", "scores": {"style": 0.5, "fit": 1},
            "span_attributes": {"name": "answer", "type": "function"},
            "metrics": {"start": 1.0, "end": 2.0, "prompt_tokens": 12, "completion_tokens": 34.0, "tokens": 46},
        }),
    );
    assert_snapshot!(
        tree([answer]),
        @r#"answer(function) in={"body":"hi"} out="…" error="too \"long\"\nby far" tokens=12→34 scores={"fit":1,"style":0.5}"#
    );
}

#[test]
fn tokens_are_shown_as_far_as_they_are_known() {
    let with_metrics = |name: &str, metrics| with(row(name, 1.0, &[]), json!({"metrics": metrics}));
    let rows = [
        with_metrics("sum", json!({"start": 1, "end": 2, "tokens": 46})),
        with_metrics("prompt", json!({"start": 2, "end": 3, "prompt_tokens": 12})),
    ];
    assert_snapshot!(tree(rows), @r"
    sum tokens=46
    prompt tokens=12→?
    ");
}

#[test]
fn durations_have_the_unit_that_suits_them() {
    let lasting = |seconds: f64| {
        let name = format!("{seconds}");
        with(row(&name, 1.0, &[]), json!({"metrics": {"start": 1.0, "end": 1.0 + seconds}}))
    };
    let seconds = [0.000_04, 0.000_999_7, 0.0083, 0.012, 0.999_7, 1.24, 59.0, 59.97, 123.4];
    let traces = Traces::from_rows(seconds.map(lasting));
    assert_snapshot!(traces.tree().durations(true), @r"
    0.00004 40µs
    0.0009997 1.0ms
    0.0083 8.3ms
    0.012 12ms
    0.9997 1.0s
    1.24 1.2s
    59 59.0s
    59.97 1m00s
    123.4 2m03s
    ");
}

#[test]
fn a_span_that_has_not_ended_says_so() {
    let open = with(row("chat", 1.0, &[]), json!({"metrics": {"start": 1.0}, "input": "hi"}));
    assert_snapshot!(tree([open]), @r#"chat unfinished in="hi""#);
}

#[test]
fn values_are_cut_at_the_width() {
    let long = with(row("a", 1.0, &[]), json!({"input": "äöü".repeat(1000), "output": "äöü", "error": "e".repeat(99)}));
    let traces = Traces::from_rows([long]);
    assert_snapshot!(traces.tree().max_width(5), @r#"a in="äöü… out="äöü" error="eee…"#);
    assert_snapshot!(traces.tree().max_width(0), @"… in=… out=… error=…");
    let widest = traces.tree().to_string();
    let input = widest.split(" in=").nth(1).unwrap().split(" out=").next().unwrap();
    assert_eq!(input.chars().count(), 60);
}

#[test]
fn nothing_in_a_span_can_control_the_terminal() {
    let evil = "\u{1b}[2J\n\u{9b}x";
    let row = with(row("a", 1.0, &[]), json!({"input": evil, "span_attributes": {"name": evil, "type": evil}}));
    let text = tree([row]);
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

#[test]
fn a_span_without_a_name_still_has_a_line() {
    assert_snapshot!(tree([json!({"id": "1", "output": 1})]), @"(no name) unfinished out=1");
}

#[test]
fn the_text_is_the_same_with_colours_once_they_are_taken_out() {
    let llm = json!({
        "input": 1, "error": "e", "span_attributes": {"name": "chat", "type": "llm"},
        "metrics": {"start": 2.0, "end": 3.0, "tokens": 3},
    });
    let traces = Traces::from_rows([row("root", 1.0, &[]), with(row("chat", 2.0, &["root"]), llm)]);

    let colored = traces.tree().color(true).to_string();

    assert_snapshot!(
        colored.replace('\u{1b}', "␛"),
        @r#"
    ␛[1mroot␛[0m
    ␛[2m╰─ ␛[0m␛[1mchat␛[0m␛[35m(llm)␛[0m ␛[2min=␛[0m1 ␛[2merror=␛[0m␛[31m"e"␛[0m ␛[2mtokens=␛[0m3
    "#
    );
    let mut plain = colored;
    for code in ["0", "1", "2", "31", "35"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(plain, traces.tree().to_string());
}
