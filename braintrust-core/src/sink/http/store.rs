//! What waits behind the queue: rows that came while the backend was away.

use std::collections::VecDeque;

use super::queue::{Held, Queue, Window};
use crate::container::Container;
use crate::sink::RowBatch;

/// Rows behind the queue, in their order.
#[derive(Debug, Default)]
pub(super) struct Store {
    behind: VecDeque<Window>,
}

impl Store {
    /// Whether nothing waits here.
    pub(super) fn is_empty(&self) -> bool {
        self.behind.is_empty()
    }

    /// Adds the newest rows.
    pub(super) fn push(&mut self, window: Window) {
        self.behind.push_back(window);
    }

    /// Moves everything that waits in `queue` here: those rows are older than all that is here.
    pub(super) fn take_over(&mut self, queue: &mut Queue) {
        let (held, windows) = queue.take_all();
        for window in windows.into_iter().rev() {
            self.behind.push_front(window);
        }
        for window in windows_of(held).into_iter().rev() {
            self.behind.push_front(window);
        }
    }

    /// Moves rows to `queue`, until enough is there for a request.
    pub(super) fn refill(&mut self, queue: &mut Queue, enough: usize) {
        while queue.bytes() < enough
            && let Some(window) = self.behind.pop_front()
        {
            queue.push(window);
        }
    }
}

/// Held rows as windows: one for each run of rows that came between the same two flushes.
fn windows_of(held: VecDeque<Held>) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for Held { text, container, facts } in held {
        let container = container.as_deref().map(Container::encode);
        let fits = |window: &Window| window.epoch == facts.epoch && window.counts == (facts.counted > 0);
        if !windows.last().is_some_and(fits) {
            let mut window = Window::new(RowBatch::default(), facts.epoch);
            window.counts = facts.counted > 0;
            windows.push(window);
        }
        if let Some(window) = windows.last_mut() {
            window.rows.push_with(facts.key, container.as_deref(), |out| out.extend_from_slice(&text));
            window.tickets.extend(facts.ticket);
        }
    }
    windows
}
