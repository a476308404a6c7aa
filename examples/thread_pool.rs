//! Spans across a thread pool: what the pool does is traced under the span that handed it the work.
//!
//! ```text
//! cargo run --example thread_pool
//! ```
//!
//! What is current belongs to a thread, and a pool's threads know nothing of ours. `propagate` packs it into a closure;
//! where a pool makes the closures itself, as rayon's iterators do, the span is entered by hand.

use std::time::Duration;

use braintrust::{current_span, propagate, traced};
use rayon::prelude::*;

const DOCUMENTS: [&str; 4] = ["On spans", "On parents of spans", "On threads", "On pools of many threads"];

#[traced(type = "task")]
fn answer(question: &str) -> String {
    let (rewritten, language) = rayon::join(propagate(|| rewrite(question)), propagate(|| detect_language(question)));
    let scores = score_all(&rewritten);
    let best = scores.iter().zip(DOCUMENTS).max_by_key(|(score, _)| **score).map_or("nothing", |(_, title)| title);
    format!("[{language}] see \"{best}\"")
}

/// Closures that rayon makes for each element: they enter the span that was current outside.
#[traced]
fn score_all(query: &str) -> Vec<usize> {
    let span = current_span();
    DOCUMENTS.par_iter().map(|document| span.in_scope(|| score(query, document))).collect()
}

#[traced]
fn rewrite(question: &str) -> String {
    question.trim_end_matches('?').to_lowercase()
}

#[traced(type = "tool")]
fn detect_language(text: &str) -> &'static str {
    if text.starts_with("What") { "en" } else { "unknown" }
}

#[traced(type = "score")]
fn score(query: &str, document: &str) -> usize {
    query.split(' ').filter(|word| document.contains(*word)).count()
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("braintrust-thread-pool-{}", std::process::id()));
    let logger = braintrust::Logger::builder().project("Thread pool").local_folder(&folder).build()?;
    logger.install();

    println!("{}\n", answer("What are pools of threads?"));

    logger.flush_blocking(Duration::from_secs(5))?;
    println!("{}", braintrust::local::read(&folder)?.tree());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
