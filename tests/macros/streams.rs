//! ST: functions that return a stream.

use std::pin::Pin;

use braintrust::testing::capture_blocking;
use braintrust::traced;
use futures::executor::block_on;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use serde_json::json;

#[traced]
fn child(n: u8) -> u8 {
    n
}

#[traced]
fn numbers(n: u8) -> impl Stream<Item = u8> {
    stream::iter(0..n).map(child)
}

#[test]
fn st_01_items_are_the_output() {
    let traces = capture_blocking(|| block_on(numbers(3).collect::<Vec<_>>()));
    let span = traces.find("numbers");
    assert_eq!(span.input(), Some(&json!({"n": 3})));
    assert_eq!(span.output(), Some(&json!([0, 1, 2])));
    assert_eq!(span.error(), None);
    assert!(span.metric("time_to_first_token").unwrap() >= 0.0);
}

#[test]
fn st_02_an_early_drop_keeps_what_came() {
    let traces = capture_blocking(|| block_on(numbers(3).next()));
    let span = traces.find("numbers");
    assert_eq!(span.output(), Some(&json!([0])));
    assert_eq!(span.error().unwrap(), "cancelled: the stream was dropped before it ended");
    assert_eq!(span.metadata().unwrap()["outcome"], json!("cancelled"));
    assert!(span.is_finished());
}

#[test]
fn st_03_the_span_is_current_in_the_stream() {
    let traces = capture_blocking(|| block_on(numbers(2).collect::<Vec<_>>()));
    assert_eq!(traces.find("numbers").children().len(), 2);
}

#[test]
fn st_05_long_streams_are_cut() {
    #[traced]
    fn long() -> impl Stream<Item = u16> {
        stream::iter(0..1_234)
    }
    let traces = capture_blocking(|| block_on(long().collect::<Vec<_>>()));
    let span = traces.find("long");
    let items = span.output().unwrap().as_array().unwrap();
    assert_eq!(items.len(), 1_001);
    assert_eq!(items[999], json!(999));
    assert_eq!(items[1_000], json!("<234 more left out>"));
    assert_eq!(span.metadata().unwrap()["stream"], json!({"items": 1_234, "truncated": true}));
}

#[test]
fn st_06_boxed_streams_are_seen() {
    #[traced]
    fn spelt() -> Pin<Box<dyn Stream<Item = u8> + Send>> {
        Box::pin(stream::iter([1, 2]))
    }
    #[traced]
    fn alias<'a>() -> BoxStream<'a, u8> {
        Box::pin(stream::iter([3]))
    }
    let traces = capture_blocking(|| {
        block_on(spelt().collect::<Vec<_>>());
        block_on(alias().collect::<Vec<_>>())
    });
    assert_eq!(traces.find("spelt").output(), Some(&json!([1, 2])));
    assert_eq!(traces.find("alias").output(), Some(&json!([3])));
}

#[test]
fn st_07_error_items_set_the_error() {
    #[traced]
    fn failing() -> impl Stream<Item = Result<u8, String>> {
        stream::iter([Ok(1), Err("broke".to_owned()), Ok(2)])
    }
    let traces = capture_blocking(|| block_on(failing().collect::<Vec<_>>()));
    let span = traces.find("failing");
    assert_eq!(span.output(), Some(&json!([1, {"error": "broke"}, 2])));
    assert_eq!(span.error().as_deref(), Some("broke"));
}

#[test]
fn aggregates_take_the_place_of_the_items() {
    #[derive(Clone)]
    struct Chunk(&'static str);
    #[traced(stream, aggregate = |chunks| chunks.iter().map(|chunk| chunk.0).collect::<String>())]
    fn answer() -> impl Stream<Item = Result<Chunk, std::io::Error>> {
        stream::iter([Ok(Chunk("he")), Ok(Chunk("llo"))])
    }
    #[traced(stream, aggregate = <[u8]>::len)]
    fn boxed() -> BoxStream<'static, u8> {
        Box::pin(stream::iter([1, 2]))
    }
    let traces = capture_blocking(|| {
        block_on(answer().collect::<Vec<_>>());
        block_on(boxed().collect::<Vec<_>>())
    });
    assert_eq!(traces.find("answer").output(), Some(&json!("hello")));
    assert_eq!(traces.find("boxed").output(), Some(&json!(2)));
}

#[test]
fn items_may_be_mapped_or_left_out() {
    #[traced(output = |n| n * 2)]
    fn doubled() -> impl Stream<Item = u8> {
        stream::iter([1, 2])
    }
    #[traced(no_output)]
    fn silent() -> impl Stream<Item = u8> {
        stream::iter([1, 2])
    }
    let traces = capture_blocking(|| {
        block_on(doubled().collect::<Vec<_>>());
        block_on(silent().collect::<Vec<_>>())
    });
    assert_eq!(traces.find("doubled").output(), Some(&json!([2, 4])));
    assert_eq!(traces.find("silent").output(), None);
}

#[test]
fn what_a_stream_yields_may_be_said_by_the_signature_alone() {
    #[traced]
    fn results(n: u8) -> impl Stream<Item = Result<u8, String>> {
        stream::unfold(0, move |at| async move { (at < n).then_some((Ok(at), at + 1)) })
    }
    #[traced]
    fn nothing() -> impl Stream<Item = Option<u8>> + Send {
        stream::empty()
    }
    #[traced(stream, aggregate = |numbers| numbers.len())]
    fn counted() -> impl Stream<Item = Result<u8, std::io::Error>> {
        stream::iter([Ok(1), Ok(2)])
    }
    let traces = capture_blocking(|| {
        assert_eq!(block_on(results(2).collect::<Vec<_>>()), [Ok(0), Ok(1)]);
        assert_eq!(block_on(nothing().count()), 0);
        assert_eq!(block_on(counted().count()), 2);
    });
    assert_eq!(traces.find("results").output(), Some(&json!([0, 1])));
    assert!(traces.find("nothing").is_finished());
    assert_eq!(traces.find("counted").output(), Some(&json!(2)));
}

#[test]
fn fused_streams_stay_fused() {
    use futures::stream::FusedStream;

    #[traced]
    fn f() -> impl FusedStream<Item = u8> + Send {
        stream::iter([1]).fuse()
    }
    let traces = capture_blocking(|| {
        block_on(async {
            let mut stream = std::pin::pin!(f());
            assert_eq!(stream.next().await, Some(1));
            assert_eq!((stream.is_terminated(), stream.next().await, stream.is_terminated()), (false, None, true));
        });
    });
    assert_eq!(traces.find("f").output(), Some(&json!([1])));
}
