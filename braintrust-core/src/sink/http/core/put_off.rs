//! Rows on disk that are passed by for a while, and read again in their order once they may leave.

use super::{Core, State};
use crate::api::Failure;
use crate::container::Container;
use crate::diagnostics;

impl Core {
    /// A container cannot be had for now: its rows are left on disk, where there is one, until it is known.
    pub(in super::super) fn put_off(&self, container: &Container, failure: &Failure) {
        self.resolver.put_off(container);
        let state = &mut *self.state.borrow_mut();
        if state.store.has_spool() {
            let place = state.store.place_in_words();
            diagnostics::error(&format!("put off: {place}"), || {
                format!("{}; rows of that project are kept in {place}, and sent as soon as they can be", failure.text)
            });
        }
        self.leave_on_disk(state);
        self.wake.notify_one();
    }

    /// Lets the rows go that were passed over because their container cannot be had for now, or storage does not take one
    /// of their span.
    pub(super) fn leave_on_disk(&self, state: &mut State) {
        let left = state.store.put_off_held(&mut state.queue, |container| self.resolver.is_put_off(container));
        self.count_spooled(state);
        self.forget(state, &left);
        if !left.is_empty() {
            // There may be more behind them.
            self.wake.notify_one();
        }
    }

    /// It is decided about a container that was asked for.
    pub(in super::super) fn release(&self, container: &Container) {
        let was_put_off = self.resolver.end_asking(container);
        let state = &mut *self.state.borrow_mut();
        if was_put_off && state.store.has_spool() {
            self.is_read_in_vain.set(true);
            state.store.reopen_left();
        }
        state.queue.release();
        self.wake.notify_one();
    }

    /// Has the rows on disk read again, if that is due; nothing may be under way.
    pub(in super::super) fn read_again(&self) {
        if self.is_read_in_vain.get() {
            self.put_behind();
            self.is_read_in_vain.set(false);
            self.state.borrow_mut().store.rewind();
        }
    }
}
