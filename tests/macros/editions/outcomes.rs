//! ED-02: programs that do something else in another edition do the same with the attribute as without it.
#![allow(clippy::future_not_send, clippy::must_use_candidate, clippy::missing_panics_doc, missing_docs)]

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use braintrust::testing::capture_blocking;

pub type Log = RefCell<Vec<&'static str>>;

/// Notes when it is dropped.
pub struct Noted<'a>(&'a Log, &'static str);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

impl Noted<'_> {
    const fn touch(&self) -> usize {
        self.1.len()
    }

    const fn none(&self) -> Option<usize> {
        let _ = self;
        None
    }
}

/// The programs, with or without an attribute.
macro_rules! programs {
    ($module:ident $(, $attribute:meta)?) => {
        pub mod $module {
            use super::{Log, Noted};

            $(#[$attribute])?
            pub fn last(log: &Log, _argument: Noted<'_>) -> usize {
                let _local = Noted(log, "local");
                Noted(log, "temporary").touch()
            }

            $(#[$attribute])?
            pub async fn last_later(log: &Log, _argument: Noted<'_>) -> usize {
                let _local = Noted(log, "local");
                std::future::ready(()).await;
                Noted(log, "temporary").touch()
            }

            $(#[$attribute])?
            pub fn otherwise(log: &Log, argument: Noted<'_>) -> usize {
                if let Some(n) = Noted(log, "temporary").none() {
                    n
                } else {
                    drop(argument);
                    1
                }
            }

            $(#[$attribute])?
            pub async fn otherwise_later(log: &Log, argument: Noted<'_>) -> usize {
                if let Some(n) = Noted(log, "temporary").none() {
                    n
                } else {
                    drop(argument);
                    std::future::ready(1).await
                }
            }
        }
    };
}

programs!(plain);
programs!(with_span, braintrust::traced);

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

/// What a program drops, in order.
fn order(program: impl FnOnce(&Log, Noted<'_>) -> usize) -> Vec<&'static str> {
    let log = Log::default();
    program(&log, Noted(&log, "argument"));
    log.into_inner()
}

/// Fails unless each program drops the same things in the same order, which depends on the edition.
pub fn compare(temporaries_die_early: bool) {
    let mut seen = Vec::new();
    let traces = capture_blocking(|| {
        seen = vec![
            order(with_span::last),
            order(|log, argument| ready(with_span::last_later(log, argument))),
            order(with_span::otherwise),
            order(|log, argument| ready(with_span::otherwise_later(log, argument))),
        ];
    });
    let expected = [
        order(plain::last),
        order(|log, argument| ready(plain::last_later(log, argument))),
        order(plain::otherwise),
        order(|log, argument| ready(plain::otherwise_later(log, argument))),
    ];
    assert_eq!(traces.len(), 4);
    assert_eq!(seen, expected);
    let (last, otherwise) = if temporaries_die_early {
        (["temporary", "local", "argument"], ["temporary", "argument"])
    } else {
        (["local", "temporary", "argument"], ["argument", "temporary"])
    };
    assert_eq!(seen[0], last);
    assert_eq!(seen[2], otherwise);
}
