//! What is innermost on this thread: in a cell where it is a plain span in a scope, and else on top of the list.
//!
//! Scopes of a thread nest, as calls do, so each keeps what it covers in its own frame and puts that back. Guards may be
//! dropped in any order, so what they enter is in a list, and is taken from there by name.

use std::cell::Cell;

use super::list::{self, Listed, Token};
use super::{Context, SpanRef, Spot};
use crate::active::LoggerId;

/// Has no destructor, so that it costs an instruction to reach, and is there until the thread is gone.
struct Current {
    /// The span of the innermost scope, if it is a *light* one: of a plain span, among plain ones of the same logger.
    span: Cell<SpanRef>,
    /// The name of that scope; none where the top of the list is what is current.
    light: Cell<Token>,
    latest: Cell<Token>,
    /// What is in the list, whatever is on top of that.
    listed: Cell<Listed>,
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            span: Cell::new(SpanRef::of_logger(LoggerId::NONE)),
            light: Cell::new(Token::NONE),
            latest: Cell::new(Token::NONE),
            listed: Cell::new(Listed::Nothing),
        }
    };
}

impl Current {
    #[inline]
    fn next_token(&self) -> Token {
        let token = self.latest.get().next();
        self.latest.set(token);
        token
    }

    /// Whether all that is current is plain spans of `logger`, or there is none.
    #[inline]
    fn is_all_of(&self, logger: LoggerId) -> bool {
        if self.light.get().is_none() {
            matches!(self.listed.get(), Listed::Nothing) || self.listed.get() == Listed::PlainOf(logger)
        } else {
            self.span.get().logger == logger
        }
    }

    /// Puts `context` on top of the list, under the name that is returned; and below it the innermost light scope, whose
    /// end will look for it there. The thread may have lost its list already: then nothing changes.
    #[cold]
    fn enlist(&self, context: &Context) -> Token {
        let light = self.light.get();
        if !light.is_none() && list::push(light, &Context::of_plain(self.span.get())).is_some() {
            self.light.set(Token::NONE);
        }
        let token = self.next_token();
        if self.light.get().is_none() {
            self.note(list::push(token, context));
        }
        token
    }

    fn note(&self, listed: Option<Listed>) {
        if let Some(listed) = listed {
            self.listed.set(listed);
        }
    }
}

/// A context that is current from its beginning to its end, on whatever way that is reached.
pub(super) struct Scope {
    token: Token,
    /// What is current again after the end: a light scope, or else whatever is then on top of the list.
    covered: SpanRef,
    covered_light: Token,
}

impl Scope {
    /// To be begun where it is: moving it would cost as much as all the rest.
    #[inline(always)]
    pub(super) const fn idle() -> Self {
        Self { token: Token::NONE, covered: SpanRef::of_logger(LoggerId::NONE), covered_light: Token::NONE }
    }

    /// Makes `context` current until this is dropped.
    #[inline(always)]
    pub(super) fn begin(&mut self, context: &Context) {
        CURRENT.with(|current| match context.plain() {
            Some(span) if current.is_all_of(span.logger) => {
                self.cover(current, current.next_token());
                current.span.set(*span);
                current.light.set(self.token);
            }
            _ => {
                let token = current.enlist(context);
                self.cover(current, token);
            }
        });
    }

    #[inline(always)]
    fn cover(&mut self, current: &Current, token: Token) {
        self.token = token;
        self.covered = current.span.get();
        self.covered_light = current.light.get();
    }

    /// Takes what this scope and leaked guards within it have put into the list.
    #[cold]
    fn end_in_list(&self, current: &Current) {
        current.note(list::truncate(self.token));
    }
}

impl Drop for Scope {
    #[inline(always)]
    fn drop(&mut self) {
        CURRENT.with(|current| {
            if self.token.is_none() {
                return;
            }
            if current.light.get() != self.token {
                self.end_in_list(current);
            }
            current.span.set(self.covered);
            current.light.set(self.covered_light);
        });
    }
}

/// Makes `context` current until it is removed.
pub(super) fn enter(context: &Context) -> Token {
    CURRENT.with(|current| current.enlist(context))
}

/// Takes what was entered under this name; what came after it stays.
pub(super) fn remove(token: Token) {
    CURRENT.with(|current| current.note(list::remove(token)));
}

/// The innermost span, or the logger of an entry without one, where nothing else need be known: its trace began here,
/// and no span of another logger is around. `Err` if there is more to it, `Ok(None)` if nothing is current.
#[inline]
pub(super) fn plain_top() -> Result<Option<SpanRef>, ()> {
    CURRENT.with(|current| {
        if !current.light.get().is_none() {
            return Ok(Some(current.span.get()));
        }
        match current.listed.get() {
            Listed::Nothing => Ok(None),
            Listed::PlainOf(_) => Ok(list::top().map(|(spot, _)| spot.span)),
            Listed::More => Err(()),
        }
    })
}

/// The span of the innermost scope, if it is a light one: then there are only plain ones of the same logger around it.
fn light() -> Option<Spot> {
    CURRENT.with(|current| (!current.light.get().is_none()).then(|| Spot::new(current.span.get())))
}

/// The innermost span, or the logger of an entry without one; and whether it is of the only logger there is.
pub(super) fn top() -> Option<(Spot, bool)> {
    light().map(|spot| (spot, true)).or_else(list::top)
}

/// Whether what is innermost is where the one call of a model is made that its span is about.
pub(super) fn is_model_call() -> bool {
    light().is_none() && list::is_model_call()
}

/// The nearest span of `logger`, looking outward.
pub(super) fn nearest_of(logger: LoggerId) -> Option<Spot> {
    match light() {
        Some(spot) => Some(spot).filter(|spot| spot.span.logger == logger),
        None => list::nearest_of(logger),
    }
}

/// The nearest span of each logger but `logger`, innermost first.
pub(super) fn nearest_of_others(logger: LoggerId) -> Vec<Spot> {
    match light() {
        Some(spot) => Vec::from_iter(Some(spot).filter(|spot| spot.span.logger != logger)),
        None => list::nearest_of_others(logger),
    }
}
