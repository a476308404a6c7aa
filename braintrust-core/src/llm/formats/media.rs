//! OpenAI's other endpoints: embeddings, images, speech, transcriptions, moderation.

use serde_json::{Value, json};

use super::{Answered, Asked, Assembly, Event, Format, Seen, model_of, prompt_messages, usage, wants_stream};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::Key;
use crate::llm::notes::Notes;

/// What all of these have in common: a model, an input under one of two names, and whether it streams.
fn request(mut request: Value) -> Asked {
    let mut asked = Asked { streams: wants_stream(&request), ..Asked::default() };
    asked.metadata.take(&mut request, &[("model", Key::Model)]);
    asked.input = json::take(&mut request, "input").or_else(|| json::take(&mut request, "prompt").map(prompt_messages));
    asked
}

fn answered(response: &Value, output: Option<Value>, notes: &mut Notes) -> Answered {
    let mut answered = Answered { output, model: model_of(response, "model"), ..Answered::default() };
    if let Some(usage) = json::get(response, "usage") {
        usage::read(usage, &mut answered.metrics, notes);
    }
    answered
}

/// One of these formats: what its output is, of the whole response.
macro_rules! media_format {
    ($(#[$doc:meta])* $name:ident, $output:expr) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl Format for $name {
            fn request(&self, body: Value, _: &Endpoint) -> Asked {
                request(body)
            }

            fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
                let output: fn(&mut Value) -> Option<Value> = $output;
                let output = output(response);
                answered(response, output, notes)
            }

            fn assembly(&self) -> Box<dyn Assembly> {
                Box::<LastWords>::default()
            }
        }
    };
}

media_format!(
    /// The vectors are too many to keep, and say nothing to a reader; their length does.
    Embeddings,
    |response| {
        let first = response.get("data")?.get(0)?.get("embedding")?;
        Some(json!({"embedding_length": dimensions(first)?}))
    }
);
media_format!(
    /// Images are shown as parts of a message are.
    Images,
    images
);
media_format!(
    /// The sound itself is no JSON, and not kept.
    Speech,
    |_| None
);
media_format!(
    /// The text.
    Transcriptions,
    |response| json::take(response, "text")
);
media_format!(
    /// What was found in each input.
    Moderations,
    |response| json::take(response, "results")
);

fn images(response: &mut Value) -> Option<Value> {
    let format = json::text(response, "output_format").unwrap_or("png").to_owned();
    let mut images = json::take_array(response, "data");
    // The last event of a stream is the image itself.
    if let Some(base64) = json::take(response, "b64_json") {
        images.push(json!({"b64_json": base64}));
    }
    let parts: Vec<_> = images.into_iter().filter_map(|image| image_part(image, &format)).collect();
    (!parts.is_empty()).then_some(parts.into())
}

/// How many numbers an embedding has, whether written as such or in base64, four bytes each.
fn dimensions(embedding: &Value) -> Option<usize> {
    match embedding {
        Value::Array(numbers) => Some(numbers.len()),
        Value::String(base64) => Some(base64.trim_end_matches('=').len() * 3 / 4 / 4),
        _ => None,
    }
}

fn image_part(mut image: Value, format: &str) -> Option<Value> {
    let url = match json::take(&mut image, "b64_json") {
        Some(Value::String(base64)) => format!("data:image/{format};base64,{base64}").into(),
        _ => json::take(&mut image, "url")?,
    };
    Some(json!({"type": "image_url", "image_url": {"url": url}}))
}

/// A stream whose last event holds what the others led to.
#[derive(Default)]
struct LastWords {
    response: Object,
    text: String,
}

impl Assembly for LastWords {
    fn add(&mut self, event: Event<'_>, _: &mut Notes) -> Seen {
        let mut data = event.data;
        let kind = json::text(&data, "type").unwrap_or(event.name).to_owned();
        if let Some(Value::String(delta)) = json::take(&mut data, "delta") {
            self.text.push_str(&delta);
        }
        let last = [".done", ".completed"].iter().any(|end| kind.ends_with(end)) || kind == "error";
        if let (true, Value::Object(data)) = (last, data) {
            self.response.extend(data);
        }
        Seen { token: kind.ends_with(".delta") || kind.ends_with(".partial_image"), last }
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        let Self { mut response, text } = *self;
        if !text.is_empty() {
            response.entry("text").or_insert_with(|| text.into());
        }
        Value::Object(response)
    }
}
