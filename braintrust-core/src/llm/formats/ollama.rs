//! Ollama's own chat and completion, in the shape of OpenAI's.

use serde_json::{Value, json};

use super::{Answered, Asked, Assembly, Event, Format, Seen, message, model_of};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::{self, Key};
use crate::llm::metrics::Count;
use crate::llm::notes::Notes;

const OPTIONS: [(&str, Key); 6] = [
    ("temperature", Key::Temperature),
    ("top_p", Key::TopP),
    ("num_predict", Key::MaxTokens),
    ("frequency_penalty", Key::FrequencyPenalty),
    ("presence_penalty", Key::PresencePenalty),
    ("stop", Key::Stop),
];

/// How many tool calls one message may have.
const MAX_CALLS: usize = 4096;

pub(super) struct Ollama;

impl Format for Ollama {
    fn request(&self, mut request: Value, _: &Endpoint) -> Asked {
        // Ollama streams unless told not to.
        let streams = request.get("stream").and_then(Value::as_bool) != Some(false);
        let mut asked = Asked { streams, ..Asked::default() };
        asked.input = json::take(&mut request, "messages").or_else(|| {
            let prompt = message("user", json::take(&mut request, "prompt")?);
            let system = json::take(&mut request, "system").map(|system| message("system", system));
            Some(std::iter::once(prompt).chain(system).collect())
        });
        asked.metadata.take(&mut request, &[("model", Key::Model), ("format", Key::ResponseFormat)]);
        if let Some(mut options) = json::take(&mut request, "options") {
            asked.metadata.take(&mut options, &OPTIONS);
        }
        let tools = json::take_array(&mut request, "tools").into_iter();
        let described = |mut tool: Value| match json::take(&mut tool, "function") {
            Some(function) => metadata::function_tool(function, &["parameters"]),
            None => metadata::native_tool(tool),
        };
        asked.metadata.set_tools(tools.map(described).collect());
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered { model: model_of(response, "model"), ..Answered::default() };
        let prompt = Count::read(response, &["prompt_eval_count"], notes);
        let completion = Count::read(response, &["eval_count"], notes);
        answered.metrics.set_totals(prompt, completion, Count::Absent);
        let reason = json::take(response, "done_reason");
        let message = json::take(response, "message").or_else(|| completed(response));
        answered.output = message.map(|mut message| {
            message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten().for_each(name_call);
            json!([{"index": 0, "finish_reason": reason, "message": message}])
        });
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<OllamaStream>::default()
    }
}

/// The message that a completion stands for.
fn completed(response: &mut Value) -> Option<Value> {
    let mut message = message("assistant", json::take(response, "response")?);
    if let Some(thinking) = json::take(response, "thinking") {
        message["thinking"] = thinking;
    }
    Some(message)
}

/// A call as OpenAI writes it, whose arguments are the text of their JSON.
fn name_call(call: &mut Value) {
    let Value::Object(call) = call else { return };
    call.entry("type").or_insert_with(|| "function".into());
    if let Some(Value::Object(function)) = call.get_mut("function")
        && let Some(arguments) = function.get_mut("arguments")
        && !arguments.is_string()
    {
        *arguments = arguments.to_string().into();
    }
}

#[derive(Default)]
struct OllamaStream {
    /// What the lines say beside their messages; the latest word counts.
    rest: Object,
    message: Object,
}

impl Assembly for OllamaStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let mut line = event.data;
        let piece = json::take(&mut line, "message").or_else(|| completed(&mut line));
        let mut token = false;
        if let Some(Value::Object(piece)) = piece {
            for (key, value) in piece {
                token |= key != "role" && !json::is_empty(&value);
                match (self.message.get_mut(&key), value) {
                    (_, Value::Null) => {}
                    (Some(Value::String(known)), Value::String(more)) if key != "role" => known.push_str(&more),
                    (Some(Value::Array(known)), Value::Array(_)) if known.len() >= MAX_CALLS => {
                        notes.add(format!("the stream has more than {MAX_CALLS} tool calls"));
                    }
                    (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                    (_, value) => {
                        self.message.insert(key, value);
                    }
                }
            }
        }
        let last = line.get("done").and_then(Value::as_bool) == Some(true) || json::get(&line, "error").is_some();
        if let Value::Object(line) = line {
            self.rest.extend(line.into_iter().filter(|(_, value)| !value.is_null()));
        }
        Seen { token, last }
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        let Self { rest: mut response, message } = *self;
        if !message.is_empty() {
            response.insert("message".to_owned(), message.into());
        }
        Value::Object(response)
    }
}
