//! One file for each wire format: what its requests ask, what its responses say, how its streams add up.

mod accumulate;
mod chat;
mod cohere;
mod converse;
mod generate_content;
mod media;
mod messages;
mod ollama;
mod rerank;
mod responses;
mod usage;

use serde_json::Value;

use super::json;
use super::metadata::Metadata;
use super::metrics::Metrics;
use super::notes::Notes;
use super::{Endpoint, WireApi};

/// What a request says.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) input: Option<Value>,
    pub(super) metadata: Metadata,
    /// Whether the answer is to come as a stream.
    pub(super) streams: bool,
}

/// What a response says.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) output: Option<Value>,
    pub(super) model: Option<String>,
    pub(super) metrics: Metrics,
}

/// One event of a stream.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) name: &'a str,
    pub(super) data: Value,
}

/// What an event was to the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// It held something that the model generated.
    pub(super) token: bool,
    /// It says that the answer is whole. More may follow: usage, mostly.
    pub(super) last: bool,
}

/// A wire format.
pub(super) trait Format {
    /// Reads a request.
    fn request(&self, request: Value, endpoint: &Endpoint) -> Asked;

    /// Reads a response that is no error, and takes the output out of it.
    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered;

    /// Begins to put a stream together.
    fn assembly(&self) -> Box<dyn Assembly>;
}

/// A stream on its way to being a response.
pub(super) trait Assembly: Send {
    /// Takes an event in.
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen;

    /// The response as it would have come in one piece, as far as its events came.
    fn into_response(self: Box<Self>, notes: &mut Notes) -> Value;
}

/// How requests and responses of an API are read.
pub(super) fn format(api: WireApi) -> &'static dyn Format {
    match api {
        WireApi::ChatCompletions | WireApi::Completions => &chat::Chat,
        WireApi::Responses => &responses::Responses,
        WireApi::Embeddings => &media::Embeddings,
        WireApi::Images => &media::Images,
        WireApi::Speech => &media::Speech,
        WireApi::Transcriptions => &media::Transcriptions,
        WireApi::Moderations => &media::Moderations,
        WireApi::Rerank => &rerank::Rerank,
        WireApi::Messages => &messages::Messages,
        WireApi::GenerateContent => &generate_content::GenerateContent,
        WireApi::Converse => &converse::Converse,
        WireApi::CohereChat => &cohere::Cohere,
        WireApi::OllamaChat => &ollama::Ollama,
        WireApi::OllamaGenerate => &ollama::Ollama,
    }
}

/// A message of someone.
fn message(role: &str, content: impl Into<Value>) -> Value {
    serde_json::json!({"role": role, "content": content.into()})
}

/// A prompt as messages of the user; what is neither text nor texts (numbers of tokens) stays as it is.
fn prompt_messages(prompt: Value) -> Value {
    match prompt {
        Value::String(_) => Value::Array(vec![message("user", prompt)]),
        Value::Array(texts) if !texts.is_empty() && texts.iter().all(Value::is_string) => {
            texts.into_iter().map(|text| message("user", text)).collect()
        }
        other => other,
    }
}

/// Whether the request asks for a stream.
fn wants_stream(request: &Value) -> bool {
    request.get("stream").and_then(Value::as_bool) == Some(true)
}

/// The exception with which Amazon ends a stream, as an error; `None` if `name` is not of one.
fn exception(name: &str, data: &mut Value) -> Option<Value> {
    let text = name.ends_with("Exception").then(|| json::take(data, "message").unwrap_or_else(|| data.take()))?;
    Some(serde_json::json!({"message": text, "type": name}))
}

/// The model that a response names.
fn model_of(response: &Value, key: &str) -> Option<String> {
    json::text(response, key).filter(|model| !model.is_empty()).map(str::to_owned)
}
