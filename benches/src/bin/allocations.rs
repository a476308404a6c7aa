//! Counts heap allocations on the calling thread for each captured span, once a program runs steadily.
//!
//! A program of its own, because counting takes the place of the allocator.

use std::net::SocketAddr;

use comparison::stacks::{self, BARE, Destination};
use comparison::work::Work;

fn main() {
    let [_, name, server] = std::env::args().collect::<Vec<_>>().try_into().expect("a stack and a server");
    let server: SocketAddr = server.parse().expect("an address");
    let stack = stacks::named(&name).expect("a stack that exists");
    let flush = (stack.install)(Destination::Nowhere(server));
    const SPANS: u64 = 1_000;
    let count = |run: fn(std::ops::Range<u64>)| {
        for _ in 0..5 {
            run(0..SPANS);
            flush();
        }
        let before = allocation_counter::measure(|| run(0..SPANS)).count_total;
        flush();
        before as f64 / SPANS as f64
    };
    for work in [Work::Span, Work::Payload] {
        if let (Some(run), Some(bare)) = (stack.work(work), BARE.work(work)) {
            println!("{} {:.3}", work.title(), count(run) - count(bare));
        }
    }
}
