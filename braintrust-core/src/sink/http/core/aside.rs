//! Large rows that storage does not take for now: they wait, on disk if there is one, while others go on.

use super::super::aim::USUAL;
use super::{Core, Failure, Parcel, Part, Remedy, State};
use crate::diagnostics;

impl Core {
    /// Storage does not take these rows: they are passed over, and with them all later rows of their spans.
    pub(super) fn set_aside(&self, state: &mut State, parcel: &Parcel, part: &Part, failure: &Failure) {
        self.take_back(state, parcel, part);
        state.store.leave(&super::facts_of(parcel, part));
        state.queue.set_aside(part.indices().iter().map(|index| parcel.open(*index).facts.key));
        self.leave_on_disk(state);
        let place = state.store.place_in_words();
        let why = format!("{}; rows that are too large for a request wait in {place}, and others go on", failure.text);
        self.ledger.note(Some(why.clone()));
        diagnostics::error(&format!("aside: {place}"), || why);
    }

    /// Has the rows tried again that were set aside.
    pub(in super::super) fn try_aside_again(&self) {
        self.storage.try_again();
        let state = &mut *self.state.borrow_mut();
        if state.store.has_spool() {
            self.is_read_in_vain.set(true);
            state.store.reopen_left();
        }
        state.queue.end_aside();
        self.wake.notify_one();
    }
}

impl State {
    /// Whether a large row has run out of time so often that it must not hold up all others any longer.
    pub(super) fn gives_up_on(&mut self, parcel: &Parcel, part: &Part, failure: &Failure) -> bool {
        let [index] = part.indices() else { return false };
        let row = parcel.open(*index);
        if failure.remedy != Remedy::AgainOrFewerRows || row.text.len() < USUAL {
            return false;
        }
        let tries = self.long_tries.entry(row.facts.key).or_default();
        *tries += 1;
        let is_enough = *tries >= super::LONG_TRIES;
        if is_enough {
            self.long_tries.remove(&row.facts.key);
        }
        is_enough
    }
}
