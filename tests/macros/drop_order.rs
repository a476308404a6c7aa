//! CX-13: everything is dropped in the order of the plain function. Each program stands here twice.

use std::cell::RefCell;

use braintrust::testing::capture_blocking;
use futures::executor::block_on;

type Log = RefCell<Vec<&'static str>>;

/// Notes when it is dropped.
struct Noted<'a>(&'a Log, &'static str);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

impl Noted<'_> {
    fn touch(&self) -> usize {
        self.1.len()
    }
}

/// The programs, with or without an attribute.
macro_rules! programs {
    ($module:ident $(, $attribute:meta)?) => {
        mod $module {
            use super::{Log, Noted};

            $(#[$attribute])?
            pub(super) fn sync(log: &Log, a: Noted<'_>, (b, c): (Noted<'_>, Noted<'_>)) -> usize {
                let _local = Noted(log, "local");
                Noted(log, "temporary").touch() + a.touch() + b.touch() + c.touch()
            }

            $(#[$attribute])?
            pub(super) async fn later(log: &Log, a: Noted<'_>, (b, c): (Noted<'_>, Noted<'_>)) -> usize {
                let _local = Noted(log, "local");
                std::future::ready(()).await;
                Noted(log, "temporary").touch() + a.touch() + b.touch() + c.touch()
            }

            $(#[$attribute])?
            pub(super) fn unused<'a>(log: &'a Log, _a: Noted<'a>, mut _b: Noted<'a>) {
                _b = Noted(log, "assigned");
                log.borrow_mut().push("end of the body");
            }

            $(#[$attribute])?
            pub(super) async fn unused_later(log: &Log, _a: Noted<'_>, _b: Noted<'_>) {
                std::future::ready(()).await;
                log.borrow_mut().push("end of the body");
            }

            $(#[$attribute])?
            pub(super) fn moved(log: &Log, a: Noted<'_>, b: Noted<'_>) {
                drop(a);
                log.borrow_mut().push("end of the body");
                let _ = &b;
            }

            impl Noted<'_> {
                $(#[$attribute])?
                pub(super) fn $module(self, b: Noted<'_>) -> usize {
                    let _local = Noted(b.0, "local");
                    self.touch()
                }
            }
        }
    };
}

programs!(plain);
programs!(with_span, braintrust::traced);

/// What a program drops, in order.
fn order(program: impl FnOnce(&Log)) -> Vec<&'static str> {
    let log = Log::default();
    program(&log);
    log.into_inner()
}

fn pair(log: &Log) -> (Noted<'_>, Noted<'_>) {
    (Noted(log, "b"), Noted(log, "c"))
}

#[test]
fn cx_13_the_order_of_drops_is_that_of_the_plain_function() {
    let mut seen = Vec::new();
    let traces = capture_blocking(|| {
        seen = vec![
            order(|log| drop(with_span::sync(log, Noted(log, "a"), pair(log)))),
            order(|log| drop(block_on(with_span::later(log, Noted(log, "a"), pair(log))))),
            order(|log| with_span::unused(log, Noted(log, "a"), Noted(log, "b"))),
            order(|log| block_on(with_span::unused_later(log, Noted(log, "a"), Noted(log, "b")))),
            order(|log| with_span::moved(log, Noted(log, "a"), Noted(log, "b"))),
            order(|log| drop(Noted(log, "a").with_span(Noted(log, "b")))),
        ];
    });
    let expected = [
        order(|log| drop(plain::sync(log, Noted(log, "a"), pair(log)))),
        order(|log| drop(block_on(plain::later(log, Noted(log, "a"), pair(log))))),
        order(|log| plain::unused(log, Noted(log, "a"), Noted(log, "b"))),
        order(|log| block_on(plain::unused_later(log, Noted(log, "a"), Noted(log, "b")))),
        order(|log| plain::moved(log, Noted(log, "a"), Noted(log, "b"))),
        order(|log| drop(Noted(log, "a").plain(Noted(log, "b")))),
    ];
    assert_eq!(traces.len(), 6);
    assert_eq!(seen, expected);
}
