//! The same work under every kind of instrumentation, and what it takes: time on the calling thread, heap, delivery.

pub mod bars;
pub mod caller;
pub mod clock;
pub mod flood;
pub mod machine;
pub mod memory;
pub mod report;
pub mod results;
pub mod run;
pub mod server;
pub mod stacks;
pub mod work;
