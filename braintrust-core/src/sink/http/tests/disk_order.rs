//! Rows of a span keep their order, whichever of them are on disk.

use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use super::*;

fn sink_in(dir: &TempDir, backend: &Backend, more: &[(&str, &str)]) -> TestSink {
    let dir = dir.path().to_str().expect("text");
    let variables: Vec<_> = more.iter().copied().chain([("BRAINTRUST_SPOOL_DIR", dir)]).collect();
    sink_with(target(&backend.url), &variables)
}

fn row(span: u64, id: u64, project: Option<&str>) -> RowBatch {
    let mut rows = RowBatch::default();
    let container = project.map(|name| Container::Project(ProjectRef::Name(name.to_owned())).encode());
    rows.push_with(span, container.as_deref(), |out| out.extend_from_slice(format!(r#"{{"id":{id}"#).as_bytes()));
    rows
}

/// A span's first row would replace what later rows have made of it.
#[tokio::test]
async fn a_row_that_has_arrived_is_not_sent_again_after_those_that_followed_it() {
    let (dir, mood) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(AtomicU16::new(200)));
    let status = Arc::clone(&mood);
    let backend = Backend::start(move |seen| {
        let is_away = seen.is("/logs3") && status.load(Ordering::Relaxed) != 200;
        let is_slow = seen.is("/api/project/register") && seen.json()["project_name"] == "slow";
        ready((is_away || is_slow).then(|| answer(503, "not now")).flatten())
    })
    .await;
    let variables = [("BRAINTRUST_NUM_RETRIES", "0")];
    let mut sink = sink_in(&dir, &backend, &variables);
    // On disk: a row that cannot leave for long, and behind it the first row of a span.
    sink.accept(row(1, 10, Some("slow")));
    sink.settled().await;
    mood.store(503, Ordering::Relaxed);
    sink.accept(row(2, 20, None));
    sink.settled().await;
    assert_eq!(sink.stats().spooled, 2);
    mood.store(200, Ordering::Relaxed);
    sink.settled().await;
    sink.accept(row(2, 21, None));
    sink.settled().await;
    assert_eq!((sink.stats().delivered, sink.stats().spooled), (2, 1));
    drop(sink);

    let mut next = sink_in(&dir, &backend, &variables);
    next.accept(row(3, 30, None));
    next.settled().await;
    assert_eq!((next.stats().delivered, next.stats().recovered), (1, 0));
    let arrived = ids(&backend.requests_to("/logs3"));
    let after = arrived.iter().skip_while(|ids| !ids.contains(&21)).skip(1).flatten();
    assert_eq!(after.collect::<Vec<_>>(), [&30], "{arrived:?}");
}

#[tokio::test]
async fn a_row_that_finds_room_on_disk_does_not_overtake_one_that_found_none() {
    let (dir, mood) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(AtomicU16::new(503)));
    let status = Arc::clone(&mood);
    let backend = Backend::start(move |seen| {
        let is_away = seen.is("/logs3") && status.load(Ordering::Relaxed) != 200;
        ready(if is_away { answer(503, "not now") } else { None })
    })
    .await;
    let variables = [("BRAINTRUST_DURABLE", "1"), ("BRAINTRUST_SPOOL_BYTES", "10000"), ("BRAINTRUST_NUM_RETRIES", "0")];
    let mut sink = sink_in(&dir, &backend, &variables);
    let mut large = RowBatch::default();
    large.push_with(1, None, |out| {
        out.extend_from_slice(format!(r#"{{"id":10,"input":"{}""#, "x".repeat(20_000)).as_bytes())
    });
    sink.accept(large);
    sink.accept(row(1, 11, None));
    let has_failed = async {
        while sink.ledger.trouble().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(sink.local.run_until(has_failed)).await;
    mood.store(200, Ordering::Relaxed);
    sink.settled().await;
    let arrived = ids(&backend.requests_to("/logs3")).concat();
    assert_eq!((arrived.last(), sink.stats().delivered), (Some(&11), 2), "{arrived:?}");
}
