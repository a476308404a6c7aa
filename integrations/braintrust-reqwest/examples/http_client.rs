//! A client of one's own, for Anthropic's messages: with the middleware in its HTTP client, its calls are spans.
//!
//! ```text
//! cargo run -p braintrust-reqwest --example http_client
//! ```
//!
//! It runs offline, with a fixed answer; with `ANTHROPIC_API_KEY` a model answers.

use anyhow::Context as _;
use braintrust::reqwest::Middleware;
use braintrust::traced;
use provider::server::Server;
use provider::{answer, show_trace};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};

struct Anthropic {
    http: ClientWithMiddleware,
    base_url: String,
    api_key: String,
}

impl Anthropic {
    async fn message(&self, system: &str, question: &str) -> anyhow::Result<String> {
        let request = json!({
            "model": "claude-haiku-4-5",
            "max_tokens": 200,
            "system": system,
            "messages": [{"role": "user", "content": question}],
        });
        let request = self.http.post(format!("{}/v1/messages", self.base_url)).body(request.to_string());
        let request = request.header("content-type", "application/json").header("anthropic-version", "2023-06-01");
        let response = request.header("x-api-key", &self.api_key).send().await?.error_for_status()?;
        let reply: Value = serde_json::from_str(&response.text().await?)?;
        Ok(reply["content"][0]["text"].as_str().context("the model said nothing")?.to_owned())
    }
}

#[traced(type = "task", skip(client))]
async fn explain(client: &Anthropic, term: &str) -> anyhow::Result<String> {
    client.message("Explain in one sentence.", &format!("What is a {term}?")).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logger = braintrust::init_logger("http_client")?;
    let http = ClientBuilder::new(reqwest::Client::new()).with(Middleware::new()).build();
    let stand_in = Server::start(answer)?; // answers where there is no key
    let client = match std::env::var("ANTHROPIC_API_KEY") {
        Ok(api_key) => Anthropic { http, base_url: "https://api.anthropic.com".to_owned(), api_key },
        Err(_) => Anthropic { http, base_url: stand_in.url(), api_key: "none".to_owned() },
    };

    println!("{}\n", explain(&client, "trace").await?);
    show_trace(&logger).await
}
