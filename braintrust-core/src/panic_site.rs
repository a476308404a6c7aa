//! Where a panic happened, which its payload does not say: noted by a panic hook that goes on to the one before it.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::capture::drop_payload;

/// The latest panic of a thread.
struct Site {
    payload: TypeId,
    message: String,
    location: String,
}

thread_local! {
    static LATEST: RefCell<Option<Site>> = const { RefCell::new(None) };
    /// Whether panics of this thread are kept from the program's hook.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Has the place of every panic noted from now on. The program's own hook runs as before; one that it sets later takes
/// the place of this, and then panics are recorded without their place.
pub(crate) fn watch() {
    static WATCHING: Once = Once::new();
    // A thread that is panicking may not change the hook.
    if std::thread::panicking() {
        return;
    }
    WATCHING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            note(panic);
            if !QUIET.try_with(Cell::get).unwrap_or_default() {
                before(panic);
            }
        }));
    });
}

/// Runs `work`, whose panics may quote what nobody is to see: what was the program's hook when [`watch`] was called, the
/// standard one for instance, is not told of them.
///
/// # Errors
///
/// If `work` panicked: where, as far as that is known.
pub(crate) fn keep_quiet<R>(work: impl FnOnce() -> R) -> Result<R, Option<String>> {
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let place = location_of(&*payload);
        drop_payload(payload);
        place
    });
    QUIET.set(false);
    outcome
}

fn note(panic: &PanicHookInfo<'_>) {
    let Some(location) = panic.location() else { return };
    let message = message_of(panic.payload()).to_owned();
    let site = Site { payload: panic.payload().type_id(), message, location: location.to_string() };
    // A panic while another one's place is being read is not worth a third.
    let _ = LATEST.try_with(|latest| latest.try_borrow_mut().map(|mut latest| *latest = Some(site)));
}

fn message_of(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

/// Where the panic with this payload happened, as `file:line:column`, if it is this thread's latest.
pub(crate) fn location_of(payload: &(dyn Any + Send)) -> Option<String> {
    // Left there: the panic goes on to the spans around this one. Another may have come and gone meanwhile, in a destructor
    // for instance, or this one may have been brought here from elsewhere.
    let is_of = |site: &&Site| site.payload == payload.type_id() && site.message == message_of(payload);
    let found = |site: &Option<Site>| site.as_ref().filter(is_of).map(|site| site.location.clone());
    LATEST.try_with(|latest| latest.try_borrow().ok().and_then(|site| found(&site))).ok().flatten()
}
