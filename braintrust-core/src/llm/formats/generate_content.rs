//! Google's Gemini.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answered, Asked, Assembly, Event, Format, Seen, model_of};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::{self, Key, Metadata};
use crate::llm::metrics::{Count, Metric, Metrics, merge_usage};
use crate::llm::notes::Notes;

/// The API takes either spelling.
const SETTINGS: [(&str, Key); 11] = [
    ("temperature", Key::Temperature),
    ("topP", Key::TopP),
    ("top_p", Key::TopP),
    ("maxOutputTokens", Key::MaxTokens),
    ("max_output_tokens", Key::MaxTokens),
    ("frequencyPenalty", Key::FrequencyPenalty),
    ("frequency_penalty", Key::FrequencyPenalty),
    ("presencePenalty", Key::PresencePenalty),
    ("presence_penalty", Key::PresencePenalty),
    ("stopSequences", Key::Stop),
    ("stop_sequences", Key::Stop),
];

/// How many candidates one stream may have.
const MAX_CANDIDATES: usize = 1024;

pub(super) struct GenerateContent;

impl Format for GenerateContent {
    fn request(&self, mut request: Value, endpoint: &Endpoint) -> Asked {
        let mut asked = Asked { streams: endpoint.streams() == Some(true), ..Asked::default() };
        let model = endpoint.model().map(Value::from).or_else(|| json::take(&mut request, "model"));
        let mut input = Object::new();
        if let Some(model) = model {
            asked.metadata.set(Key::Model, model.clone());
            input.insert("model".to_owned(), model);
        }
        for names in [["contents", "contents"], ["systemInstruction", "system_instruction"]] {
            if let Some(value) = take_either(&mut request, names) {
                input.insert(names[0].to_owned(), value);
            }
        }
        asked.input = Some(Value::Object(input));
        if let Some(mut config) = take_either(&mut request, ["generationConfig", "generation_config"]) {
            asked.metadata.take(&mut config, &SETTINGS);
            set_response_format(&mut asked.metadata, &mut config);
        }
        asked.metadata.set_tools(json::take_array(&mut request, "tools").into_iter().flat_map(tools).collect());
        if let Some(config) = take_either(&mut request, ["toolConfig", "tool_config"]) {
            set_tool_choice(&mut asked.metadata, config);
        }
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered { model: model_of(response, "modelVersion"), ..Answered::default() };
        if let Some(usage) = json::get(response, "usageMetadata") {
            read_usage(usage, &mut answered.metrics, notes);
        }
        let mut output = Object::new();
        // A prompt that was blocked has no candidates, but a reason.
        for key in ["candidates", "promptFeedback"] {
            if let Some(value) = json::take(response, key) {
                output.insert(key.to_owned(), value);
            }
        }
        answered.output = (!output.is_empty()).then_some(Value::Object(output));
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<ContentStream>::default()
    }
}

fn take_either(from: &mut Value, names: [&str; 2]) -> Option<Value> {
    names.iter().find_map(|name| json::take(from, name))
}

fn set_response_format(metadata: &mut Metadata, config: &mut Value) {
    let schema = ["responseJsonSchema", "responseSchema", "response_json_schema", "response_schema"];
    let format = if let Some(schema) = schema.iter().find_map(|name| json::take(config, name)) {
        json!({"type": "json_schema", "json_schema": {"schema": schema}})
    } else {
        match take_either(config, ["responseMimeType", "response_mime_type"]) {
            Some(kind) if kind == "application/json" => json!({"type": "json_object"}),
            _ => return,
        }
    };
    metadata.set(Key::ResponseFormat, format);
}

/// The functions that an entry declares, and Google's own tools as they are.
fn tools(mut entry: Value) -> Vec<Value> {
    let functions = take_either(&mut entry, ["functionDeclarations", "function_declarations"]);
    let mut tools: Vec<_> = match functions {
        Some(Value::Array(functions)) => functions
            .into_iter()
            .map(|it| metadata::function_tool(it, &["parametersJsonSchema", "parameters", "parameters_json_schema"]))
            .collect(),
        _ => Vec::new(),
    };
    if !json::is_empty(&entry) {
        tools.push(metadata::native_tool(entry));
    }
    tools
}

fn set_tool_choice(metadata: &mut Metadata, mut config: Value) {
    let Some(mut calling) = take_either(&mut config, ["functionCallingConfig", "function_calling_config"]) else {
        return;
    };
    let allowed = take_either(&mut calling, ["allowedFunctionNames", "allowed_function_names"]);
    let choice = match (json::text(&calling, "mode"), allowed) {
        (Some("ANY"), Some(Value::Array(names))) if names.len() == 1 => {
            metadata::chosen_function(names.into_iter().next().unwrap_or_default())
        }
        (Some("ANY"), _) => "required".into(),
        (Some("NONE"), _) => "none".into(),
        (Some(_), _) => "auto".into(),
        (None, _) => return,
    };
    metadata.set(Key::ToolChoice, choice);
}

/// Google counts thoughts, and what its own tools put into the prompt, beside output and input, not in them.
fn read_usage(usage: &Value, metrics: &mut Metrics, notes: &mut Notes) {
    let of_tools = Count::read(usage, &["toolUsePromptTokenCount"], notes);
    let prompt = Count::read(usage, &["promptTokenCount"], notes).plus_if_any(of_tools);
    let thoughts = Count::read(usage, &["thoughtsTokenCount"], notes);
    let completion = match Count::read(usage, &["candidatesTokenCount"], notes) {
        // All that was generated were thoughts.
        Count::Absent => thoughts,
        candidates => candidates.plus_if_any(thoughts),
    };
    metrics.set_totals(prompt, completion, Count::read(usage, &["totalTokenCount"], notes));
    metrics.set(Metric::CompletionReasoning, thoughts);
    metrics.set(Metric::PromptCached, Count::read(usage, &["cachedContentTokenCount"], notes));
    metrics.set(Metric::PromptAudio, of_modality(usage, "promptTokensDetails", "AUDIO", notes));
    metrics.set(Metric::CompletionAudio, of_modality(usage, "candidatesTokensDetails", "AUDIO", notes));
    metrics.set(Metric::CompletionImage, of_modality(usage, "candidatesTokensDetails", "IMAGE", notes));
}

fn of_modality(usage: &Value, list: &str, modality: &str, notes: &mut Notes) -> Count {
    let entries = usage.get(list).and_then(Value::as_array).into_iter().flatten();
    let entry = entries.into_iter().find(|entry| json::text(entry, "modality") == Some(modality));
    entry.map_or(Count::Absent, |entry| Count::read(entry, &["tokenCount"], notes))
}

#[derive(Default)]
struct ContentStream {
    candidates: BTreeMap<u64, Object>,
    /// What the chunks say beside their candidates; the latest word counts.
    rest: Object,
    usage: Value,
}

impl Assembly for ContentStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let mut chunk = event.data;
        let mut seen = Seen::default();
        merge_usage(&mut self.usage, json::take(&mut chunk, "usageMetadata").unwrap_or_default());
        for candidate in json::take_array(&mut chunk, "candidates") {
            let index = candidate.get("index").and_then(Value::as_u64).unwrap_or(0);
            if self.candidates.len() >= MAX_CANDIDATES && !self.candidates.contains_key(&index) {
                notes.add(format!("the stream has more than {MAX_CANDIDATES} candidates"));
                continue;
            }
            seen.token |= add_candidate(self.candidates.entry(index).or_default(), candidate);
        }
        if let Value::Object(chunk) = chunk {
            self.rest.extend(chunk.into_iter().filter(|(_, value)| !value.is_null()));
        }
        let is_finished = |candidate: &Object| candidate.contains_key("finishReason");
        let is_whole = !self.candidates.is_empty() && self.candidates.values().all(is_finished);
        let is_blocked =
            self.rest.get("promptFeedback").is_some_and(|feedback| json::get(feedback, "blockReason").is_some());
        seen.last = is_whole || is_blocked || self.rest.contains_key("error");
        seen
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        let Self { candidates, rest: mut response, usage } = *self;
        if !candidates.is_empty() {
            response.insert("candidates".to_owned(), candidates.into_values().map(Value::Object).collect());
        }
        response.insert("usageMetadata".to_owned(), usage);
        Value::Object(response)
    }
}

/// Adds a chunk of a candidate; whether it held something generated.
fn add_candidate(known: &mut Object, mut chunk: Value) -> bool {
    let mut token = false;
    if let Some(mut content) = json::take(&mut chunk, "content") {
        let parts = json::take_array(&mut content, "parts");
        token = parts.iter().any(|part| json::text(part, "text").is_none_or(|text| !text.is_empty()));
        let into = known.entry("content").or_insert_with(|| json!({"parts": [], "role": "model"}));
        if let Some(Value::Array(known)) = into.get_mut("parts") {
            parts.into_iter().for_each(|part| add_part(known, part));
        }
        if let Some(role) = json::take(&mut content, "role") {
            into["role"] = role;
        }
    }
    if let Value::Object(chunk) = chunk {
        known.extend(chunk.into_iter().filter(|(_, value)| !value.is_null()));
    }
    token
}

/// Continues the text before, if both are text and nothing else, or the same thought.
fn add_part(known: &mut Vec<Value>, part: Value) {
    let plain = |part: &Value| {
        let part = part.as_object()?;
        let is_plain = part.keys().all(|key| key == "text" || key == "thought");
        is_plain.then(|| part.get("thought").and_then(Value::as_bool) == Some(true))
    };
    if let (Some(last), Some(more)) = (known.last_mut(), json::text(&part, "text"))
        && plain(last).is_some()
        && plain(last) == plain(&part)
        && let Some(Value::String(text)) = last.get_mut("text")
    {
        text.push_str(more);
        return;
    }
    // The empty text that only closes a stream.
    if json::text(&part, "text") != Some("") || plain(&part).is_none() || known.is_empty() {
        known.push(part);
    }
}
