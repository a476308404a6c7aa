//! Amazon Bedrock's Converse.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::accumulate::accumulate;
use super::{Answered, Asked, Assembly, Event, Format, Seen, exception, message};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::{self, Key, Metadata};
use crate::llm::metrics::{Count, Metric, Metrics, merge_usage};
use crate::llm::notes::Notes;

const SETTINGS: [(&str, Key); 4] = [
    ("temperature", Key::Temperature),
    ("topP", Key::TopP),
    ("maxTokens", Key::MaxTokens),
    ("stopSequences", Key::Stop),
];

/// How many blocks one message may have.
const MAX_BLOCKS: usize = 4096;

pub(super) struct Converse;

impl Format for Converse {
    fn request(&self, mut request: Value, endpoint: &Endpoint) -> Asked {
        let mut asked = Asked { streams: endpoint.streams() == Some(true), ..Asked::default() };
        if let Some(Value::Array(mut messages)) = json::take(&mut request, "messages") {
            // The system prompt stands beside the messages; among them it comes last.
            messages.extend(json::take(&mut request, "system").map(|system| message("system", system)));
            messages.iter_mut().for_each(name_blocks);
            asked.input = Some(messages.into());
        }
        if let Some(model) = endpoint.model() {
            asked.metadata.set(Key::Model, model);
        }
        if let Some(mut config) = json::take(&mut request, "inferenceConfig") {
            asked.metadata.take(&mut config, &SETTINGS);
        }
        if let Some(mut config) = json::take(&mut request, "toolConfig") {
            asked.metadata.set_tools(json::take_array(&mut config, "tools").into_iter().filter_map(tool).collect());
            if let Some(choice) = json::take(&mut config, "toolChoice") {
                set_tool_choice(&mut asked.metadata, choice);
            }
        }
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered::default();
        if let Some(usage) = json::get(response, "usage") {
            read_usage(usage, &mut answered.metrics, notes);
        }
        let message = response.get_mut("output").and_then(|output| json::take(output, "message"));
        answered.output = message.map(|mut message| {
            name_blocks(&mut message);
            Value::Array(vec![message])
        });
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<ConverseStream>::default()
    }
}

/// Gives each block of a message a `type`, as those of other providers have; Bedrock's tell what they are by their key.
fn name_blocks(message: &mut Value) {
    let blocks = message.get_mut("content").and_then(Value::as_array_mut);
    for block in blocks.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(key) = block.keys().next().filter(|key| *key != "type") {
            let kind = snake_case(key);
            block.insert("type".to_owned(), kind.into());
        }
    }
}

fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A tool; `None` for the marks of the cache that stand among them.
fn tool(mut entry: Value) -> Option<Value> {
    let Some(mut tool) = json::take(&mut entry, "toolSpec") else {
        return entry.get("cachePoint").is_none().then(|| metadata::native_tool(entry));
    };
    if let Some(schema) = tool.get_mut("inputSchema").and_then(|schema| json::take(schema, "json")) {
        tool["inputSchema"] = schema;
    }
    Some(metadata::function_tool(tool, &["inputSchema"]))
}

fn set_tool_choice(metadata: &mut Metadata, mut choice: Value) {
    let name = choice.get_mut("tool").and_then(|tool| json::take(tool, "name"));
    let normalised = match name {
        Some(name) => metadata::chosen_function(name),
        None if choice.get("any").is_some() => "required".into(),
        None if choice.get("auto").is_some() => "auto".into(),
        None => choice,
    };
    metadata.set(Key::ToolChoice, normalised);
}

/// Bedrock counts what was read from and written to its cache beside the input, not in it.
fn read_usage(usage: &Value, metrics: &mut Metrics, notes: &mut Notes) {
    let read = Count::read(usage, &["cacheReadInputTokens", "cacheReadInputTokenCount"], notes);
    let written = Count::read(usage, &["cacheWriteInputTokens", "cacheWriteInputTokenCount"], notes);
    let prompt = Count::read(usage, &["inputTokens"], notes).plus_if_any(read).plus_if_any(written);
    let completion = Count::read(usage, &["outputTokens"], notes);
    metrics.set_totals(prompt, completion, Count::read(usage, &["totalTokens"], notes));
    metrics.set(Metric::PromptCached, read);
    let by_age = |age: &str, notes: &mut Notes| {
        let details = usage.get("cacheDetails").and_then(Value::as_array).into_iter().flatten();
        let of_age = details.filter(|detail| json::text(detail, "ttl") == Some(age));
        of_age.fold(Count::Absent, |sum, detail| {
            let count = Count::read(detail, &["inputTokens"], notes);
            if sum == Count::Absent { count } else { sum.plus_if_any(count) }
        })
    };
    match (by_age("5m", notes), by_age("1h", notes)) {
        (Count::Absent, Count::Absent) => metrics.set(Metric::PromptCacheCreation, written),
        (short, long) => {
            metrics.set(Metric::PromptCacheCreation5m, short);
            metrics.set(Metric::PromptCacheCreation1h, long);
        }
    }
}

#[derive(Default)]
struct ConverseStream {
    role: Value,
    blocks: BTreeMap<u64, Block>,
    usage: Value,
    error: Value,
}

#[derive(Default)]
struct Block {
    content: Object,
    /// The arguments of a tool call, as the text that they come in.
    arguments: String,
    /// Where the text comes from.
    citations: Vec<Value>,
}

impl Assembly for ConverseStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let (name, mut data) = named(event);
        let index = data.get("contentBlockIndex").and_then(Value::as_u64).unwrap_or(0);
        match name.as_str() {
            "messageStart" => self.role = json::take(&mut data, "role").unwrap_or_default(),
            "contentBlockStart" | "contentBlockDelta" => {
                let key = if name == "contentBlockStart" { "start" } else { "delta" };
                let Some(Value::Object(piece)) = json::take(&mut data, key) else { return Seen::default() };
                if self.blocks.len() >= MAX_BLOCKS && !self.blocks.contains_key(&index) {
                    notes.add(format!("the stream has more than {MAX_BLOCKS} blocks"));
                    return Seen::default();
                }
                let token = self.blocks.entry(index).or_default().add(piece, notes);
                return Seen { token, last: false };
            }
            "messageStop" => return Seen { token: false, last: true },
            "metadata" => merge_usage(&mut self.usage, json::take(&mut data, "usage").unwrap_or_default()),
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
        let Self { role, blocks, usage, error } = *self;
        let mut response = json!({"usage": usage, "error": error});
        if !role.is_null() || !blocks.is_empty() {
            let role = if role.is_null() { "assistant".into() } else { role };
            let content: Vec<_> = blocks.into_values().map(|block| block.into_content(notes)).collect();
            response["output"] = json!({"message": {"role": role, "content": content}});
        }
        response
    }
}

/// The name of an event, and what it says. Where the framing has no names, the event is an object with its name as key.
fn named(event: Event<'_>) -> (String, Value) {
    match event.data {
        Value::Object(data) if event.name.is_empty() && data.len() == 1 => data.into_iter().next().unwrap_or_default(),
        data => (event.name.to_owned(), data),
    }
}

impl Block {
    /// Adds the beginning or a piece of a block; whether it held something generated.
    fn add(&mut self, piece: Object, notes: &mut Notes) -> bool {
        let mut token = false;
        for (kind, mut value) in piece {
            match kind.as_str() {
                "text" => {
                    token |= !json::is_empty(&value);
                    append(self.content.entry("text").or_insert_with(|| "".into()), value);
                }
                "toolUse" => {
                    token |= !json::is_empty(&value);
                    let input = json::take(&mut value, "input");
                    self.arguments.push_str(input.as_ref().and_then(Value::as_str).unwrap_or_default());
                    let call = self.content.entry("toolUse").or_insert_with(|| json!({}));
                    merge_usage(call, value);
                }
                "reasoningContent" => {
                    token |= !json::is_empty(&value);
                    self.add_reasoning(value);
                }
                "citation" => self.citations.push(value),
                // What a tool of Amazon's own gave: whose it is, then its parts.
                "toolResult" if value.is_array() => {
                    token = true;
                    let result = self.content.entry(kind).or_insert_with(|| json!({}));
                    accumulate(result, json!({"content": value}), notes);
                }
                _ => {
                    token = true;
                    accumulate(self.content.entry(kind).or_insert(Value::Null), value, notes);
                }
            }
        }
        token
    }

    /// A block of reasoning holds its text, and the signature of it, a level deeper than the pieces do.
    fn add_reasoning(&mut self, mut piece: Value) {
        let reasoning = self.content.entry("reasoningContent").or_insert_with(|| json!({}));
        for key in ["text", "signature"] {
            if let Some(more) = json::take(&mut piece, key) {
                if !reasoning["reasoningText"].is_object() {
                    reasoning["reasoningText"] = json!({});
                }
                append(&mut reasoning["reasoningText"][key], more);
            }
        }
        if let Some(redacted) = json::take(&mut piece, "redactedContent") {
            append(&mut reasoning["redactedContent"], redacted);
        }
    }

    fn into_content(self, notes: &mut Notes) -> Value {
        let Self { mut content, arguments, citations } = self;
        if !citations.is_empty() {
            let text: Vec<_> = content.remove("text").into_iter().map(|text| json!({"text": text})).collect();
            content.insert("citationsContent".to_owned(), json!({"content": text, "citations": citations}));
        }
        if let Some(Value::Object(call)) = content.get_mut("toolUse") {
            let read = json::read(if arguments.is_empty() { b"{}" } else { arguments.as_bytes() });
            let input = match read.problem {
                None => read.value,
                Some(problem) => {
                    notes.add(format!("the arguments of a tool call are not JSON: {problem}"));
                    arguments.into()
                }
            };
            call.insert("input".to_owned(), input);
        }
        Value::Object(content)
    }
}

fn append(known: &mut Value, more: Value) {
    match (known, more) {
        (Value::String(known), Value::String(more)) => known.push_str(&more),
        (known, more) => *known = more,
    }
}
