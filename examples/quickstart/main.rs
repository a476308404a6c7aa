//! Answers a question about this repository from its Markdown files, and shows the trace of how it did.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- "Where do traces go without a key?"
//! ```
//!
//! Nothing needs to be set up. With `OPENAI_API_KEY`, or with `OPENAI_BASE_URL` for anything that speaks OpenAI's
//! protocol, a model writes the answer. With `BRAINTRUST_API_KEY` the trace goes to Braintrust.

mod documents;
mod model;
mod search;

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use braintrust::{Event, FlushReport, Logger, current_span, traced};
use futures::future::join_all;

use documents::Passage;
use model::{Message, Model};

/// What is read for an answer. There is no `FAQ.md`: that call fails, the trace shows it, and the others still answer.
const DOCUMENTS: [&str; 4] = ["README.md", "FAQ.md", "ARCHITECTURE.md", "CHANGELOG.md"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logger = braintrust::init_logger("quickstart")?;
    let model = Model::from_env();
    let question = std::env::args().nth(1).unwrap_or_else(|| "How do I send my traces to Braintrust?".to_owned());

    println!("Question: {question}\n");
    match answer_question(&model, &question).await {
        Ok(answer) => println!("{answer}\n\n({})\n", model.describe()),
        Err(error) => println!("No answer: {error:#}\n"),
    }
    match logger.flush().await {
        Ok(report) => show_trace(&logger, &report)?,
        Err(error) => println!("{error}"), // no reason for a program to fail: its work is done
    }
    Ok(())
}

#[traced(type = "task", skip(model))]
async fn answer_question(model: &Model, question: &str) -> anyhow::Result<String> {
    let passages = retrieve(question).await;
    current_span().log(Event::new().metadata("passages", passages.len()));
    model.chat(&prompt(question, &passages)).await
}

/// The passages that have most to do with the question, from all documents that can be read.
#[traced]
async fn retrieve(question: &str) -> Vec<Passage> {
    let loaded = join_all(DOCUMENTS.map(load_passages)).await;
    let passages = loaded.into_iter().filter_map(Result::ok).flatten().collect();
    rank(question, passages)
}

#[traced(no_output)]
async fn load_passages(document: &str) -> io::Result<Vec<Passage>> {
    let text = documents::read_file(document).await?;
    Ok(documents::split(document, &text))
}

#[traced(skip(passages))]
fn rank(question: &str, passages: Vec<Passage>) -> Vec<Passage> {
    search::best(question, passages, 3)
}

fn prompt(question: &str, passages: &[Passage]) -> [Message; 2] {
    let passages: String = passages.iter().map(|passage| format!("{passage}\n\n")).collect();
    [
        Message::system("Answer in one or two sentences, from these passages only. Say so if they don't tell."),
        Message::user(format!("{passages}Question: {question}")),
    ]
}

/// Prints the trace if it went to the local folder, and where to look for it if it went to Braintrust.
fn show_trace(logger: &Logger, report: &FlushReport) -> anyhow::Result<()> {
    let Some(folder) = logger.local_folder() else {
        println!("{report}: see the logs of the project `quickstart` on https://www.braintrust.dev/app");
        return Ok(());
    };
    let traces = braintrust::local::read(folder)?;
    let latest = traces.roots().pop().context("there is no trace in the folder")?;
    println!("{}", latest.tree().max_width(40).color(io::stdout().is_terminal()));
    println!("\n{report}, to {}", folder.display());
    Ok(())
}
