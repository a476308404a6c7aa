//! How much of a stream is shown is a setting. It is the process's, so this is the one test of its binary.

use braintrust::testing::capture_blocking;
use braintrust::{Logger, traced};
use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};

#[traced]
fn countdown(from: u8) -> impl Stream<Item = Result<u8, String>> {
    stream::iter((0..from).rev().map(|left| if left == 0 { Err("lift-off".to_owned()) } else { Ok(left) }))
}

/// The output of a stream of so many items, of which so many are shown; and what is said of the stream.
fn shown(limit: usize, items: u8) -> (Option<Value>, Option<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let _logger = Logger::builder().project("p").local_folder(folder.path()).max_generator_items(limit).build();
    let traces = capture_blocking(|| {
        let passed = block_on(countdown(items).count());
        assert_eq!(passed, usize::from(items), "the stream itself is never cut");
    });
    let span = traces.find("countdown");
    assert_eq!(span.error().as_deref(), Some("lift-off"), "an item that is not shown may still be an error");
    let stream = span.metadata().and_then(|metadata| metadata.get("stream"));
    (span.output().cloned(), stream.cloned())
}

#[test]
fn no_more_items_are_shown_than_the_setting_allows() {
    assert_eq!(shown(3, 3), (Some(json!([2, 1, {"error": "lift-off"}])), None));
    let truncated = Some(json!({"items": 5, "truncated": true}));
    assert_eq!(shown(3, 5), (Some(json!([4, 3, 2, "<2 more left out>"])), truncated));
    assert_eq!(shown(0, 5), (None, None), "none at all");
}
