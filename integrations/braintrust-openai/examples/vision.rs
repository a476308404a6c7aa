//! A model is shown an image. In the trace it becomes an attachment, which is stored and shown on its own.
//!
//! ```text
//! cargo run -p braintrust-openai --example vision
//! cargo run -p braintrust-openai --example vision -- photo.png
//! ```
//!
//! It runs offline, with fixed answers; with `OPENAI_API_KEY` a model answers.

use std::path::Path;

use anyhow::Context as _;
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use braintrust::{traced, wrap_openai};
use provider::{Provider, show_trace};
use serde_json::{Value, json};

/// An orange square of 16 by 16 pixels.
const SQUARE: &[u8] = include_bytes!("../../../examples/provider/src/square.png");

#[traced(type = "task", skip(client, image), no_output)]
async fn describe(client: &Client<OpenAIConfig>, question: &str, image: &[u8]) -> anyhow::Result<String> {
    let url = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(image));
    let content = json!([{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]);
    let request = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}]});
    let reply: Value = client.chat().create_byot(request).await?;
    Ok(reply["choices"][0]["message"]["content"].as_str().context("the model said nothing")?.to_owned())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logger = braintrust::init_logger("vision")?;
    let provider = Provider::from_env()?;
    let config = match provider.settings() {
        Some((address, key)) => OpenAIConfig::new().with_api_base(address).with_api_key(key),
        None => OpenAIConfig::default(),
    };
    let client = wrap_openai(Client::with_config(config));
    let image = match std::env::args().nth(1) {
        Some(path) => std::fs::read(Path::new(&path)).with_context(|| format!("{path} cannot be read"))?,
        None => SQUARE.to_vec(),
    };

    println!("{}\n", describe(&client, "What do you see?", &image).await?);
    show_trace(&logger).await
}
