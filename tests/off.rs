//! Without a logger a traced program does nothing more than an untraced one: nothing is serialised, no thread started.

use braintrust::{Event, current_span, llm, start_span, traced};
use serde::{Serialize, Serializer};

/// Fails the test when anyone looks at it.
#[derive(Debug)]
struct Untouchable;

impl Serialize for Untouchable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("serialised although nothing listens");
    }
}

#[traced("name {value:?}", metadata(value = value))]
fn sync(value: Untouchable) -> Untouchable {
    value
}

#[traced]
async fn asynchronous(value: Untouchable) -> Result<Untouchable, Untouchable> {
    Ok(value)
}

/// The one test of this binary: another one that made a logger would switch tracing on for both.
#[test]
fn off_is_off() {
    sync(Untouchable);
    futures::executor::block_on(asynchronous(Untouchable)).unwrap();
    let span = start_span("by hand").input(&Untouchable).start();
    span.log(Event::new().output(&Untouchable).metadata("value", Untouchable));
    span.set_attribute("value", Untouchable);
    let call = llm("acme").request(&Untouchable);
    assert!(call.span().is_noop());
    futures::executor::block_on(call.run(async { Ok::<_, String>(Untouchable) })).unwrap();
    let items = futures::stream::iter([Ok::<_, String>(Untouchable)]);
    assert_eq!(futures::executor::block_on_stream(llm("acme").request(&Untouchable).stream(items)).count(), 1);
    assert!(span.is_noop() && current_span().is_noop());
    assert_eq!((span.id(), span.span_id(), span.root_span_id()), Default::default());

    #[cfg(target_os = "linux")]
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let name = std::fs::read_to_string(thread.unwrap().path().join("comm")).unwrap();
        assert!(!name.starts_with("braintrust"), "a thread was started: {name}");
    }
}
