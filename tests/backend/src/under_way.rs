//! The rows of the requests that are being answered, so that two of one span at once are seen.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::arrivals::Id;
use crate::{Shared, lock};

/// The request that each row is in.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(HashMap<Id, Arc<Mark>>);

/// What a request is to know when it ends.
#[derive(Debug, Default)]
struct Mark {
    /// A row of a span of this request came in another one meanwhile.
    is_overtaken: AtomicBool,
}

/// A request with rows, from when it was read until it is answered or the client goes away.
///
/// A client that gave up and sends its rows anew does no wrong, but the server may learn of the new request before it
/// learns that the old one is gone. So the judgement waits for how the old one ends.
pub(crate) struct Visit {
    shared: Arc<Shared>,
    ids: Vec<Id>,
    mark: Arc<Mark>,
}

impl Visit {
    pub(crate) fn begin(shared: Arc<Shared>, ids: Vec<Id>) -> Self {
        let mark = Arc::new(Mark::default());
        let mut under_way = lock(&shared.under_way);
        for id in &ids {
            if let Some(earlier) = under_way.0.insert(*id, Arc::clone(&mark)) {
                earlier.is_overtaken.store(true, Ordering::Relaxed);
            }
        }
        drop(under_way);
        Self { shared, ids, mark }
    }

    /// Ends a request whose client has stayed; whether its rows were alone all the while.
    pub(crate) fn complete(self) -> bool {
        !self.mark.is_overtaken.load(Ordering::Relaxed)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut under_way = lock(&self.shared.under_way);
        for id in &self.ids {
            if under_way.0.get(id).is_some_and(|mark| Arc::ptr_eq(mark, &self.mark)) {
                under_way.0.remove(id);
            }
        }
    }
}
