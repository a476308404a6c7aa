//! Every kind of instrumentation: what it is, how it is set up, and each work done under it.

use std::net::SocketAddr;
use std::ops::Range;

use crate::work::Work;

mod bare;
mod fast;
mod official;
mod opentelemetry;
mod ours;
mod references;
mod tracing;

/// Does a work for each number.
pub type Run = fn(Range<u64>);

/// One kind of instrumentation.
pub struct Stack {
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// Sets it up for this process. Returns what sends on all that was recorded, and waits for that.
    pub install: fn(Destination) -> Box<dyn Fn()>,
    /// What each work is under it; the numbers are those of the operations.
    pub works: &'static [(Work, Run)],
}

/// Where spans go.
#[derive(Clone, Copy, Debug)]
pub enum Destination {
    /// Nowhere: they are dropped where they would be encoded. (Ours have no such place, and always go to the server.)
    Nowhere(SocketAddr),
    /// To a server that counts them.
    Server(SocketAddr),
}

impl Destination {
    fn server(self) -> SocketAddr {
        match self {
            Self::Nowhere(server) | Self::Server(server) => server,
        }
    }
}

impl Stack {
    pub fn work(&self, wanted: Work) -> Option<Run> {
        self.works.iter().find(|(work, _)| *work == wanted).map(|(_, run)| *run)
    }
}

pub use bare::BARE;
pub use references::{SERDE_JSON, SONIC};

/// Those that trace.
pub const STACKS: [&Stack; 9] = [
    &ours::STACK,
    &ours::WAITING,
    &tracing::REGISTRY,
    &tracing::OTEL,
    &tracing::OTEL_WIDE,
    &fast::STACK,
    &fast::SPLITTING,
    &opentelemetry::STACK,
    &official::STACK,
];

/// The stack of a name.
pub fn named(name: &str) -> Option<&'static Stack> {
    STACKS.into_iter().find(|stack| stack.name == name)
}

fn nothing_to_send(_: Destination) -> Box<dyn Fn()> {
    Box::new(|| ())
}
