//! PF: what the wrapper costs in the size of futures, and in the nesting of their types.

use braintrust::testing::capture_blocking;
use braintrust::traced;

async fn pause() {
    std::future::ready(()).await;
}

mod plain {
    pub(super) async fn small(a: u64, b: u8) -> u64 {
        super::pause().await;
        a + u64::from(b)
    }
    pub(super) async fn large(block: [u8; 1024]) -> usize {
        super::pause().await;
        block.len()
    }
    pub(super) async fn four(n: u64) -> u64 {
        three(n).await + 1
    }
    async fn three(n: u64) -> u64 {
        two(n).await + 1
    }
    async fn two(n: u64) -> u64 {
        small(n, 1).await + 1
    }
}

mod traced_ {
    use super::traced;

    #[traced]
    pub(super) async fn small(a: u64, b: u8) -> u64 {
        super::pause().await;
        a + u64::from(b)
    }
    #[traced]
    pub(super) async fn large(block: [u8; 1024]) -> usize {
        super::pause().await;
        block.len()
    }
    #[traced]
    pub(super) async fn four(n: u64) -> u64 {
        three(n).await + 1
    }
    #[traced]
    async fn three(n: u64) -> u64 {
        two(n).await + 1
    }
    #[traced]
    async fn two(n: u64) -> u64 {
        small(n, 1).await + 1
    }
}

/// What the wrapper may add to one future: the span's context, the flag that says whether it has ended, and the room
/// in which the outer function keeps its arguments until the first poll.
const WRAPPER: usize = 64;

#[test]
fn pf_01_small_futures_stay_small() {
    let (plain, traced) = (size_of_val(&plain::small(1, 2)), size_of_val(&traced_::small(1, 2)));
    println!("small: {plain} plain, {traced} traced");
    assert!(traced <= plain + WRAPPER, "{plain} plain, {traced} traced");
    let (plain, traced) = (size_of_val(&plain::four(1)), size_of_val(&traced_::four(1)));
    println!("four levels: {plain} plain, {traced} traced");
    assert!(traced <= plain + 4 * WRAPPER, "{plain} plain, {traced} traced");
}

#[test]
fn pf_02_arguments_by_value_are_kept_at_most_three_times() {
    let (plain, traced) = (size_of_val(&plain::large([0; 1024])), size_of_val(&traced_::large([0; 1024])));
    println!("1 KiB by value: {plain} plain, {traced} traced");
    assert!(traced <= 3 * 1024 + WRAPPER, "{plain} plain, {traced} traced");
}

/// A chain of traced functions, each awaiting the next.
macro_rules! nested {
    ($attribute:meta, $name:ident) => {
        #[$attribute]
        async fn $name(n: u64) -> u64 {
            pause().await;
            n
        }
    };
    ($attribute:meta, $name:ident $next:ident $($rest:ident)*) => {
        #[$attribute]
        async fn $name(n: u64) -> u64 {
            pause().await;
            $next(n).await + 1
        }
        nested!($attribute, $next $($rest)*);
    };
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

/// Within the default recursion limit. The compiler computes layouts only 128 types deep, and every `async` block or
/// function counts four times: of plain functions 33 levels fit, with the attribute of `tracing` 12, with ours 14.
#[test]
fn pf_03_thirteen_nested_futures_compile_and_are_send() {
    nested!(traced, f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13);
    let traces = capture_blocking(|| futures::executor::block_on(assert_send(f1(1))));
    assert_eq!(traces.len(), 13);
}

/// A box that hides its type ends the count.
#[test]
fn pf_03_twenty_boxed_futures_compile_and_are_send() {
    nested!(traced(boxed = "send"), b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11 b12 b13 b14 b15 b16 b17 b18 b19 b20);
    let traces = capture_blocking(|| futures::executor::block_on(assert_send(b1(1))));
    assert_eq!(traces.len(), 20);
}
