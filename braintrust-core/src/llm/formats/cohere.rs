//! Cohere's own chat, version 2, in the shape of OpenAI's.

use serde_json::{Value, json};

use super::accumulate::accumulate;
use super::{Answered, Asked, Assembly, Event, Format, Seen, chat, wants_stream};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::{self, Key};
use crate::llm::metrics::{Count, Metric, Metrics, merge_usage};
use crate::llm::notes::Notes;

const SETTINGS: [(&str, Key); 8] = [
    ("model", Key::Model),
    ("temperature", Key::Temperature),
    ("p", Key::TopP),
    ("max_tokens", Key::MaxTokens),
    ("frequency_penalty", Key::FrequencyPenalty),
    ("presence_penalty", Key::PresencePenalty),
    ("stop_sequences", Key::Stop),
    ("response_format", Key::ResponseFormat),
];

/// The lists of a message whose elements come one by one, and in pieces.
const LISTS: [&str; 3] = ["content", "tool_calls", "citations"];

pub(super) struct Cohere;

impl Format for Cohere {
    fn request(&self, mut request: Value, _: &Endpoint) -> Asked {
        let mut asked = Asked { streams: wants_stream(&request), ..Asked::default() };
        asked.input = json::take(&mut request, "messages");
        asked.metadata.take(&mut request, &SETTINGS);
        asked.metadata.set_tools(json::take_array(&mut request, "tools").into_iter().map(chat::tool).collect());
        if let Some(choice) = json::take(&mut request, "tool_choice") {
            let choice = choice.as_str().map_or(choice.clone(), |choice| choice.to_ascii_lowercase().into());
            asked.metadata.set(Key::ToolChoice, metadata::openai_tool_choice(choice));
        }
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered::default();
        if let Some(usage) = json::get(response, "usage") {
            read_usage(usage, &mut answered.metrics, notes);
        }
        let reason = json::take(response, "finish_reason");
        let message = json::take(response, "message");
        answered.output = message.map(|message| json!([{"index": 0, "finish_reason": reason, "message": message}]));
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<CohereStream>::default()
    }
}

/// Cohere counts what it bills apart from what the model saw, which holds a prompt of Cohere's own. Braintrust's numbers
/// are there to be multiplied with prices.
pub(super) fn read_usage(usage: &Value, metrics: &mut Metrics, notes: &mut Notes) {
    let mut count = |name: &str| {
        let mut of = |key| usage.get(key).map_or(Count::Absent, |counts| Count::read(counts, &[name], notes));
        of("billed_units").or(of("tokens"))
    };
    let (prompt, completion) = (count("input_tokens"), count("output_tokens"));
    metrics.set_totals(prompt, completion, Count::Absent);
    let cached = Count::read(usage, &["cached_tokens"], notes);
    // A part of what was billed, or else of no use for the price.
    if matches!((cached, prompt), (Count::Of(cached), Count::Of(prompt)) if cached <= prompt) {
        metrics.set(Metric::PromptCached, cached);
    }
}

#[derive(Default)]
struct CohereStream {
    message: Value,
    /// What the last event says of the whole.
    end: Object,
    usage: Value,
}

impl Assembly for CohereStream {
    fn add(&mut self, event: Event<'_>, notes: &mut Notes) -> Seen {
        let mut data = event.data;
        let kind = json::text(&data, "type").unwrap_or(event.name).to_owned();
        let index = data.get("index").and_then(Value::as_u64).unwrap_or(0);
        let Some(mut delta) = json::take(&mut data, "delta") else { return Seen::default() };
        let mut seen = Seen { token: false, last: kind == "message-end" };
        if let Some(mut message) = json::take(&mut delta, "message") {
            LISTS.iter().for_each(|list| number_piece(&mut message, list, index));
            seen.token = kind != "message-start" && holds_token(&message);
            accumulate(&mut self.message, message, notes);
        }
        if let Value::Object(mut end) = delta {
            merge_usage(&mut self.usage, end.remove("usage").unwrap_or_default());
            self.end.extend(end.into_iter().filter(|(_, value)| !value.is_null()));
        }
        seen
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        let Self { mut message, end: mut response, usage } = *self;
        if let Value::Object(message) = &mut message {
            for list in LISTS {
                let pieces = message.get_mut(list).and_then(Value::as_array_mut);
                pieces.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|piece| {
                    piece.remove("index");
                });
            }
            // A stream begins with a message in which all is empty.
            message.retain(|_, value| !json::is_empty(value));
        }
        response.insert("message".to_owned(), message);
        response.insert("usage".to_owned(), usage);
        Value::Object(response)
    }
}

/// Makes the one element that an event is about a list of one, which says which element it is.
fn number_piece(message: &mut Value, list: &str, index: u64) {
    if let Some(piece) = message.get_mut(list)
        && piece.is_object()
    {
        let mut numbered = piece.take();
        numbered["index"] = index.into();
        *piece = Value::Array(vec![numbered]);
    }
}

/// Whether a piece of a message holds something generated.
fn holds_token(message: &Value) -> bool {
    let pieces = |list| message.get(list).and_then(Value::as_array).into_iter().flatten();
    let has = |piece: &Value, key| json::get(piece, key).is_some_and(|value| !json::is_empty(value));
    has(message, "tool_plan")
        || pieces("tool_calls").next().is_some()
        || pieces("content").any(|piece| has(piece, "text") || has(piece, "thinking"))
}
