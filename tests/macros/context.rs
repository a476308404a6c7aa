//! CX: what is current where.

use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

use braintrust::testing::{capture, capture_blocking};
use braintrust::{Instrument, current_span, propagate, start_span, traced};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::task::{LocalSet, spawn_blocking};

#[traced]
fn child(n: usize) -> usize {
    n
}

#[traced]
async fn slow_child(n: usize) -> usize {
    tokio::task::yield_now().await;
    child(n)
}

#[tokio::test]
async fn cx_02_unordered_futures_have_their_creator_as_parent() {
    #[traced]
    async fn all() -> usize {
        (0..10).map(slow_child).collect::<FuturesUnordered<_>>().count().await
    }
    let traces = capture(all()).await;
    assert_eq!(traces.find("all").children().len(), 10);
    for span in traces.find_all("slow_child") {
        assert_eq!(span.children()[0].input(), span.input());
    }
}

#[test]
fn cx_03_parents_are_right_whatever_thread_polls() {
    #[traced]
    async fn task(n: usize) -> usize {
        for _ in 0..8 {
            tokio::task::yield_now().await;
            slow_child(n).await;
        }
        n
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let traces = runtime.block_on(capture(async {
        let tasks: Vec<_> = (0..16).map(|n| tokio::spawn(task(n).in_current_span())).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }));
    assert_eq!(traces.find_all("task").len(), 16);
    for span in traces.find_all("task") {
        assert_eq!(span.children().len(), 8);
        assert!(span.children().iter().all(|child| child.input() == span.input()));
    }
}

#[test]
fn cx_05_threads_and_tasks_inherit_nothing() {
    #[traced]
    fn outer() -> bool {
        thread::spawn(|| current_span().is_noop()).join().unwrap()
            && thread::scope(|scope| scope.spawn(|| current_span().is_noop()).join().unwrap())
    }
    assert_eq!(capture_blocking(|| assert!(outer())).len(), 1);
}

#[test]
fn cx_06_unless_the_span_is_carried_over() {
    #[traced]
    fn outer() {
        let span = current_span();
        thread::spawn(move || span.in_scope(|| child(1))).join().unwrap();
        let span = current_span();
        thread::scope(|scope| drop(scope.spawn(|| span.in_scope(|| child(2))).join().unwrap()));
    }
    let traces = capture_blocking(outer);
    assert_eq!(traces.find("outer").children().len(), 2);
}

/// A runtime whose tasks never run on the thread that waits for them.
fn many_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

#[test]
fn cx_05_nor_do_those_of_tokio_and_rayon() {
    #[traced]
    async fn in_tokio() -> [bool; 2] {
        [
            tokio::spawn(async { current_span().is_noop() }).await.unwrap(),
            spawn_blocking(|| current_span().is_noop()).await.unwrap(),
        ]
    }
    #[traced]
    fn in_rayon(pool: &rayon::ThreadPool) -> bool {
        assert!(!current_span().is_noop());
        pool.install(|| current_span().is_noop())
    }
    let traces = many_threads().block_on(capture(async { assert_eq!(in_tokio().await, [true, true]) }));
    assert_eq!(traces.len(), 1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    assert_eq!(capture_blocking(|| assert!(in_rayon(&pool))).len(), 1);
}

#[test]
fn cx_06_into_tokio_and_rayon_too() {
    #[traced]
    async fn in_tokio() {
        tokio::spawn(slow_child(1).in_current_span()).await.unwrap();
        let span = current_span();
        tokio::spawn(async move { span.run(slow_child(2)).await }).await.unwrap();
        braintrust::spawn(slow_child(3)).await.unwrap();
        spawn_blocking(propagate(|| child(4))).await.unwrap();
        braintrust::spawn_blocking(|| child(5)).await.unwrap();
    }
    #[traced]
    fn in_rayon(pool: &rayon::ThreadPool) {
        pool.install(propagate(|| child(1)));
        let span = current_span();
        pool.broadcast(|_| span.in_scope(|| child(2)));
    }
    let traces = many_threads().block_on(capture(in_tokio()));
    let children: Vec<_> = traces.find("in_tokio").children().iter().map(|span| span.name()).collect();
    assert_eq!(children, ["slow_child", "slow_child", "slow_child", "child", "child"]);
    assert_eq!(traces.len(), 1 + 3 * 2 + 2);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let traces = capture_blocking(|| in_rayon(&pool));
    assert_eq!(traces.find("in_rayon").children().len(), 3);
}

#[test]
fn cx_07_a_current_thread_runtime_lends_its_span_to_spawned_tasks() {
    #[traced]
    fn main_like() {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            tokio::spawn(slow_child(1)).await.unwrap();
        });
    }
    let traces = capture_blocking(main_like);
    assert_eq!(traces.find("slow_child").parent().unwrap().name(), "main_like");
}

/// A limitation: a `LocalSet` polls its tasks wherever it is driven, and what is current there is their parent too.
#[tokio::test]
async fn cx_08_a_local_set_lends_the_span_that_drives_it() {
    #[traced]
    async fn drives(tasks: LocalSet) {
        tasks.await;
    }
    #[traced]
    async fn spawns(tasks: &LocalSet) {
        tasks.spawn_local(slow_child(1));
        tasks.spawn_local(slow_child(2).in_current_span());
    }
    let traces = capture(async {
        let tasks = LocalSet::new();
        spawns(&tasks).await;
        drives(tasks).await;
    })
    .await;
    let parents: Vec<_> = traces
        .find_all("slow_child")
        .iter()
        .map(|span| (span.input().unwrap()["n"].as_u64().unwrap(), span.parent().unwrap().name()))
        .collect();
    assert_eq!(parents, [(1, "drives"), (2, "spawns")]);
}

/// A limitation: a thread that waits in `rayon::join` does the work of others meanwhile, in the span it waits in.
#[test]
fn cx_09_waiting_in_rayon_lends_a_foreign_span() {
    #[traced]
    fn waits() {
        let (stolen, begun) = mpsc::channel();
        rayon::join(
            move || begun.recv().unwrap(), // so that the other half is with the other thread
            propagate(move || {
                stolen.send(()).unwrap();
                works();
            }),
        );
    }
    #[traced]
    fn works() {
        let (done, both) = mpsc::channel();
        let second = done.clone();
        // The other thread, which waits for this one, takes them.
        rayon::spawn(move || done.send(child(1)).unwrap());
        rayon::spawn(propagate(move || second.send(child(2)).unwrap()));
        both.iter().take(2).for_each(drop);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let traces = capture_blocking(|| pool.install(propagate(waits)));
    let mut parents: Vec<_> = traces
        .find_all("child")
        .iter()
        .map(|span| (span.input().unwrap()["n"].as_u64().unwrap(), span.parent().map(|parent| parent.name())))
        .collect();
    parents.sort_unstable();
    assert_eq!(parents, [(1, Some("waits")), (2, Some("works"))]);
}

#[test]
fn cx_09_closures_that_are_wrapped_nest_however_they_are_stolen() {
    #[traced]
    fn split(from: u64, to: u64) {
        if to - from > 1 {
            let middle = from.midpoint(to);
            rayon::join(propagate(|| split(from, middle)), propagate(|| split(middle, to)));
        } else {
            thread::yield_now();
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let traces = capture_blocking(|| pool.install(propagate(|| split(0, 64))));
    let spans = traces.find_all("split");
    assert_eq!(spans.len(), 127);
    for span in spans {
        let bounds = |span: &braintrust::TracedSpan<'_>| {
            let input = span.input().unwrap();
            (input["from"].as_u64().unwrap(), input["to"].as_u64().unwrap())
        };
        let (from, to) = bounds(&span);
        let halves: Vec<_> = span.children().iter().map(bounds).collect();
        if to - from > 1 {
            let middle = from.midpoint(to);
            assert_eq!(halves.len(), 2);
            assert!(halves.contains(&(from, middle)) && halves.contains(&(middle, to)), "{halves:?}");
        } else {
            assert!(halves.is_empty());
        }
    }
}

#[test]
fn cx_11_guards_may_be_dropped_in_any_order() {
    let traces = capture_blocking(|| {
        let (a, b) = (start_span("a").start(), start_span("b").start());
        let first = a.enter();
        let second = b.enter();
        drop(first);
        child(1);
        drop(second);
        child(2);
    });
    let parents: Vec<_> =
        traces.find_all("child").iter().map(|span| span.parent().map(|parent| parent.name())).collect();
    assert_eq!(parents, [Some("b"), None]);
}

#[test]
fn cx_12_a_call_from_a_thread_local_destructor_is_harmless() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(child(7), 7);
        }
    }
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    let traces = capture_blocking(|| {
        let span = current_span();
        thread::spawn(move || {
            LAST.set(Some(Last));
            span.in_scope(|| child(1))
        })
        .join()
        .unwrap();
    });
    assert!(traces.len() <= 2);
}
