//! One trace for many jobs: a conversation that each turn takes up in a process of its own.
//!
//! ```text
//! cargo run --example conversation
//! ```
//!
//! Between turns nothing runs. What is kept of the conversation is in SQLite: its messages, and the headers (`traceparent`,
//! `tracestate`, `baggage`) of the span that it is. The next turn may come tomorrow, and on another machine.

mod store;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use braintrust::{Event, Logger, extract, inject, root_span, task_span, traced};

use store::{Message, Store};

const SAID: [&str; 3] = ["Hello, I am Ada.", "What is a span?", "And what did I say my name was?"];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["turn", folder, conversation, text] => take_turn(folder.as_ref(), conversation, text),
        _ => converse(),
    }
}

/// Runs a process for each turn, and shows the one trace that they make.
fn converse() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("braintrust-conversation-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for text in SAID {
        let turn =
            Command::new(std::env::current_exe()?).arg("turn").arg(&folder).args(["conversation-1", text]).status()?;
        anyhow::ensure!(turn.success(), "a turn failed: {turn}");
    }
    println!("\n{}", braintrust::local::read(folder.join("traces"))?.tree().max_width(50));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn take_turn(folder: &Path, conversation: &str, text: &str) -> anyhow::Result<()> {
    let logger = Logger::builder().project("Conversations").local_folder(folder.join("traces")).build()?;
    logger.install();
    let store = Store::open(&folder.join("conversations.sqlite"))?;

    let mut headers = store.headers(conversation)?;
    if headers.is_empty() {
        let begun = root_span("conversation").event(Event::new().metadata("id", conversation)).start();
        inject(&begun, &mut headers);
        store.keep_headers(conversation, &headers)?;
    }
    let turn = task_span("turn").parent(extract(&headers)).input(text).start();
    let reply = turn.in_scope(|| {
        let history = store.messages(conversation)?;
        anyhow::Ok(ask_model(&history, text))
    })?;
    turn.log(Event::new().output(&reply));
    turn.end();

    store.add(conversation, &Message::user(text))?;
    store.add(conversation, &Message::assistant(&reply))?;
    println!("> {text}\n{reply}");
    logger.flush_blocking(Duration::from_secs(5))?;
    Ok(())
}

#[traced(type = "llm")]
fn ask_model(history: &[Message], text: &str) -> String {
    let name = history.iter().find_map(|message| message.content.split_once("I am ")).map(|(_, name)| name);
    match (text.contains("name"), name) {
        (true, Some(name)) => format!("You are {name}"),
        (true, None) => "You did not say.".to_owned(),
        (false, _) => format!("That is message {} of ours.", history.len() + 1),
    }
}
