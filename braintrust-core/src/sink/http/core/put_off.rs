//! Rows on disk that are passed by for a while, and read again in their order once they may leave.

use super::{Core, State};
use crate::container::Container;

impl Core {
    /// A container cannot be had for now: its rows are left on disk, where there is one, until it is known.
    pub(in super::super) fn put_off(&self, container: &Container) {
        self.resolver.put_off(container);
        self.leave_on_disk(&mut self.state.borrow_mut());
        self.wake.notify_one();
    }

    /// Lets the rows go that were passed over because their container cannot be had for now.
    pub(super) fn leave_on_disk(&self, state: &mut State) {
        let left = state.store.put_off_held(&mut state.queue, |container| self.resolver.is_put_off(container));
        self.count_spooled(state);
        self.forget(state, &left);
        if !left.is_empty() {
            // There may be more behind them.
            self.wake.notify_one();
        }
    }

    /// Nobody waits for rows that are left on disk, once they are all that there is.
    pub(in super::super) fn end_flushes_of_put_off(&self) {
        if self.resolver.has_put_off() {
            self.state.borrow_mut().end_flushes_in_vain(false);
        }
    }

    /// It is decided about a container that was asked for.
    pub(in super::super) fn release(&self, container: &Container) {
        if self.resolver.end_asking(container) && self.has_spool() {
            self.is_read_in_vain.set(true);
        }
        self.state.borrow_mut().queue.release();
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
