//! An answer that is printed while it is written. The span ends with the stream, and holds the whole answer, the tokens
//! and the time to the first of them.
//!
//! ```text
//! cargo run -p braintrust-openai --example streaming
//! ```
//!
//! It runs offline, with fixed answers; with `OPENAI_API_KEY` a model answers.

use std::io::{Write as _, stdout};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, CreateChatCompletionRequestArgs,
};
use braintrust::{traced, wrap_openai};
use futures::StreamExt as _;
use provider::{Provider, show_trace};

#[traced(type = "task", skip(client))]
async fn tell(client: &Client<OpenAIConfig>, wish: &str) -> anyhow::Result<String> {
    let request = CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages([ChatCompletionRequestUserMessage::from(wish).into()])
        .stream(true)
        // Without it, OpenAI does not say what a stream has cost.
        .stream_options(ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None })
        .build()?;
    let mut stream = client.chat().create_stream(request).await?;
    let mut told = String::new();
    while let Some(chunk) = stream.next().await {
        for choice in chunk?.choices {
            let piece = choice.delta.content.unwrap_or_default();
            print!("{piece}");
            stdout().flush()?;
            told.push_str(&piece);
        }
    }
    println!("\n");
    Ok(told)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logger = braintrust::init_logger("streaming")?;
    let provider = Provider::from_env()?;
    let config = match provider.settings() {
        Some((address, key)) => OpenAIConfig::new().with_api_base(address).with_api_key(key),
        None => OpenAIConfig::default(),
    };
    let client = wrap_openai(Client::with_config(config));

    tell(&client, "Write a haiku about tracing.").await?;
    show_trace(&logger).await
}
