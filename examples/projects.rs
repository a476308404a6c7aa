//! Two projects in one program: each sees its own tree, however their calls are interleaved.
//!
//! ```text
//! cargo run --example projects
//! ```
//!
//! Projects are registered under keys, and code names the key. Support calls billing, which calls support again: the
//! spans of billing neither show up in support's tree nor cut it in two.

use std::path::PathBuf;
use std::time::Duration;

use braintrust::{Event, Logger, current_span, traced};

#[traced("triage ticket", type = "task", project = "support")]
fn triage(ticket: &str) -> String {
    let refund = refund(ticket, 30);
    current_span().log(Event::new().metadata("refunded", refund.is_ok())); // support's span again
    refund.unwrap_or_else(|problem| problem)
}

#[traced(type = "task", project = "billing")]
fn refund(ticket: &str, amount: u32) -> Result<String, String> {
    check_limit(amount)?;
    Ok(notify(ticket, &format!("you get {amount} back")))
}

/// Names no project: it is traced in the one that called it.
#[traced(type = "tool")]
fn check_limit(amount: u32) -> Result<(), String> {
    if amount <= 50 { Ok(()) } else { Err(format!("{amount} is more than may be refunded without a human")) }
}

#[traced("notify customer", type = "tool", project = "support")]
fn notify(ticket: &str, message: &str) -> String {
    format!("{ticket}: {message}")
}

fn main() -> anyhow::Result<()> {
    let folder = |key: &str| -> PathBuf {
        std::env::temp_dir().join(format!("braintrust-projects-{key}-{}", std::process::id()))
    };
    // Each project may have a key, an organisation or a folder of its own: here it is a folder.
    braintrust::register("support", Logger::builder().project("Support Bot").local_folder(folder("support")))?;
    braintrust::register("billing", Logger::builder().project("Billing").local_folder(folder("billing")))?;

    println!("{}\n", triage("ticket 7"));

    for key in ["support", "billing"] {
        let logger = braintrust::logger(key)?;
        logger.flush_blocking(Duration::from_secs(5))?;
        println!("{}:\n{}\n", logger.project(), braintrust::local::read(folder(key))?.tree());
        std::fs::remove_dir_all(folder(key))?;
    }
    Ok(())
}
