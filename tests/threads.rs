//! Carrying what is current into threads, tasks and pools.

use braintrust::testing::{capture, capture_blocking};
use braintrust::{Instrument, Traces, propagate, start_span, traced};
use futures::StreamExt as _;

#[traced]
fn work(number: u32) -> u32 {
    number
}

fn assert_all_under_the_root(traces: &Traces, count: usize) {
    let works = traces.find_all("work");
    assert_eq!(works.len(), count);
    for work in works {
        assert_eq!(work.parent(), Some(traces.find("root")));
    }
}

#[test]
fn threads() {
    let traces = capture_blocking(|| {
        start_span("root").start().in_scope(|| {
            braintrust::thread::spawn(|| work(1)).join().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(propagate(|| work(2)));
                scope.spawn(propagate(|| work(3)));
            });
        });
    });
    assert_all_under_the_root(&traces, 3);
}

#[test]
fn a_thread_without_help_inherits_nothing() {
    let traces = capture_blocking(|| {
        start_span("root").start().in_scope(|| std::thread::spawn(|| work(1)).join().unwrap());
    });
    assert!(traces.get("work").is_none());
}

#[test]
fn tasks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let traces = runtime.block_on(capture(async {
        let root = start_span("root").start();
        root.run(async {
            braintrust::spawn(async { work(1) }).await.unwrap();
            braintrust::spawn_blocking(|| work(2)).await.unwrap();
            tokio::spawn(async { work(3) }.in_current_span()).await.unwrap();
        })
        .await;
        tokio::spawn(async { work(4) }.in_span(&root)).await.unwrap();
        let block = async {
            let _entered = root.enter();
            work(5)
        };
        block.await;
    }));
    assert_all_under_the_root(&traces, 5);
}

#[test]
fn a_pool() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let traces = capture_blocking(|| {
        start_span("root").start().in_scope(|| {
            // Wrapped here: inside of `scope` it is a thread of the pool that runs.
            let jobs: Vec<_> = (0..100).map(|number| propagate(move || work(number))).collect();
            pool.scope(|scope| {
                for job in jobs {
                    scope.spawn(move |_| {
                        job();
                    });
                }
            });
        });
    });
    assert_all_under_the_root(&traces, 100);
}

#[test]
fn a_stream_keeps_its_span() {
    let traces = futures::executor::block_on(capture(async {
        let root = start_span("root").start();
        let stream = futures::stream::iter(0..3).map(work).in_span(&root);
        drop(root);
        assert_eq!(stream.collect::<Vec<_>>().await, [0, 1, 2]);
    }));
    assert_all_under_the_root(&traces, 3);
    assert!(traces.find("root").is_finished());
}
