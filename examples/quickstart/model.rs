//! The language model: an OpenAI-compatible endpoint, or an offline stand-in that quotes what it was given.

use anyhow::Context as _;
use braintrust::{Event, current_span, traced};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::search::{self, words};

/// Who answers.
pub enum Model {
    Endpoint(Endpoint),
    Offline,
}

/// Where an OpenAI-compatible model is, and which one to ask.
pub struct Endpoint {
    client: reqwest::Client,
    base_url: String,
    api_key: String,
    model: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    role: String,
    content: String,
}

impl Message {
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: "system".to_owned(), content: content.into() }
    }

    pub fn user(content: impl Into<String>) -> Self {
        Self { role: "user".to_owned(), content: content.into() }
    }
}

/// A reply in OpenAI's shape, as far as it matters here.
#[derive(Deserialize)]
struct Completion {
    model: String,
    choices: Vec<Choice>,
    usage: Usage,
}

#[derive(Serialize, Deserialize)]
struct Choice {
    index: u32,
    finish_reason: String,
    message: Message,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

impl Model {
    /// The endpoint that the environment names, or else the offline stand-in.
    pub fn from_env() -> Self {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (api_key, base_url) = (var("OPENAI_API_KEY"), var("OPENAI_BASE_URL"));
        if api_key.is_none() && base_url.is_none() {
            return Self::Offline;
        }
        Self::Endpoint(Endpoint {
            client: reqwest::Client::new(),
            base_url: base_url.unwrap_or_else(|| "https://api.openai.com/v1".to_owned()),
            api_key: api_key.unwrap_or_default(),
            model: var("OPENAI_MODEL").unwrap_or_else(|| "gpt-4o-mini".to_owned()),
        })
    }

    /// Who answers, for the reader of the answer.
    pub fn describe(&self) -> String {
        match self {
            Self::Endpoint(endpoint) => format!("written by {}", endpoint.model),
            Self::Offline => "offline: quoted from the files; set OPENAI_API_KEY to have a model write it".to_owned(),
        }
    }

    /// One call of the model. Its span holds what Braintrust expects of a span of type `llm`: the messages as input,
    /// the choices as output, the model's name, and what it used.
    #[traced(type = "llm", input = messages, no_output)]
    pub async fn chat(&self, messages: &[Message]) -> anyhow::Result<String> {
        let Completion { model, choices, usage } = match self {
            Self::Endpoint(endpoint) => endpoint.complete(messages).await?,
            Self::Offline => quote(messages),
        };
        current_span().log(Event::new().output(&choices).metadata("model", &model).metrics([
            ("prompt_tokens", usage.prompt_tokens),
            ("completion_tokens", usage.completion_tokens),
            ("tokens", usage.total_tokens),
        ]));
        let choice = choices.into_iter().next().context("the model gave no choice")?;
        Ok(choice.message.content)
    }
}

impl Endpoint {
    async fn complete(&self, messages: &[Message]) -> anyhow::Result<Completion> {
        let url = format!("{}/chat/completions", self.base_url.trim_end_matches('/'));
        let request = json!({"model": self.model, "messages": messages});
        let response = self.client.post(url).bearer_auth(&self.api_key).json(&request).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }
}

/// Answers with the paragraph of the prompt that has most to do with the question.
fn quote(messages: &[Message]) -> Completion {
    let prompt = messages.last().map_or("", |message| &message.content);
    let (passages, question) = prompt.rsplit_once("Question: ").unwrap_or(("", prompt));
    let paragraphs = passages.split("\n\n").filter(|paragraph| !paragraph.is_empty()).collect();
    let answer = search::best(question, paragraphs, 1).pop().unwrap_or("None of the files could be read.");
    // This model's tokens are words.
    let [prompt_tokens, completion_tokens] = [prompt, answer].map(|text| words(text).count() as u32);
    Completion {
        model: "offline".to_owned(),
        choices: vec![Choice {
            index: 0,
            finish_reason: "stop".to_owned(),
            message: Message { role: "assistant".to_owned(), content: answer.to_owned() },
        }],
        usage: Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
    }
}
