//! The program itself: reads orders, and carries them out with the library as any program would.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use braintrust::{Attachment, Event, Logger, Span, WhenFull, traced};
use braintrust_test_backend::key_of;
use serde_json::json;

use super::awake::awake;
use super::latency::waits;
use super::{Answer, Flushed, Latency, Order, ROLE, WAIT_FOR_ROOM};

/// Whether this process is the program, not the test.
pub fn is_program() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Carries out the orders on stdin until there are no more.
pub fn run_program() -> ExitCode {
    let mut role = Role::default();
    for line in std::io::stdin().lines() {
        let order = serde_json::from_str(&line.unwrap()).unwrap();
        let Some(answer) = role.obey(order) else { return ExitCode::SUCCESS };
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
        stdout.flush().unwrap();
    }
    ExitCode::SUCCESS
}

#[derive(Default)]
struct Role {
    loggers: BTreeMap<String, Logger>,
    open: Vec<Span>,
}

#[traced]
fn call(tenant: &str, number: u32) -> usize {
    black_box(tenant.len() + number as usize)
}

#[traced("call")]
fn large(tenant: &str, number: u32, text: &str) {
    black_box((tenant, number, text));
}

impl Role {
    /// Carries out an order; no answer if it was the last.
    fn obey(&mut self, order: Order) -> Option<Answer> {
        Some(match order {
            Order::Calls { tenant, first, count } => Answer::Took(self.call(&tenant, first, count)),
            Order::Large { tenant, first, count, bytes } => {
                let text = "x".repeat(bytes);
                self.logger(&tenant)
                    .in_scope(|| (first..first + count).for_each(|number| large(&tenant, number, &text)));
                Answer::Done
            }
            Order::Attach { tenant, text } => {
                self.logger(&tenant).log(Event::new().input(Attachment::from_bytes(text.into_bytes())));
                Answer::Done
            }
            Order::Load { tenant, threads, count } => {
                self.load(&tenant, threads, count);
                Answer::Done
            }
            Order::Open { tenant, first, count } => {
                self.open(&tenant, first, count);
                Answer::Done
            }
            Order::Close => {
                for span in self.open.drain(..) {
                    span.log(Event::new().output("late"));
                    span.end();
                }
                Answer::Done
            }
            Order::Flush { limit } => Answer::Flushed(self.flush(limit)),
            Order::End => return None,
        })
    }

    fn logger(&mut self, tenant: &str) -> &Logger {
        self.loggers.entry(tenant.to_owned()).or_insert_with(|| {
            let builder = Logger::builder().project(tenant).api_key(key_of(tenant));
            let builder = match std::env::var(WAIT_FOR_ROOM) {
                Ok(seconds) => builder.when_full(WhenFull::Block(Duration::from_secs(seconds.parse().unwrap()))),
                Err(_) => builder,
            };
            builder.build().unwrap()
        })
    }

    fn call(&mut self, tenant: &str, first: u32, count: u32) -> Latency {
        let mut times = Vec::with_capacity(count as usize);
        let logger = self.logger(tenant);
        let before = waits();
        logger.in_scope(|| {
            for number in first..first + count {
                let begun = Instant::now();
                call(tenant, number);
                times.push(begun.elapsed().as_nanos() as u64);
            }
        });
        Latency::of(times, waits() - before)
    }

    fn load(&mut self, tenant: &str, threads: u32, count: u32) {
        let logger = self.logger(tenant);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let numbers = count * thread / threads..count * (thread + 1) / threads;
                scope.spawn(move || {
                    logger.in_scope(|| {
                        for number in numbers {
                            call(tenant, number);
                        }
                    });
                });
            }
        });
    }

    fn open(&mut self, tenant: &str, first: u32, count: u32) {
        for number in first..first + count {
            let input = json!({"tenant": tenant, "number": number});
            let span = self.logger(tenant).start_span("call").input(&input).start();
            self.open.push(span);
        }
    }

    fn flush(&self, limit: Duration) -> Flushed {
        let mut all = Flushed::default();
        for logger in self.loggers.values() {
            let begun = awake();
            let outcome = logger.flush_blocking(limit);
            all.took = all.took.max(awake() - begun);
            let report = match &outcome {
                Ok(report) => Some(report),
                Err(error) => error.report(),
            };
            if let Some(report) = report {
                all.delivered += report.delivered;
                all.spooled += report.spooled;
                all.queued += report.queued;
                all.lost += report.lost.total();
            }
            if let Err(error) = outcome {
                all.error = Some(error.to_string());
            }
        }
        all
    }
}
