//! What the library says of itself, and to whom.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use braintrust::{Event, Logger, Span, start_span};
use braintrust_test_backend::{Endpoint, Fault, Trouble};
use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber, span};

use crate::{Case, KEY, Outcome, SPOOL_DIR, leaf, one_call};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) const CASES: &[Case] = &[
    Case {
        fault: Some(Fault::At(Endpoint::Rows, Trouble::Says(KEY))),
        ..Case::new("told on stderr: what a server said, but not the key that it echoes", one_call, |outcome| {
            assert!(outcome.stderr.contains("not what Braintrust answers: \"sk***ef\""), "{}", outcome.stderr);
        })
    },
    Case {
        fault: Some(Fault::At(Endpoint::Rows, Trouble::Status(400))),
        ..Case::new("told on stderr: a loss, once", three_refused, |outcome| {
            assert_eq!(outcome.stderr.matches("rejected by the backend").count(), 1, "{}", outcome.stderr);
        })
    },
    Case::new("told on stderr: a span that was not recorded, once", not_recorded, |outcome| {
        assert_eq!(outcome.stderr.matches("`update_span` was given an empty id").count(), 1, "{}", outcome.stderr);
        outcome.assert_spans(&["leaf"]);
    }),
    Case {
        fault: Some(Fault::At(Endpoint::Login, Trouble::Status(401))),
        ..Case::new("told on stderr: a refused key and where the rows are, once", refused_key, check_refused_key)
            .with_spool()
    },
    Case {
        fault: Some(Fault::At(Endpoint::Login, Trouble::Status(401))),
        ..Case::new("told on stderr: a key that is refused at exit, once", one_call, check_refused_key).with_spool()
    },
    Case {
        fault: Some(Fault::At(Endpoint::Rows, Trouble::Status(400))),
        ..Case::new("told on stderr: nothing, if that is asked for", three_refused, |outcome| {
            assert_eq!(outcome.stderr, "");
        })
        .with(&[("BRAINTRUST_DEBUG_LOG_LEVEL", "off")])
    },
    Case {
        fault: Some(Fault::At(Endpoint::Rows, Trouble::Status(400))),
        ..Case::new("told to a subscriber, and not on stderr", subscribed, |outcome| {
            assert_eq!(outcome.stderr, "");
            let said: Vec<_> = outcome.stdout.lines().collect();
            assert!(
                said.iter().any(|line| line.starts_with("braintrust ERROR") && line.contains("rejected")),
                "{said:?}"
            );
            assert!(said.iter().any(|line| line.starts_with("braintrust WARN")), "{said:?}");
            assert!(said.iter().all(|line| line.starts_with("braintrust ")), "our own requests are heard: {said:?}");
        })
    },
    Case::new("a subscriber that traces does not feed itself", fed_back, |outcome| {
        assert_eq!(outcome.stderr, "", "{}", outcome.stdout);
        outcome.assert_spans(&["event", "leaf"]);
    }),
    Case::new("a subscriber that panics ends nothing", panicking, |outcome| {
        outcome.assert_spans(&["leaf", "leaf", "odd"]);
    }),
    Case::new("a subscriber may look for a logger while one is registered", looked_for, |outcome| {
        assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("found: true"), "{}", outcome.stdout);
    }),
    Case::new("debug: what is made", one_call, |outcome| {
        assert!(outcome.stderr.contains("made a logger for project `p`"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("sk***ef"), "{}", outcome.stderr);
        outcome.assert_spans(&["leaf"]);
    })
    .with(&[("BRAINTRUST_DEBUG_LOG_LEVEL", "debug")]),
];

fn refused_key(logger: &Logger) {
    leaf(1);
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    assert!(error.is_backend() && error.to_string().contains(&std::env::var(SPOOL_DIR).unwrap()), "{error}");
}

fn check_refused_key(outcome: &Outcome) {
    outcome.assert_spans(&[]);
    assert_eq!(outcome.stderr.matches("HTTP 401").count(), 1, "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches(outcome.spool.to_str().unwrap()).count(), 1, "{}", outcome.stderr);
}

fn three_refused(logger: &Logger) {
    for _ in 0..3 {
        leaf(1);
        let _ = logger.flush_blocking(LIMIT);
    }
}

fn not_recorded(logger: &Logger) {
    for _ in 0..3 {
        logger.update_span(&Span::noop().id(), Event::new().output("late")).unwrap();
    }
    leaf(1);
}

/// A subscriber that hears everything, and gives events to a function.
struct Everything(fn(&str));

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
                let _ = write!(self.0, " {value:?}");
            }
        }
        let mut text = Text(format!("{} {}", event.metadata().target(), event.metadata().level()));
        event.record(&mut text);
        (self.0)(&text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Sets the subscriber once the exporter has nothing to do: from then on, nobody hears of its requests.
fn subscribe(logger: &Logger, hear: fn(&str)) {
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 0);
    tracing::subscriber::set_global_default(Everything(hear)).unwrap();
}

fn subscribed(logger: &Logger) {
    subscribe(logger, |text| println!("{text}"));
    let _ = Event::new().score("unheard of", f64::NAN);
    three_refused(logger);
}

/// Each event is a span of Braintrust, which may lead to an event.
fn fed_back(logger: &Logger) {
    static LOGGER: Mutex<Option<Logger>> = Mutex::new(None);
    *LOGGER.lock().unwrap() = Some(logger.clone());
    subscribe(logger, |text| {
        println!("{text}, by {:?}", std::thread::current().name());
        let span = LOGGER.lock().unwrap().as_ref().unwrap().start_span("event").input(text).start();
        span.log(Event::new().score("unheard of", f64::NAN));
    });
    leaf(1);
    let _ = Event::new().score("unheard of", f64::NAN);
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 2);
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 0);
}

fn panicking(logger: &Logger) {
    subscribe(logger, |_| panic!("as meant"));
    leaf(1);
    start_span("odd").start().log(Event::new().score("unheard of", f64::NAN));
    let _ = logger.flush_blocking(LIMIT);
    leaf(1);
}

fn looked_for(logger: &Logger) {
    subscribe(logger, |_| println!("found: {}", braintrust::logger("first").is_ok()));
    let (done, registered) = mpsc::channel();
    std::thread::spawn(move || {
        for key in ["first", "second"] {
            let backend = std::env::var(crate::BACKEND).unwrap();
            let builder = Logger::builder().project(key).api_key(KEY).app_url(backend);
            done.send(braintrust::register(key, builder).map(|_| ())).unwrap();
        }
    });
    for _ in 0..2 {
        registered.recv_timeout(LIMIT).expect("both wait for each other").unwrap();
    }
}
