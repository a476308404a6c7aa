//! Where the examples ask models: OpenAI if there is a key, or else a stand-in on this machine that replays a fixed answer
//! for each kind of question. And how they show the trace of it.

mod answers;
pub mod server;

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use braintrust::Logger;

pub use answers::answer;
use server::Server;

/// Where models are asked.
pub enum Provider {
    /// OpenAI, or whoever the environment names instead.
    Online,
    /// The stand-in, as long as this lives.
    Offline(Server),
}

impl Provider {
    /// The provider that the environment names by `OPENAI_API_KEY` or `OPENAI_BASE_URL`, or else the stand-in.
    ///
    /// # Errors
    /// If the stand-in cannot be started.
    pub fn from_env() -> io::Result<Self> {
        if is_set("OPENAI_API_KEY") || is_set("OPENAI_BASE_URL") {
            return Ok(Self::Online);
        }
        println!("(offline: the answers are fixed; set OPENAI_API_KEY to ask a model)\n");
        Server::start(answer).map(Self::Offline)
    }

    /// The stand-in's address and a key for it, which take the place of those that the environment names.
    pub fn settings(&self) -> Option<(String, &'static str)> {
        match self {
            Self::Online => None,
            Self::Offline(server) => Some((format!("{}/v1", server.url()), "none")),
        }
    }
}

fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !value.is_empty())
}

/// Prints the latest trace, or where to look for it if it went to Braintrust.
///
/// # Errors
/// If the trace cannot be sent or read.
pub async fn show_trace(logger: &Logger) -> anyhow::Result<()> {
    let report = logger.flush().await?;
    let Some(folder) = logger.local_folder() else {
        println!("{report}: see the logs of the project `{}` on https://www.braintrust.dev/app", logger.project());
        return Ok(());
    };
    let traces = braintrust::local::read(folder)?;
    let latest = traces.roots().pop().context("there is no trace in the folder")?;
    println!("{}", latest.tree().max_width(60).color(io::stdout().is_terminal()));
    println!("\n{report}, to {}", folder.display());
    Ok(())
}
