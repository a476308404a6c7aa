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
    /// The innermost span of the context, or its logger.
    span: SpanRef,
    /// The context, if there is more to it than that span.
    rich: Context,
    /// Whether spans of more than one logger are in this entry and those below: if not, there is no one to look for.
    mixed: bool,
}

impl Entry {
    /// Whether there is only a plain span here, and below only plain ones of the same logger.
    #[inline]
    fn is_plain(&self) -> bool {
        !self.mixed && self.rich.is_none()
    }

    /// What is kept for the next entry must own nothing.
    #[cold]
    fn empty(&mut self) {
        self.rich = Context::none();
    }

    fn context(&self) -> Context {
        if self.rich.is_none() { Context::of_plain(self.span) } else { self.rich.clone() }
    }
}

struct Stack {
    /// Places for entries, of which the first `depth` are in use. Filled where they are: building an entry first and
    /// then moving it here would be most of what a poll costs.
    places: Vec<Entry>,
    depth: usize,
    next_token: u64,
}

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack { places: Vec::new(), depth: 0, next_token: 0 }) };
}

impl Stack {
    fn entries(&self) -> &[Entry] {
        &self.places[..self.depth]
    }

    #[inline]
    fn top(&self) -> Option<&Entry> {
        self.places.get(self.depth.wrapping_sub(1))
    }

    #[inline]
    fn push_plain(&mut self, token: Token, span: &SpanRef) {
        match self.places.get_mut(self.depth) {
            Some(place) => {
                place.token = token;
                place.span = *span;
                place.mixed = false;
                self.depth += 1;
            }
            None => self.push(token, span, Context::none(), false),
        }
    }

    #[cold]
    fn push_among_others(&mut self, token: Token, context: &Context) {
        let Some(span) = &context.innermost() else { return };
        let below = self.top();
        let mixed = below.is_some_and(|below| below.mixed || below.span.logger != span.logger);
        let mixed = mixed || !context.others().is_empty();
        let rich = if context.plain().is_some() { Context::none() } else { context.clone() };
        self.push(token, span, rich, mixed);
    }

    #[cold]
    fn push(&mut self, token: Token, span: &SpanRef, rich: Context, mixed: bool) {
        let entry = Entry { token, span: *span, rich, mixed };
        match self.places.get_mut(self.depth) {
            Some(place) => *place = entry,
            None => self.places.push(entry),
        }
        self.depth += 1;
    }

    /// Where the entry is.
    fn find(&self, token: Token) -> Option<usize> {
        self.entries().iter().rposition(|entry| entry.token == token)
    }

    /// Takes the topmost entry.
    #[inline]
    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(left) = self.places.get_mut(self.depth).filter(|left| !left.rich.is_none()) {
            left.empty();
        }
    }

    #[cold]
    fn truncate(&mut self, depth: usize) {
        while self.depth > depth {
            self.pop();
        }
    }
}

/// Puts `context` on top. `None` if the thread is being torn down, and has no stack any more.
#[inline(always)]
pub(super) fn push(context: &Context) -> Option<Token> {
    with(|stack| {
        let token = Token(stack.next_token);
        stack.next_token += 1;
        match context.plain() {
            Some(span) if stack.top().is_none_or(|top| top.is_plain() && top.span.logger == span.logger) => {
                stack.push_plain(token, span);
            }
            _ => stack.push_among_others(token, context),
        }
        token
    })
}

/// Takes the entry and whatever was left above it.
#[inline(always)]
pub(super) fn truncate(token: Token) {
    with(|stack| {
        if stack.top().is_some_and(|top| top.token == token) {
            stack.pop();
        } else {
            truncate_deep(stack, token);
        }
    });
}

#[cold]
fn truncate_deep(stack: &mut Stack, token: Token) {
    if let Some(place) = stack.find(token) {
        stack.truncate(place);
    }
}

/// Takes the entry alone; those above it stay.
pub(super) fn remove(token: Token) {
    with(|stack| {
        if let Some(place) = stack.find(token) {
            let depth = stack.depth;
            stack.places[place..depth].rotate_left(1);
            stack.pop();
        }
    });
}

/// The innermost span, or the logger of an entry without one, where nothing else need be known: its trace began here,
/// and no span of another logger is around. `Err` if there is more to it, `Ok(None)` if nothing is current.
#[inline]
pub(super) fn plain_top() -> Result<Option<SpanRef>, ()> {
    with(|stack| match stack.top() {
        None => Ok(None),
        Some(top) if top.is_plain() => Ok(Some(top.span)),
        Some(_) => Err(()),
    })
    .unwrap_or(Ok(None))
}

/// The innermost span, or the logger of an entry without one; and whether it is of the only logger there is.
pub(super) fn top() -> Option<(Spot, bool)> {
    with(|stack| stack.top().and_then(|top| Some((top.context().spot()?, !top.mixed)))).flatten()
}

/// The nearest span of `logger`, looking outward.
pub(super) fn nearest_of(logger: LoggerId) -> Option<Spot> {
    with(|stack| outward(stack).find(|spot| spot.span.logger == logger)).flatten()
}

/// The nearest span of each logger but `logger`, innermost first.
pub(super) fn nearest_of_others(logger: LoggerId) -> Vec<Spot> {
    let found = with(|stack| {
        let top = stack.top()?;
        if !top.mixed && top.span.logger == logger {
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

/// The spots of all contexts, innermost first.
fn outward(stack: &Stack) -> impl Iterator<Item = Spot> + '_ {
    let contexts = stack.entries().iter().rev().map(Entry::context);
    contexts.flat_map(|context| {
        let others = context.others().to_vec();
        context.spot().into_iter().chain(others)
    })
}

/// Runs `work` on the stack. It must not run anyone else's code: a context owns nothing whose destructor could.
#[inline(always)]
fn with<R>(work: impl FnOnce(&mut Stack) -> R) -> Option<R> {
    STACK.try_with(|stack| work(&mut stack.borrow_mut())).ok()
}
