//! Anthropic's messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::accumulate::accumulate;
use super::{Answered, Asked, Assembly, Event, Format, Seen, exception, message, model_of, wants_stream};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::{self, Key, Metadata};
use crate::llm::metrics::{Count, Metric, Metrics, merge_usage};
use crate::llm::notes::Notes;

const SETTINGS: [(&str, Key); 6] = [
    ("model", Key::Model),
    ("temperature", Key::Temperature),
    ("top_p", Key::TopP),
    ("max_tokens", Key::MaxTokens),
    ("stop_sequences", Key::Stop),
    ("output_format", Key::ResponseFormat),
];

/// How many blocks one message may have.
const MAX_BLOCKS: usize = 4096;

pub(super) struct Messages;

impl Format for Messages {
    fn request(&self, mut request: Value, endpoint: &Endpoint) -> Asked {
        let streams = wants_stream(&request) || endpoint.streams() == Some(true);
        let mut asked = Asked { streams, ..Asked::default() };
        asked.input = json::take(&mut request, "messages");
        // The system prompt stands beside the messages; among them it comes last.
        if let (Some(Value::Array(messages)), Some(system)) = (&mut asked.input, json::take(&mut request, "system")) {
            messages.push(message("system", system));
        }
        asked.metadata.take(&mut request, &SETTINGS);
        if let Some(format) = request.get_mut("output_config").and_then(|config| json::take(config, "format")) {
            asked.metadata.set(Key::ResponseFormat, format);
        }
        asked.metadata.set_tools(json::take_array(&mut request, "tools").into_iter().map(tool).collect());
        if let Some(choice) = json::take(&mut request, "tool_choice") {
            set_tool_choice(&mut asked.metadata, choice);
        }
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered { model: model_of(response, "model"), ..Answered::default() };
        if let Some(usage) = json::get(response, "usage") {
            read_usage(usage, &mut answered.metrics, notes);
        }
        let mut output = Object::new();
        for key in ["role", "content", "stop_reason"] {
            if let Some(value) = json::take(response, key) {
                output.insert(key.to_owned(), value);
            }
        }
        answered.output = (!output.is_empty()).then_some(Value::Object(output));
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<MessageStream>::default()
    }
}

/// A tool that the user runs is described by a schema; the others are Anthropic's own.
fn tool(tool: Value) -> Value {
    match json::text(&tool, "type") {
        None | Some("custom") if tool.get("name").is_some() => metadata::function_tool(tool, &["input_schema"]),
        _ => metadata::native_tool(tool),
    }
}

fn set_tool_choice(metadata: &mut Metadata, mut choice: Value) {
    if let Some(Value::Bool(disabled)) = json::take(&mut choice, "disable_parallel_tool_use") {
        metadata.set(Key::ParallelToolCalls, !disabled);
    }
    let normalised = match json::text(&choice, "type") {
        Some("any") => "required".into(),
        Some("tool") => metadata::chosen_function(json::take(&mut choice, "name").unwrap_or_default()),
        Some(kind @ ("auto" | "none")) => kind.into(),
        _ => choice,
    };
    metadata.set(Key::ToolChoice, normalised);
}

/// Anthropic counts what was read from and written to its cache beside the input, not in it.
fn read_usage(usage: &Value, metrics: &mut Metrics, notes: &mut Notes) {
    let read = Count::read(usage, &["cache_read_input_tokens"], notes);
    let mut written = Count::read(usage, &["cache_creation_input_tokens"], notes);
    match json::get(usage, "cache_creation") {
        Some(split) => {
            let short = Count::read(split, &["ephemeral_5m_input_tokens"], notes);
            let long = Count::read(split, &["ephemeral_1h_input_tokens"], notes);
            metrics.set(Metric::PromptCacheCreation5m, short);
            metrics.set(Metric::PromptCacheCreation1h, long);
            written = match (short, long) {
                (Count::Absent, long) => long.or(written),
                (short, long) => short.plus_if_any(long),
            };
        }
        None => metrics.set(Metric::PromptCacheCreation, written),
    }
    metrics.set(Metric::PromptCached, read);
    let prompt = Count::read(usage, &["input_tokens"], notes).plus_if_any(read).plus_if_any(written);
    let completion = Count::read(usage, &["output_tokens"], notes);
    metrics.set_totals(prompt, completion, Count::Absent);
    if let Some(details) = json::get(usage, "output_tokens_details") {
        metrics.set(Metric::CompletionReasoning, Count::read(details, &["thinking_tokens"], notes));
    }
}

#[derive(Default)]
struct MessageStream {
    message: Object,
    blocks: BTreeMap<u64, Block>,
    usage: Value,
    error: Value,
}

#[derive(Default)]
struct Block {
    content: Value,
    /// The arguments of a tool call, as the text that they come in.
    arguments: String,
}

impl Assembly for MessageStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let mut data = event.data;
        let kind = json::text(&data, "type").unwrap_or(event.name).to_owned();
        let index = data.get("index").and_then(Value::as_u64).unwrap_or(0);
        match kind.as_str() {
            "message_start" => {
                if let Some(Value::Object(mut message)) = json::take(&mut data, "message") {
                    self.take_usage(message.remove("usage").unwrap_or_default());
                    self.message = message;
                }
            }
            "content_block_start" => {
                if self.blocks.len() >= MAX_BLOCKS {
                    notes.add(format!("the stream has more than {MAX_BLOCKS} blocks"));
                } else if let Some(content) = json::take(&mut data, "content_block") {
                    let token = holds_token(&content);
                    self.blocks.insert(index, Block { content, arguments: String::new() });
                    return Seen { token, last: false };
                }
            }
            "content_block_delta" => {
                let delta = json::take(&mut data, "delta").unwrap_or_default();
                let token = holds_token(&delta);
                if self.blocks.contains_key(&index) || self.blocks.len() < MAX_BLOCKS {
                    self.blocks.entry(index).or_default().add(delta, notes);
                }
                return Seen { token, last: false };
            }
            "message_delta" => {
                if let Some(Value::Object(delta)) = json::take(&mut data, "delta") {
                    self.message.extend(delta.into_iter().filter(|(_, value)| !value.is_null()));
                }
                self.take_usage(json::take(&mut data, "usage").unwrap_or_default());
            }
            "message_stop" => return Seen { token: false, last: true },
            "error" => {
                self.error = json::take(&mut data, "error").unwrap_or(data);
                return Seen { token: false, last: true };
            }
            other => {
                if let Some(error) = exception(other, &mut data) {
                    self.error = error;
                    return Seen { token: false, last: true };
                }
            }
        }
        Seen::default()
    }

    fn into_response(self: Box<Self>, notes: &mut Notes) -> Value {
        let Self { mut message, blocks, usage, error } = *self;
        if !blocks.is_empty() || !message.is_empty() {
            let blocks: Vec<_> = blocks.into_values().map(|block| block.into_content(notes)).collect();
            message.insert("content".to_owned(), blocks.into());
            message.entry("role").or_insert_with(|| "assistant".into());
        }
        message.insert("usage".to_owned(), usage);
        message.insert("error".to_owned(), error);
        Value::Object(message)
    }
}

impl MessageStream {
    /// What was written to the cache is told by its age at the beginning only. Where more has been written by the end
    /// (by what Anthropic's own tools led to), the ages of that are not known.
    fn take_usage(&mut self, usage: Value) {
        let count = |of: &Value, key: &str| of.get(key).and_then(Value::as_u64);
        let known = self.usage.get("cache_creation").and_then(|split| {
            let [short, long] = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"].map(|key| count(split, key));
            short.unwrap_or_default().checked_add(long.unwrap_or_default())
        });
        let written = count(&usage, "cache_creation_input_tokens");
        if usage.get("cache_creation").is_none() && known.is_some_and(|known| written > Some(known)) {
            json::take(&mut self.usage, "cache_creation");
        }
        merge_usage(&mut self.usage, usage);
    }
}

/// Whether a block, or a delta of one, holds more than what kind it is.
fn holds_token(piece: &Value) -> bool {
    piece.as_object().is_some_and(|piece| piece.iter().any(|(key, value)| key != "type" && !json::is_empty(value)))
}

impl Block {
    fn add(&mut self, mut delta: Value, notes: &mut Notes) {
        let kind = json::take(&mut delta, "type");
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("text_delta");
        if kind == "input_json_delta" {
            self.arguments.push_str(json::text(&delta, "partial_json").unwrap_or_default());
            return;
        }
        if !self.content.is_object() {
            let of_a_kind = |kind: &str| json!({"type": kind.strip_suffix("_delta").unwrap_or(kind)});
            self.content = match kind {
                "signature_delta" => of_a_kind("thinking"),
                "citations_delta" => of_a_kind("text"),
                kind => of_a_kind(kind),
            };
        }
        if let Some(citation) = json::take(&mut delta, "citation") {
            delta = json!({"citations": [citation]});
        }
        accumulate(&mut self.content, delta, notes);
    }

    fn into_content(self, notes: &mut Notes) -> Value {
        let Self { mut content, arguments } = self;
        if arguments.is_empty() {
            return content;
        }
        if !content.is_object() {
            content = json!({"type": "tool_use"});
        }
        let read = json::read(arguments.as_bytes());
        content["input"] = match read.problem {
            None => read.value,
            // As it came: the model wrote no JSON, or the stream broke off.
            Some(problem) => {
                notes.add(format!("the arguments of a tool call are not JSON: {problem}"));
                arguments.into()
            }
        };
        content
    }
}
