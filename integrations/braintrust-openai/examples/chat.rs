//! A model is asked through a wrapped client, and each of its calls is a span: no other line tells of tracing them.
//!
//! ```text
//! cargo run -p braintrust-openai --example chat
//! ```
//!
//! It runs offline, with fixed answers; with `OPENAI_API_KEY` a model answers.

use anyhow::Context as _;
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs,
};
use braintrust::{traced, wrap_openai};
use provider::{Provider, show_trace};

#[traced(type = "task", skip(client))]
async fn answer(client: &Client<OpenAIConfig>, question: &str) -> anyhow::Result<String> {
    let request = CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages([
            ChatCompletionRequestSystemMessage::from("Answer in one sentence.").into(),
            ChatCompletionRequestUserMessage::from(question).into(),
        ])
        .build()?;
    let reply = client.chat().create(request).await?;
    reply.choices.into_iter().next().and_then(|choice| choice.message.content).context("the model said nothing")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logger = braintrust::init_logger("chat")?;
    let provider = Provider::from_env()?;
    let config = match provider.settings() {
        Some((address, key)) => OpenAIConfig::new().with_api_base(address).with_api_key(key),
        None => OpenAIConfig::default(),
    };
    let client = wrap_openai(Client::with_config(config));

    println!("{}\n", answer(&client, "What is a span?").await?);
    show_trace(&logger).await
}
