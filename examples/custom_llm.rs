//! A model client of one's own: by hand, field by field, and by the generic helper, which reads it all from the wire.
//!
//! ```text
//! cargo run --example custom_llm
//! ```
//!
//! What Braintrust asks of a model's call: the type `llm`, the messages as input, the parameters in the metadata, and
//! the tokens in the metrics, by the names below. Then it shows the conversation, and works out the cost.

use std::io;
use std::pin::pin;
use std::time::Duration;

use braintrust::{Event, Logger, current_span, llm, traced};
use futures::stream::{self, Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A client that neither this library nor anyone else knows.
struct Client;

#[derive(Serialize)]
struct Request {
    model: &'static str,
    messages: Vec<Message>,
    temperature: f64,
    max_tokens: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct Message {
    role: String,
    content: String,
}

/// The answer, in a shape that is no provider's.
struct Completion {
    text: String,
    prompt_tokens: u32,
    completion_tokens: u32,
}

impl Client {
    async fn complete(&self, request: &Request) -> io::Result<Completion> {
        let words = request.messages.iter().map(|message| message.content.split_whitespace().count()).sum::<usize>();
        let text = "Rayleigh scattering.".to_owned();
        Ok(Completion { text, prompt_tokens: words as u32, completion_tokens: 2 })
    }

    /// The same in the shape of OpenAI's chat completions, which most providers speak.
    async fn send(&self, request: &Request) -> io::Result<Value> {
        let answer = self.complete(request).await?;
        Ok(json!({
            "model": format!("{}-2026", request.model),
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer.text}}],
            "usage": {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens},
        }))
    }

    fn stream(&self, _: &Request) -> impl Stream<Item = io::Result<Value>> + use<> {
        let delta = |text: &str| Ok(json!({"choices": [{"index": 0, "delta": {"content": text}}]}));
        let last = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2}});
        stream::iter([delta("Rayleigh "), delta("scattering."), Ok(last)])
    }
}

/// By hand: for a client whose values look like no provider's.
#[traced("Custom LLM", type = "llm", no_input, no_output)]
async fn by_hand(client: &Client, request: &Request) -> io::Result<String> {
    let answer = client.complete(request).await?;
    current_span().log(
        Event::new()
            .input(&request.messages)
            .output(&[json!({"role": "assistant", "content": answer.text})])
            .metadata("provider", "acme")
            .metadata("model", request.model)
            .metadata("temperature", request.temperature)
            .metadata("max_tokens", request.max_tokens)
            .metrics([
                ("prompt_tokens", answer.prompt_tokens),
                ("completion_tokens", answer.completion_tokens),
                ("tokens", answer.prompt_tokens + answer.completion_tokens),
            ]),
    );
    Ok(answer.text)
}

#[traced("answer", type = "task", skip(client))]
async fn answer(client: &Client, question: &str) -> io::Result<String> {
    let message = Message { role: "user".to_owned(), content: question.to_owned() };
    let request = Request { model: "acme-1", messages: vec![message], temperature: 0.0, max_tokens: 16 };
    by_hand(client, &request).await?;

    // The helper reads request and answer as they would be on the wire: all of the above, and no field by hand.
    llm("acme").request(&request).run(client.send(&request)).await?;

    // A stream is passed through as it comes; its span ends with it.
    let mut chunks = pin!(llm("acme").name("streamed").request(&request).stream(client.stream(&request)));
    let mut text = String::new();
    while let Some(chunk) = chunks.next().await {
        text += chunk?["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
    }
    Ok(text)
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("braintrust-custom-llm-{}", std::process::id()));
    let logger = Logger::builder().project("Custom LLM").local_folder(&folder).build()?;
    logger.install();
    let text = futures::executor::block_on(answer(&Client, "Why is the sky blue?"))?;
    println!("{text}");
    println!("{}", logger.flush_blocking(Duration::from_secs(5))?);
    println!("{}", braintrust::local::read(&folder)?.tree());
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
