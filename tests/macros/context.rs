//! CX: what is current where.

use std::cell::RefCell;
use std::thread;

use braintrust::testing::{capture, capture_blocking};
use braintrust::{Instrument, current_span, start_span, traced};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

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
