//! How rows become spans, and spans trees.

use insta::assert_snapshot;
use serde_json::json;

use super::{Traces, row, tree, with};

#[test]
fn children_are_under_their_parents_in_the_order_in_which_they_started() {
    let rows = [
        row("second", 3.0, &["root"]),
        row("leaf", 2.5, &["first"]),
        row("first", 2.0, &["root"]),
        row("root", 1.0, &[]),
        row("last", 4.0, &["root"]),
    ];
    assert_snapshot!(tree(rows), @r"
    root
    ├─ first
    │  ╰─ leaf
    ├─ second
    ╰─ last
    ");
}

#[test]
fn spans_that_started_together_are_in_the_order_of_their_counters() {
    let counted = |name: &str, counter| {
        let attributes = json!({"span_attributes": {"name": name, "exec_counter": counter}});
        with(row(name, 2.0, &["root"]), attributes)
    };
    let rows = [counted("tenth", 10), counted("second", 2), counted("first", 1), row("root", 1.0, &[])];
    assert_snapshot!(tree(rows), @r"
    root
    ├─ first
    ├─ second
    ╰─ tenth
    ");
}

#[test]
fn a_span_whose_parent_is_missing_is_a_root() {
    let rows = [row("root", 1.0, &[]), row("orphan", 2.0, &["lost"]), row("child", 3.0, &["orphan"])];
    assert_snapshot!(tree(rows), @r"
    root
    orphan
    ╰─ child
    ");
}

#[test]
fn a_span_of_another_trace_is_no_parent() {
    let stranger = with(row("root", 1.0, &[]), json!({"id": "other", "root_span_id": "another trace"}));
    assert_snapshot!(tree([stranger, row("child", 2.0, &["root"])]), @r"
    root
    child
    ");
}

#[test]
fn a_ring_of_parents_is_opened_at_the_span_that_started_first() {
    let rows = [row("c", 3.0, &["b"]), row("b", 2.0, &["a"]), row("a", 1.0, &["c"]), row("outside", 0.5, &["c"])];
    assert_snapshot!(tree(rows), @r"
    a
    ╰─ b
       ╰─ c
          ╰─ outside
    ");
}

#[test]
fn a_span_that_is_its_own_parent_is_a_root() {
    assert_snapshot!(tree([row("self", 1.0, &["self"])]), @"self");
}

#[test]
fn of_several_parents_the_first_that_is_there_counts() {
    let rows = [row("a", 1.0, &[]), row("b", 2.0, &[]), row("merge", 3.0, &["lost", "b", "a"])];
    assert_snapshot!(tree(rows), @r"
    a
    b
    ╰─ merge
    ");
}

#[test]
fn a_span_id_used_twice_makes_two_spans_with_one_of_them_as_the_parent() {
    let twin = with(row("root", 1.5, &[]), json!({"id": "twin"}));
    assert_snapshot!(tree([row("root", 1.0, &[]), twin, row("child", 2.0, &["root"])]), @r"
    root
    ╰─ child
    root
    ");
}

#[test]
fn later_rows_are_merged_into_the_first() {
    let first = json!({
        "id": "1", "span_id": "a", "root_span_id": "t", "span_attributes": {"name": "a", "type": "llm"},
        "metrics": {"start": 1.0}, "tags": ["x"], "_is_merge": false,
    });
    let later = json!({
        "id": "1", "span_id": "a", "root_span_id": "t", "span_attributes": {"name": "renamed"},
        "metrics": {"end": 2.0}, "output": [1], "tags": ["y", "x"], "_is_merge": true,
    });
    let traces = Traces::from_rows([first, later]);

    assert_eq!(traces.len(), 1);
    assert_snapshot!(traces.tree().durations(true), @"renamed(llm) 1.0s out=[1]");
    assert_eq!(traces.find("renamed").tags(), ["x", "y"]);
}

#[test]
fn a_row_that_is_no_merge_takes_the_place_of_the_first() {
    let again = with(row("a", 2.0, &[]), json!({"output": 2}));
    assert_snapshot!(tree([with(row("a", 1.0, &[]), json!({"input": 1})), again]), @"a out=2");
}

#[test]
fn a_span_whose_first_row_is_gone_is_one_still_if_its_end_is_there() {
    let end = json!({"id": "1", "span_id": "a", "_is_merge": true, "metrics": {"end": 2.0}, "output": 1});
    let update = json!({"id": "2", "_is_merge": true, "output": 2});
    assert_snapshot!(tree([end, update]), @"(no name) out=1");
}

#[test]
fn a_comment_is_on_the_row_of_its_own_project() {
    let of_project = |project: &str, fields| with(with(row("a", 1.0, &[]), json!({"project_id": project})), fields);
    let comment = json!({"id": "c", "project_id": "q", "origin": {"id": "row-a"}, "comment": {"text": "nice"}});
    let odd = json!({"id": "d", "project_id": "q", "origin": {"id": "row-a"}, "comment": 7});
    assert_snapshot!(
        tree([comment, odd, of_project("p", json!({"input": 1})), of_project("q", json!({"input": 2}))]),
        @r#"
    a in=1
    a in=2 comment="nice"
    "#
    );
}

#[test]
fn rows_of_one_id_in_two_projects_are_two_spans() {
    let of_project = |project: &str| with(row("a", 1.0, &[]), json!({"project_id": project, "_is_merge": true}));
    assert_eq!(Traces::from_rows([of_project("p"), of_project("q"), of_project("p")]).len(), 2);
}

#[test]
fn a_chain_deeper_than_any_stack_is_printed() {
    let rows = (0..20_000).map(|depth: u32| {
        let parent = depth.checked_sub(1).map(|above| above.to_string());
        row(&depth.to_string(), depth.into(), &parent.as_deref().into_iter().collect::<Vec<_>>())
    });
    let traces = Traces::from_rows(rows);
    assert_eq!(traces.roots().len(), 1);
    // Two levels from the end suffice to walk: what lies above has been linked all the same.
    let above = traces.find("19998");
    assert_snapshot!(above.tree(), @r"
    19998
    ╰─ 19999
    ");
}

#[test]
fn what_is_no_row_is_counted() {
    let traces = Traces::from_rows([json!(1), json!(null), row("a", 1.0, &[])]);
    assert_eq!((traces.len(), traces.skipped_lines()), (1, 2));
}
