//! The thread's list of contexts that were entered by guards, or are more than a plain span. Entries are removed by
//! name, never by place, so that no order of dropping guards and ending scopes can leave a wrong span current.

use std::cell::RefCell;

use super::{Context, SpanRef, Spot};
use crate::active::LoggerId;

/// Names what one scope or guard has made current; never used again on its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u64);

impl Token {
    pub(super) const NONE: Self = Self(0);

    #[inline]
    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    #[inline]
    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What the list holds, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Nothing,
    /// Plain spans of this logger only.
    PlainOf(LoggerId),
    More,
}

struct Entry {
    token: Token,
    context: Context,
    /// The innermost span of the context, or its logger.
    span: SpanRef,
    /// Whether spans of more than one logger are in this entry and those below: if not, there is no one to look for.
    mixed: bool,
}

thread_local! {
    static LIST: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

fn in_short(entries: &[Entry]) -> Listed {
    match entries.last() {
        None => Listed::Nothing,
        Some(top) if !top.mixed && top.context.plain().is_some() => Listed::PlainOf(top.span.logger),
        Some(_) => Listed::More,
    }
}

/// Puts `context` on top. `None` if the thread is being torn down, and has no list any more.
pub(super) fn push(token: Token, context: &Context) -> Option<Listed> {
    change(|entries| {
        let Some(span) = context.innermost() else { return };
        let below = entries.last();
        let mixed = below.is_some_and(|below| below.mixed || below.span.logger != span.logger);
        let mixed = mixed || !context.others().is_empty();
        entries.push(Entry { token, context: context.clone(), span, mixed });
    })
}

/// Takes the entry and whatever was left above it.
pub(super) fn truncate(token: Token) -> Option<Listed> {
    change(|entries| {
        if let Some(place) = find(entries, token) {
            entries.truncate(place);
        }
    })
}

/// Takes the entry alone; those above it stay.
pub(super) fn remove(token: Token) -> Option<Listed> {
    change(|entries| {
        if let Some(place) = find(entries, token) {
            entries.remove(place);
        }
    })
}

fn find(entries: &[Entry], token: Token) -> Option<usize> {
    entries.iter().rposition(|entry| entry.token == token)
}

/// The innermost span, or the logger of an entry without one; and whether it is of the only logger there is.
pub(super) fn top() -> Option<(Spot, bool)> {
    with(|entries| entries.last().and_then(|top| Some((top.context.spot()?, !top.mixed)))).flatten()
}

/// Whether the innermost context is where the one call of a model is made that its span is about.
pub(super) fn is_model_call() -> bool {
    with(|entries| entries.last().is_some_and(|top| top.context.is_model_call())).unwrap_or(false)
}

/// The nearest span of `logger`, looking outward.
pub(super) fn nearest_of(logger: LoggerId) -> Option<Spot> {
    with(|entries| outward(entries).find(|spot| spot.span.logger == logger)).flatten()
}

/// The nearest span of each logger but `logger`, innermost first.
pub(super) fn nearest_of_others(logger: LoggerId) -> Vec<Spot> {
    let found = with(|entries| {
        let top = entries.last()?;
        if !top.mixed && top.span.logger == logger {
            return None;
        }
        let mut found: Vec<Spot> = Vec::new();
        for spot in outward(entries).filter(|spot| spot.span.logger != logger) {
            if !found.iter().any(|known| known.span.logger == spot.span.logger) {
                found.push(spot);
            }
        }
        Some(found)
    });
    found.flatten().unwrap_or_default()
}

/// The spots of all contexts, innermost first.
fn outward(entries: &[Entry]) -> impl Iterator<Item = Spot> + '_ {
    entries
        .iter()
        .rev()
        .flat_map(|entry| entry.context.spot().into_iter().chain(entry.context.others().iter().cloned()))
}

fn change(change: impl FnOnce(&mut Vec<Entry>)) -> Option<Listed> {
    with(|entries| {
        change(entries);
        in_short(entries)
    })
}

/// Runs `work` on the list. It must not run anyone else's code: a context owns nothing whose destructor could.
fn with<R>(work: impl FnOnce(&mut Vec<Entry>) -> R) -> Option<R> {
    LIST.try_with(|list| work(&mut list.borrow_mut())).ok()
}
