//! OpenAI's responses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::accumulate::accumulate;
use super::{Answered, Asked, Assembly, Event, Format, Seen, message, model_of, prompt_messages, usage, wants_stream};
use crate::llm::Endpoint;
use crate::llm::json;
use crate::llm::metadata::{self, Key, OPENAI_SETTINGS};
use crate::llm::notes::Notes;

/// How many items, and parts of each, one stream may have.
const MAX_ITEMS: usize = 4096;

pub(super) struct Responses;

impl Format for Responses {
    fn request(&self, mut request: Value, _: &Endpoint) -> Asked {
        let mut asked = Asked { streams: wants_stream(&request), ..Asked::default() };
        asked.input = json::take(&mut request, "input").map(prompt_messages);
        // A prompt beside the messages comes last, here as for other providers.
        if let Some(instructions) = json::take(&mut request, "instructions") {
            let input = asked.input.get_or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(items) = input {
                items.push(message("system", instructions));
            }
        }
        asked.metadata.take(&mut request, &OPENAI_SETTINGS);
        if let Some(format) = request.get_mut("text").and_then(|text| json::take(text, "format")) {
            asked.metadata.set(Key::ResponseFormat, format);
        }
        asked.metadata.set_tools(json::take_array(&mut request, "tools").into_iter().map(tool).collect());
        if let Some(choice) = json::take(&mut request, "tool_choice") {
            asked.metadata.set(Key::ToolChoice, metadata::openai_tool_choice(choice));
        }
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered { model: model_of(response, "model"), ..Answered::default() };
        if let Some(usage) = json::get(response, "usage") {
            usage::read(usage, &mut answered.metrics, notes);
        }
        answered.output = json::take(response, "output");
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<ResponseStream>::default()
    }
}

fn tool(tool: Value) -> Value {
    match json::text(&tool, "type") {
        Some("function") if tool.get("function").is_none() => metadata::function_tool(tool, &["parameters"]),
        _ => metadata::native_tool(tool),
    }
}

#[derive(Default)]
struct ResponseStream {
    /// The response as the latest event has it; whole in the last.
    response: Value,
    /// Its items as far as they came, for a stream that does not reach its last event.
    items: BTreeMap<u64, Value>,
    error: Value,
}

impl Assembly for ResponseStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let mut data = event.data;
        let kind = json::text(&data, "type").unwrap_or(event.name).to_owned();
        if let Some(response) = json::take(&mut data, "response") {
            self.response = response;
        }
        let item = data.get("output_index").and_then(Value::as_u64).unwrap_or(0);
        match kind.as_str() {
            "response.completed" | "response.incomplete" => return Seen { token: false, last: true },
            "response.failed" => {
                if json::get(&self.response, "error").is_none() {
                    self.error = json!({"message": "the response failed"});
                }
                return Seen { token: false, last: true };
            }
            "error" => {
                self.error = json::take(&mut data, "error").unwrap_or(data);
                return Seen { token: false, last: true };
            }
            "response.output_item.added" | "response.output_item.done" => {
                if let Some(whole) = json::take(&mut data, "item") {
                    if self.items.len() < MAX_ITEMS || self.items.contains_key(&item) {
                        self.items.insert(item, whole);
                    } else {
                        notes.add(format!("the stream has more than {MAX_ITEMS} items"));
                    }
                }
            }
            _ => {}
        }
        let token = kind.ends_with(".delta") && data.get("delta").is_some_and(|delta| !json::is_empty(delta));
        // Some gateways leave out what the deltas of a text belong to.
        let is_of_message = ["response.output_text.delta", "response.refusal.delta"].contains(&kind.as_str());
        if is_of_message && self.items.len() < MAX_ITEMS {
            let message = || json!({"type": "message", "role": "assistant", "content": []});
            self.items.entry(item).or_insert_with(message);
        }
        if let Some(item) = self.items.get_mut(&item) {
            add_to_item(item, &kind, &mut data, notes);
        }
        Seen { token, last: false }
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        let Self { mut response, items, error } = *self;
        if !response.is_object() {
            response = json!({});
        }
        // A stream that broke off, or a proxy that leaves the items out of the last event.
        if response.get("output").is_none_or(json::is_empty) && !items.is_empty() {
            response["output"] = items.into_values().collect();
        }
        if !error.is_null() {
            response["error"] = error;
        }
        response
    }
}

/// Adds a part, or a piece of one, to an item.
fn add_to_item(item: &mut Value, kind: &str, data: &mut Value, notes: &mut Notes) {
    let index = |key: &str| data.get(key).and_then(Value::as_u64).unwrap_or(0);
    let content = ("content", index("content_index"));
    let summary = ("summary", index("summary_index"));
    // Which part it is about, of what kind, and what of that it adds to.
    let (place, part_kind, key) = match kind {
        "response.content_part.added" => (Some(content), "", ""),
        "response.reasoning_summary_part.added" => (Some(summary), "", ""),
        "response.output_text.delta" => (Some(content), "output_text", "text"),
        "response.output_text.annotation.added" => (Some(content), "output_text", "annotations"),
        "response.reasoning_text.delta" => (Some(content), "reasoning_text", "text"),
        "response.refusal.delta" => (Some(content), "refusal", "refusal"),
        "response.reasoning_summary_text.delta" => (Some(summary), "summary_text", "text"),
        "response.function_call_arguments.delta" | "response.mcp_call_arguments.delta" => (None, "", "arguments"),
        "response.custom_tool_call_input.delta" => (None, "", "input"),
        "response.code_interpreter_call_code.delta" => (None, "", "code"),
        _ => return,
    };
    let holder = match place {
        Some((list, place)) => part(item, list, place, part_kind),
        None => Some(item),
    };
    let Some(holder) = holder else { return };
    let whole = if key.is_empty() { json::take(data, "part") } else { None };
    let annotation = json::take(data, "annotation").map(|annotation| vec![annotation].into());
    match (whole, annotation.or_else(|| json::take(data, "delta"))) {
        (Some(whole), _) => *holder = whole,
        (None, Some(piece)) if !key.is_empty() => accumulate(holder, json!({key: piece}), notes),
        _ => {}
    }
}

/// The part of an item at a place, made as one of a kind if it is the next one.
fn part<'a>(item: &'a mut Value, list: &str, place: u64, kind: &str) -> Option<&'a mut Value> {
    let parts = item.as_object_mut()?.entry(list).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
    let place = usize::try_from(place).ok().filter(|place| *place < MAX_ITEMS)?;
    if place == parts.len() {
        parts.push(json!({"type": kind}));
    }
    parts.get_mut(place)
}
