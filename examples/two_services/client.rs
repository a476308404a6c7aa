//! The client: starts the server, and sends the current span along with each request.

use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use braintrust::{Logger, current_span, inject, traced};
use reqwest::header::HeaderMap;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Starts the server, asks it a question, and waits until it is gone and its spans are in the folder.
pub async fn ask_server(logger: &Logger, folder: &Path) -> anyhow::Result<()> {
    let (mut server, address) = start_server(folder).await?;
    let reply = plan_trip(&address, "Lisbon").await?;
    println!("{reply}\n");
    drop(server.stdin.take()); // the server ends when its input does
    server.wait().await?;
    logger.flush().await?;
    Ok(())
}

async fn start_server(folder: &Path) -> anyhow::Result<(Child, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = command.spawn()?;
    let output = server.stdout.take().context("the server has no output")?;
    let address = BufReader::new(output).lines().next_line().await?.context("the server does not say where it is")?;
    Ok((server, address))
}

#[traced(type = "task", skip(address))]
async fn plan_trip(address: &str, city: &str) -> anyhow::Result<String> {
    let (weather, sights) = futures::try_join!(get(address, "weather", city), get(address, "sights", city))?;
    Ok(format!("{city}: {weather}; {sights}"))
}

#[traced("GET {what}", type = "tool", skip(address))]
async fn get(address: &str, what: &str, city: &str) -> anyhow::Result<String> {
    let mut headers = HeaderMap::new();
    inject(&current_span(), &mut headers);
    let request = reqwest::Client::new().get(format!("http://{address}/{what}/{city}")).headers(headers);
    Ok(request.send().await?.error_for_status()?.text().await?)
}
