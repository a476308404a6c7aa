//! The thread's stack of contexts. Entries are removed by name, never by place, so that no order of dropping guards
//! and ending scopes can leave a wrong span current.

use std::cell::RefCell;

use super::{Context, SpanRef, Spot};
use crate::active::LoggerId;

/// Names one entry of one thread's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u64);

struct Entry {
    token: Token,
    context: Context,
    /// Whether spans of more than one logger are in this entry and those below: if not, there is no one to look for.
    mixed: bool,
}

struct Stack {
    entries: Vec<Entry>,
    next_token: u64,
}

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack { entries: Vec::new(), next_token: 0 }) };
}

/// Puts `context` on top. `None` if the thread is being torn down, and has no stack any more.
#[inline]
pub(super) fn push(context: &Context) -> Option<Token> {
    with(|stack| {
        let token = Token(stack.next_token);
        stack.next_token += 1;
        match context.plain() {
            // Written from where it is, without a copy in between: this happens at every poll.
            Some(span) if stack.is_alone(span.logger) => {
                stack.entries.push(Entry { token, context: Context::of_plain(span), mixed: false });
            }
            _ => stack.push_among_others(token, context.clone()),
        }
        token
    })
}

impl Stack {
    /// Whether there are only plain spans of one logger, and `logger` is that one.
    #[inline]
    fn is_alone(&self, logger: LoggerId) -> bool {
        self.entries
            .last()
            .is_none_or(|top| !top.mixed && top.context.plain().is_some_and(|below| below.logger == logger))
    }

    #[cold]
    fn push_among_others(&mut self, token: Token, context: Context) {
        let below = self.entries.last();
        let mixed = below.is_some_and(|below| below.mixed || differs(&below.context, &context));
        let mixed = mixed || !context.others().is_empty();
        self.entries.push(Entry { token, context, mixed });
    }
}

/// Takes the entry and whatever was left above it.
#[inline]
pub(super) fn truncate(token: Token) {
    with(|stack| {
        let below = stack.entries.len().wrapping_sub(1);
        if stack.entries.get(below).is_some_and(|top| top.token == token) {
            stack.entries.truncate(below);
        } else {
            truncate_deep(stack, token);
        }
    });
}

#[cold]
fn truncate_deep(stack: &mut Stack, token: Token) {
    if let Some(place) = stack.entries.iter().rposition(|entry| entry.token == token) {
        stack.entries.truncate(place);
    }
}

/// The innermost span, or the logger of an entry without one, where nothing else need be known: its trace began here,
/// and no span of another logger is around. `Err` if there is more to it, `Ok(None)` if nothing is current.
#[inline]
pub(super) fn plain_top() -> Result<Option<SpanRef>, ()> {
    with(|stack| match stack.entries.last() {
        None => Ok(None),
        Some(Entry { context, mixed: false, .. }) => context.plain().map(Some).ok_or(()),
        Some(_) => Err(()),
    })
    .unwrap_or(Ok(None))
}

/// Takes the entry alone; those above it stay.
pub(super) fn remove(token: Token) {
    with(|stack| {
        let place = stack.entries.iter().rposition(|entry| entry.token == token);
        if let Some(place) = place {
            stack.entries.remove(place);
        }
    });
}

/// The innermost span, or the logger of an entry without one; and whether it is of the only logger there is.
pub(super) fn top() -> Option<(Spot, bool)> {
    with(|stack| stack.entries.last().and_then(|top| Some((top.context.spot()?, !top.mixed)))).flatten()
}

/// The nearest span of `logger`, looking outward.
pub(super) fn nearest_of(logger: LoggerId) -> Option<Spot> {
    with(|stack| outward(stack).find(|spot| spot.span.logger == logger)).flatten()
}

/// The nearest span of each logger but `logger`, innermost first.
pub(super) fn nearest_of_others(logger: LoggerId) -> Vec<Spot> {
    let found = with(|stack| {
        let top = stack.entries.last()?;
        let alone = !top.mixed && top.context.innermost().is_some_and(|span| span.logger == logger);
        if alone {
            return None;
        }
        let mut found: Vec<Spot> = Vec::new();
        for spot in outward(stack).filter(|spot| spot.span.logger != logger) {
            if !found.iter().any(|known| known.span.logger == spot.span.logger) {
                found.push(spot);
            }
        }
        Some(found)
    });
    found.flatten().unwrap_or_default()
}

fn outward(stack: &Stack) -> impl Iterator<Item = Spot> + '_ {
    let contexts = stack.entries.iter().rev().map(|entry| &entry.context);
    contexts.flat_map(|context| context.spot().into_iter().chain(context.others().iter().cloned()))
}

#[inline]
fn differs(below: &Context, context: &Context) -> bool {
    match (below.innermost(), context.innermost()) {
        (Some(below), Some(above)) => below.logger != above.logger,
        _ => false,
    }
}

/// Runs `work` on the stack. It must not run anyone else's code: a context owns nothing whose destructor could.
#[inline]
fn with<R>(work: impl FnOnce(&mut Stack) -> R) -> Option<R> {
    STACK.try_with(|stack| work(&mut stack.borrow_mut())).ok()
}
