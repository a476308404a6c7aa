//! The server: its spans go where the headers of a request say.

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::routing::get;
use braintrust::{Logger, extract, traced};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// Serves until the standard input ends, and says on the standard output where.
pub async fn serve(logger: &Logger) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let routes = Router::new().route("/weather/{city}", get(weather)).route("/sights/{city}", get(sights));
    axum::serve(listener, routes).with_graceful_shutdown(end_of_input()).await?;
    logger.flush().await?;
    Ok(())
}

async fn end_of_input() {
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
}

/// Headers without a trace, or with a broken one, are no problem: the span begins a trace of its own then.
#[traced(type = "task", parent = extract(&headers), skip(headers))]
async fn weather(headers: HeaderMap, Path(city): Path<String>) -> &'static str {
    ask_model(&format!("How is the weather in {city}?")).await
}

#[traced(type = "task", parent = extract(&headers), skip(headers))]
async fn sights(headers: HeaderMap, Path(city): Path<String>) -> &'static str {
    ask_model(&format!("What is there to see in {city}?")).await
}

#[traced(type = "llm")]
async fn ask_model(prompt: &str) -> &'static str {
    if prompt.contains("weather") { "sunny" } else { "a castle" }
}
