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
    let count = |run: fn(std::ops::Range<u64>), spans: u64| {
        for _ in 0..5 {
            run(0..spans);
            flush();
        }
        let before = allocation_counter::measure(|| run(0..spans)).count_total;
        flush();
        before as f64 / spans as f64
    };
    // Bursts that fit every queue.
    for (work, spans) in [(Work::Span, 1_000), (Work::Payload, 1_000), (Work::Prompt, 50)] {
        if let (Some(run), Some(bare)) = (stack.work(work), BARE.work(work)) {
            println!("{} {:.3}", work.title(), count(run, spans) - count(bare, spans));
        }
    }
}
