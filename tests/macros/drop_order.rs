//! CX-13: everything is dropped in the order of the plain function, and within the span, however the function is left.

use std::cell::RefCell;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use braintrust::testing::capture_blocking;

/// What was dropped, and whether a span was current then.
#[derive(Default)]
struct Log(RefCell<Vec<(&'static str, bool)>>);

/// Notes when it is dropped.
struct Noted<'a>(&'a Log, &'static str);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.0.borrow_mut().push((self.1, !braintrust::current_span().is_noop()));
    }
}

struct Three<'a> {
    x: Noted<'a>,
    y: Noted<'a>,
    z: Noted<'a>,
}

struct Pair<'a>(Noted<'a>, Noted<'a>);

enum Either<'a> {
    Left(Noted<'a>, Noted<'a>),
    Right(Noted<'a>, Noted<'a>),
}

/// How a function is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    End,
    Return,
    Question,
    Panic,
    /// Its future is dropped at its first `.await`.
    Cancelled,
    /// Its future is dropped before.
    Unpolled,
}

const WAYS: [Leave; 6] = [Leave::End, Leave::Return, Leave::Question, Leave::Panic, Leave::Cancelled, Leave::Unpolled];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Sync,
    Tracked,
    Function,
    Async,
    Value,
    Boxed,
    Shared,
    Trait,
}

const SHAPES: [Shape; 8] = [
    Shape::Sync,
    Shape::Tracked,
    Shape::Function,
    Shape::Async,
    Shape::Value,
    Shape::Boxed,
    Shape::Shared,
    Shape::Trait,
];

type Left = Result<usize, &'static str>;

/// A body with a local variable and temporaries, which is left as it is told.
macro_rules! body {
    ($log:ident, $leave:ident $(, $pause:expr)?) => {{
        let _local = Noted($log, "local");
        match $leave {
            Leave::Return => return Ok(Noted($log, "temporary").1.len()),
            Leave::Question => Err("left")?,
            Leave::Panic => resume_unwind(Box::new("left")),
            _ => {}
        }
        $($pause;)?
        Ok(Noted($log, "temporary").1.len())
    }};
}

/// Functions of all shapes with the same parameters, with or without an attribute, and what calls them.
macro_rules! functions {
    ([$($trait_attribute:tt)*] [$($attribute:tt)*] ($($parameters:tt)*) $noted:ident $arguments:tt) => {
        use super::super::*;

        $($attribute)*
        fn sync<'a>(log: &'a Log, leave: Leave, $($parameters)*) -> Left {
            body!(log, leave)
        }

        $($attribute)*
        #[track_caller]
        fn tracked<'a>(log: &'a Log, leave: Leave, $($parameters)*) -> Left {
            body!(log, leave)
        }

        $($attribute)*
        fn function<'a>(log: &'a Log, leave: Leave, $($parameters)*) -> impl Fn(usize) -> usize {
            let _local = Noted(log, "local");
            if leave == Leave::Panic {
                resume_unwind(Box::new("left"));
            }
            |n| n + 1
        }

        $($attribute)*
        async fn later<'a>(log: &'a Log, leave: Leave, $($parameters)*) -> Left {
            body!(log, leave, if leave == Leave::Cancelled { pending().await } else { ready(()).await })
        }

        struct Me<'a>(Noted<'a>);

        impl<'a> Me<'a> {
            $($attribute)*
            fn value(self, log: &'a Log, leave: Leave, $($parameters)*) -> Left {
                body!(log, leave)
            }

            $($attribute)*
            fn boxed(mut self: Box<Self>, log: &'a Log, leave: Leave, $($parameters)*) -> Left {
                self.0 = Noted(log, "assigned");
                body!(log, leave)
            }

            $($attribute)*
            async fn shared(self: Rc<Self>, log: &'a Log, leave: Leave, $($parameters)*) -> Left {
                body!(log, leave, if leave == Leave::Cancelled { pending().await } else { ready(()).await })
            }
        }

        $($trait_attribute)*
        trait Trait<'a>: Sized {
            $($attribute)*
            async fn later(self, log: &'a Log, leave: Leave, $($parameters)*) -> Left {
                body!(log, leave, if leave == Leave::Cancelled { pending().await } else { ready(()).await })
            }
        }

        impl<'a> Trait<'a> for Me<'a> {}

        pub(super) fn call(shape: Shape, log: &Log, leave: Leave) -> Left {
            let $noted = |name| Noted(log, name);
            let me = || Me(Noted(log, "self"));
            match shape {
                Shape::Sync => with_arguments!(sync(log, leave) $arguments),
                Shape::Tracked => with_arguments!(tracked(log, leave) $arguments),
                Shape::Function => Ok(with_arguments!(function(log, leave) $arguments)(1)),
                Shape::Async => run(leave, with_arguments!(later(log, leave) $arguments)),
                Shape::Value => with_arguments!(Me::value(me(), log, leave) $arguments),
                Shape::Boxed => with_arguments!(Me::boxed(Box::new(me()), log, leave) $arguments),
                Shape::Shared => run(leave, with_arguments!(Me::shared(Rc::new(me()), log, leave) $arguments)),
                Shape::Trait => run(leave, with_arguments!(Trait::later(me(), log, leave) $arguments)),
            }
        }
    };
}

macro_rules! with_arguments {
    ($function:ident$(::$method:ident)?($($first:expr),*)($($argument:expr),*)) => {
        $function$(::$method)?($($first,)* $($argument),*)
    };
}

/// After an attribute for a trait, lists of parameters, each with a name, and with its arguments: `noted` makes a value that notes its drop.
macro_rules! parameters {
    ($trait_attribute:tt) => {};
    ($trait_attribute:tt $name:ident($($parameters:tt)*) = |$noted:ident| $arguments:tt; $($rest:tt)*) => {
        #[allow(unused, clippy::all, reason = "the patterns are odd")]
        mod $name {
            mod plain {
                functions!($trait_attribute [] ($($parameters)*) $noted $arguments);
            }
            mod with_span {
                functions!($trait_attribute [#[braintrust::traced]] ($($parameters)*) $noted $arguments);
            }

            #[test]
            fn drops_as_the_plain_function_does() {
                super::compare(plain::call, with_span::call);
            }
        }
        parameters!($trait_attribute $($rest)*);
    };
}

/// Polls a future to its end, or drops it before.
fn run(leave: Leave, future: impl Future<Output = Left>) -> Left {
    let mut future = pin!(future);
    if leave == Leave::Unpolled {
        return Ok(0);
    }
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(left) => left,
        std::task::Poll::Pending => Ok(0),
    }
}

/// What a function drops, in order, and whether all that was its own was dropped in a span.
fn drops(call: impl FnOnce(&Log) -> Left) -> (Vec<&'static str>, bool) {
    let log = Log::default();
    let _ = catch_unwind(AssertUnwindSafe(|| call(&log)));
    let drops = log.0.into_inner();
    let all_in_span = drops.iter().all(|(what, in_span)| *in_span || what.starts_with("caller's"));
    (drops.into_iter().map(|(what, _)| what).collect(), all_in_span)
}

fn compare(plain: fn(Shape, &Log, Leave) -> Left, with_span: fn(Shape, &Log, Leave) -> Left) {
    let mut wrong = Vec::new();
    for shape in SHAPES {
        for leave in WAYS {
            let (expected, _) = drops(|log| plain(shape, log, leave));
            let mut seen = Default::default();
            capture_blocking(|| seen = drops(|log| with_span(shape, log, leave)));
            let (seen, in_span) = seen;
            // `#[async_trait]` drops what has no name before the body that it makes, and so before the span.
            let may_be_outside = leave == Leave::Unpolled || shape == Shape::Trait && seen[0].starts_with('_');
            if seen != expected || !(in_span || may_be_outside) {
                wrong.push(format!("{shape:?}, {leave:?}: {seen:?} (in span: {in_span}), not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

parameters! {
    [#[async_trait::async_trait(?Send)]]
    names(a: Noted<'a>, b: Noted<'a>, mut c: Noted<'a>) = |noted| (noted("a"), noted("b"), noted("c"));
    nothing(a: Noted<'a>, _: Noted<'a>, b: Noted<'a>) = |noted| (noted("a"), noted("_"), noted("b"));
    references(a: Noted<'a>, ref b: Noted<'a>, ref mut c: Noted<'a>) = |noted| (noted("a"), noted("b"), noted("c"));
    tuples((a, b): (Noted<'a>, Noted<'a>), (_, c): (Noted<'a>, Noted<'a>), (d, ..): (Noted<'a>, Noted<'a>, Noted<'a>)) =
        |noted| ((noted("a"), noted("b")), (noted("_1"), noted("c")), (noted("d"), noted("_2"), noted("_3")));
    nested(a: Noted<'a>, (b, (_, c), [d, ..]): (Noted<'a>, (Noted<'a>, Noted<'a>), [Noted<'a>; 3])) =
        |noted| (noted("a"), (noted("b"), (noted("_1"), noted("c")), [noted("d"), noted("_2"), noted("_3")]));
    structs(a: Noted<'a>, Three { z, .. }: Three<'a>, Pair(_, b): Pair<'a>, Three { x, y: _, z: w }: Three<'a>) =
        |noted| (
            noted("a"),
            Three { x: noted("_1"), y: noted("_2"), z: noted("z") },
            Pair(noted("_3"), noted("b")),
            Three { x: noted("x"), y: noted("_4"), z: noted("w") }
        );
    whole_structs(a: Noted<'a>, Three { mut z, y, x }: Three<'a>, Pair(c, b): Pair<'a>) =
        |noted| (noted("a"), Three { x: noted("x"), y: noted("y"), z: noted("z") }, Pair(noted("c"), noted("b")));
    arrays(a: Noted<'a>, [b, .., c]: [Noted<'a>; 4], [_, rest @ ..]: [Noted<'a>; 3], [d, others @ ..]: [Noted<'a>; 3]) =
        |noted| (
            noted("a"),
            [noted("b"), noted("_1"), noted("_2"), noted("c")],
            [noted("_3"), noted("rest1"), noted("rest2")],
            [noted("d"), noted("others1"), noted("others2")]
        );
    alternatives(a: Noted<'a>, (Either::Left(b, _) | Either::Right(_, b)): Either<'a>, (Either::Left(c, d) | Either::Right(c, d)): Either<'a>) =
        |noted| (noted("a"), Either::Right(noted("_1"), noted("b")), Either::Left(noted("c"), noted("d")));
    borrowed(a: Noted<'a>, (b, _): &(Noted<'a>, Noted<'a>), &(ref c, _): &(Noted<'a>, Noted<'a>), (d, (e, _)): (Noted<'a>, &mut (Noted<'a>, Noted<'a>))) =
        |noted| (
            noted("a"),
            &(noted("caller's b"), noted("caller's _")),
            &(noted("caller's c"), noted("caller's _")),
            (noted("d"), &mut (noted("caller's e"), noted("caller's _")))
        );
    nothing_at_all(_: Noted<'a>, _: (Noted<'a>, Noted<'a>), (..): (Noted<'a>, Noted<'a>), _: &Noted<'a>) =
        |noted| (noted("_1"), (noted("_2"), noted("_3")), (noted("_4"), noted("_5")), &noted("caller's _"));
    impl_traits(a: impl Sized, _: impl Sized, (b, _): (impl Sized, impl Sized)) =
        |noted| (noted("a"), noted("_1"), (noted("b"), noted("_2")));
}

// `#[async_trait]` does not understand all of these, and keeps what a `ref` within a pattern borrows outside of the body.
parameters! {
    []
    references_in_tuples(first: Noted<'a>, (ref a, mut b): (Noted<'a>, Noted<'a>), (c, ref mut d, _): (Noted<'a>, Noted<'a>, Noted<'a>)) =
        |noted| (noted("first"), (noted("a"), noted("b")), (noted("c"), noted("d"), noted("_")));
    structs_and_references(a: Noted<'a>, Three { z, .. }: Three<'a>, Pair(_, b): Pair<'a>, Three { x, y: _, z: ref mut w }: Three<'a>) =
        |noted| (
            noted("a"),
            Three { x: noted("_1"), y: noted("_2"), z: noted("z") },
            Pair(noted("_3"), noted("b")),
            Three { x: noted("x"), y: noted("_4"), z: noted("w") }
        );
    with_a_subpattern(a: Noted<'a>, whole @ (..): (Noted<'a>, Noted<'a>), ref shared @ (ref x, _): (Noted<'a>, Noted<'a>), one @ _: Noted<'a>) =
        |noted| (noted("a"), (noted("whole1"), noted("whole2")), (noted("x"), noted("_1")), noted("one"));
    compiled_out(a: Noted<'a>, #[cfg(true)] b: Noted<'a>, #[cfg(true)] _: Noted<'a>, #[cfg(false)] _: NoSuch, c: Noted<'a>, #[cfg(true)] (d, _): (Noted<'a>, Noted<'a>)) =
        |noted| (noted("a"), noted("b"), noted("_1"), noted("c"), (noted("d"), noted("_2")));
}
