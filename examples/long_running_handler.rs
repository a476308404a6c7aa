//! Spans that no function encloses: a handler whose callbacks come one by one, and in any order among requests.
//!
//! ```text
//! cargo run --example long_running_handler
//! ```
//!
//! The span of a request begins in one callback, is logged to in others, and ends in the last. It is kept in a map until
//! then; nothing else knows it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use braintrust::{Event, Parent, Span, score_span, task_span, traced};

/// What a server framework calls as requests come, proceed and go. Any thread may call.
#[derive(Default)]
struct Handler {
    live: Mutex<HashMap<String, Request>>,
}

#[derive(Clone)]
struct Request {
    span: Span,
    question: String,
}

impl Handler {
    fn on_request_start(&self, id: &str, question: &str, expected: &str) {
        let span = task_span(id.to_owned()).input(question).event(Event::new().expected(expected)).start();
        let request = Request { span, question: question.to_owned() };
        self.live.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), request);
    }

    fn on_get_output(&self, id: &str, system_prompt: &str) -> anyhow::Result<()> {
        let Request { span, question } = self.request(id)?;
        let output = span.in_scope(|| compute_output(system_prompt, &question)); // a child of the request's span
        span.log(Event::new().output(&output));
        Ok(())
    }

    fn on_request_end(&self, id: &str, status: u16) -> anyhow::Result<()> {
        let Request { span, .. } = self.request(id)?;
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        span.log(Event::new().metadata("status", status));
        span.end(); // or drop the last handle
        Ok(())
    }

    /// The span as text, for whoever does not share this process's memory.
    fn exported(&self, id: &str) -> anyhow::Result<String> {
        Ok(self.request(id)?.span.export())
    }

    /// A clone of the request: no lock is held while work is done for it.
    fn request(&self, id: &str) -> anyhow::Result<Request> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.get(id).cloned().with_context(|| format!("no request `{id}` is under way"))
    }
}

#[traced(type = "llm")]
fn compute_output(system_prompt: &str, question: &str) -> String {
    format!("{system_prompt} As for \"{question}\": yes.")
}

/// Judges an answer when the request is long over, knowing only what was exported.
fn judge_later(slug: &str) -> anyhow::Result<()> {
    let span = score_span("politeness").parent(Parent::from_slug(slug)?).start();
    span.log(Event::new().score("politeness", 0.9));
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("braintrust-long-running-handler-{}", std::process::id()));
    let logger = braintrust::Logger::builder().project("Long-running handler").local_folder(&folder).build()?;
    logger.install();

    let handler = Handler::default();
    handler.on_request_start("request-1", "Is the sun larger than the moon?", "Yes.");
    handler.on_request_start("request-2", "Is 2 even?", "Yes.");
    let exported = handler.exported("request-2")?;
    handler.on_get_output("request-2", "Be brief.")?;
    handler.on_get_output("request-1", "Be polite.")?;
    handler.on_request_end("request-2", 200)?;
    handler.on_request_end("request-1", 200)?;
    judge_later(&exported)?;

    println!("{}\n", logger.flush_blocking(Duration::from_secs(5))?);
    println!("{}", braintrust::local::read(&folder)?.tree().max_width(50));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
