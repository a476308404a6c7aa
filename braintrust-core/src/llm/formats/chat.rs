//! Chat completions and text completions: OpenAI's, and those of everyone who speaks like it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::accumulate::accumulate;
use super::{Answered, Asked, Assembly, Event, Format, Seen, model_of, prompt_messages, usage, wants_stream};
use crate::llm::json::{self, Object};
use crate::llm::metadata::{self, Key, OPENAI_SETTINGS};
use crate::llm::metrics::merge_usage;
use crate::llm::notes::Notes;
use crate::llm::{Endpoint, failure};

/// How many choices one stream may have.
const MAX_CHOICES: usize = 1024;

pub(super) struct Chat;

impl Format for Chat {
    fn request(&self, mut request: Value, _: &Endpoint) -> Asked {
        let mut asked = Asked { streams: wants_stream(&request), ..Asked::default() };
        asked.input =
            json::take(&mut request, "messages").or_else(|| json::take(&mut request, "prompt").map(prompt_messages));
        asked.metadata.take(&mut request, &OPENAI_SETTINGS);
        let functions = json::take_array(&mut request, "functions").into_iter();
        let tools = json::take_array(&mut request, "tools").into_iter();
        asked.metadata.set_tools(
            tools.map(tool).chain(functions.map(|it| metadata::function_tool(it, &["parameters"]))).collect(),
        );
        if let Some(choice) = json::take(&mut request, "tool_choice") {
            asked.metadata.set(Key::ToolChoice, metadata::openai_tool_choice(choice));
        } else if let Some(mut choice) = json::take(&mut request, "function_call") {
            let name = json::take(&mut choice, "name");
            asked.metadata.set(Key::ToolChoice, name.map_or(choice, metadata::chosen_function));
        }
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered { model: model_of(response, "model"), ..Answered::default() };
        let groq = response.get("x_groq").and_then(|groq| json::get(groq, "usage"));
        if let Some(usage) = json::get(response, "usage").or(groq) {
            usage::read(usage, &mut answered.metrics, notes);
        }
        answered.output = json::take(response, "choices");
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<ChatStream>::default()
    }
}

/// A tool of a chat request: a function with what is documented of it, or the provider's own.
pub(super) fn tool(mut tool: Value) -> Value {
    match tool.get_mut("function").map(Value::take) {
        Some(function @ Value::Object(_)) => metadata::function_tool(function, &["parameters"]),
        Some(other) => {
            tool["function"] = other;
            metadata::native_tool(tool)
        }
        None => metadata::native_tool(tool),
    }
}

#[derive(Default)]
struct ChatStream {
    choices: BTreeMap<u64, Choice>,
    model: Value,
    usage: Value,
    error: Value,
}

#[derive(Default)]
struct Choice {
    /// The deltas, added up.
    message: Value,
    /// The sound of the answer: each of its pieces is base64 of its own.
    sound: Vec<u8>,
    /// What stands beside them.
    rest: Object,
}

impl Assembly for ChatStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let mut chunk = event.data;
        if event.name == "error" && chunk.get("error").is_none() {
            chunk = json!({"error": chunk});
        }
        if let Some(model) = json::take(&mut chunk, "model").filter(|model| !json::is_empty(model)) {
            self.model = model;
        }
        let groq = chunk.get_mut("x_groq").and_then(|groq| json::take(groq, "usage"));
        for usage in [json::take(&mut chunk, "usage"), groq].into_iter().flatten() {
            merge_usage(&mut self.usage, usage);
        }
        let choices = json::take_array(&mut chunk, "choices");
        if let Some(error) = failure::told_by(&chunk) {
            self.error = error.clone();
        }
        let mut seen = Seen { token: false, last: !self.error.is_null() };
        for mut choice in choices {
            // Moonshot's place for it.
            merge_usage(&mut self.usage, json::take(&mut choice, "usage").unwrap_or_default());
            let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
            if self.choices.len() >= MAX_CHOICES && !self.choices.contains_key(&index) {
                notes.add(format!("the stream has more than {MAX_CHOICES} choices"));
                continue;
            }
            seen.token |= self.choices.entry(index).or_default().add(choice, notes);
        }
        seen.last |= !self.choices.is_empty() && self.choices.values().all(Choice::is_finished);
        seen
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        let choices: Vec<_> = self.choices.into_iter().map(|(index, choice)| choice.into_value(index)).collect();
        json!({"choices": choices, "model": self.model, "usage": self.usage, "error": self.error})
    }
}

impl Choice {
    /// Adds a chunk of this choice; whether it held something generated.
    fn add(&mut self, mut chunk: Value, notes: &mut Notes) -> bool {
        let mut token = false;
        let delta = json::take(&mut chunk, "delta");
        // Some send the message so far instead, or as well.
        match (delta, json::take(&mut chunk, "message")) {
            (Some(mut delta @ Value::Object(_)), _) => {
                token = holds_token(&delta);
                self.take_sound(&mut delta);
                if self.message.is_null() {
                    self.message = json!({"role": "assistant", "content": null});
                }
                accumulate(&mut self.message, delta, notes);
            }
            (_, Some(message)) => {
                token = holds_token(&message);
                self.message = message;
            }
            _ => {}
        }
        let Value::Object(rest) = chunk else { return token };
        for (key, value) in rest {
            let known = self.rest.entry(key.as_str()).or_insert(Value::Null);
            match key.as_str() {
                "text" => {
                    token |= !json::is_empty(&value);
                    accumulate(known, value, notes);
                }
                "logprobs" => accumulate(known, value, notes),
                _ if !value.is_null() => *known = value,
                _ => {}
            }
        }
        token
    }

    fn take_sound(&mut self, delta: &mut Value) {
        let Some(Value::Object(audio)) = delta.get_mut("audio") else { return };
        let Some(data) = audio.get("data").and_then(Value::as_str) else { return };
        if let Ok(piece) = STANDARD.decode(data) {
            self.sound.extend(piece);
            audio.remove("data");
        }
    }

    fn is_finished(&self) -> bool {
        self.rest.get("finish_reason").is_some_and(|reason| !reason.is_null())
    }

    fn into_value(self, index: u64) -> Value {
        let Self { mut message, sound, mut rest } = self;
        if let (Some(Value::Object(audio)), false) = (message.get_mut("audio"), sound.is_empty()) {
            audio.insert("data".to_owned(), STANDARD.encode(sound).into());
        }
        if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
            // By their numbers, which they may not have come by; those without stay where they are.
            let number = |call: &Value| call.get("index").and_then(Value::as_u64);
            if calls.iter().all(|call| number(call).is_some()) {
                calls.sort_by_key(number);
            }
            for call in calls.iter_mut().filter_map(Value::as_object_mut) {
                call.remove("index");
                call.entry("type").or_insert_with(|| "function".into());
            }
        }
        rest.insert("index".to_owned(), index.into());
        rest.entry("finish_reason").or_insert(Value::Null);
        if !message.is_null() {
            rest.insert("message".to_owned(), message);
        }
        Value::Object(rest)
    }
}

/// Whether a delta holds more than whose it is.
fn holds_token(delta: &Value) -> bool {
    let Some(delta) = delta.as_object() else { return false };
    delta.iter().any(|(key, value)| key != "role" && !json::is_empty(value))
}
