//! Rows go from memory to disk: the oldest first, so that what is on disk is never younger than what is in memory only.

use super::{Core, State};

impl Core {
    /// Puts on disk what is in memory only.
    pub(in super::super) fn secure(&self) {
        let state = &mut *self.state.borrow_mut();
        if !state.store.has_spool() {
            return;
        }
        let mut on_disk = Vec::new();
        if state.secure_under_way() && state.store.secure_queue(&mut state.queue) {
            on_disk = state.store.spool_behind();
        }
        self.count_spooled(state);
        self.forget(state, &on_disk);
    }

    /// Nothing leaves, and memory is needed: rows wait on disk, as they would if there were trouble.
    pub(in super::super) fn relieve(&self) {
        if self.has_spool() {
            self.put_behind();
        }
    }

    /// Moves everything that waits in memory behind what is on disk, and there as well, as far as that goes.
    pub(super) fn put_behind(&self) {
        let state = &mut *self.state.borrow_mut();
        let are_safe = state.secure_under_way();
        let mut on_disk = state.store.take_over(&mut state.queue);
        if !on_disk.is_empty() {
            self.is_read_in_vain.set(true);
        }
        if are_safe {
            on_disk.extend(state.store.spool_behind());
        }
        self.count_spooled(state);
        self.forget(state, &on_disk);
    }
}

impl State {
    /// Whether rows may go to disk that are younger than all in the queue and under way.
    pub(super) fn may_go_to_disk(&mut self) -> bool {
        if !self.store.has_found_no_room() {
            return true;
        }
        let older_are_there = self.under_way.values().all(|parcel| parcel.is_on_disk()) && self.queue.is_on_disk();
        // Rows behind those on disk may still come to the queue, and are older than what comes then.
        if older_are_there && self.store.is_on_disk() {
            self.store.has_room_again();
        }
        older_are_there
    }

    /// Puts on disk what is under way; whether all of it is there.
    fn secure_under_way(&mut self) -> bool {
        self.store.has_spool() && self.under_way.values().all(|parcel| self.store.secure_parcel(parcel))
    }
}
