//! Reranking: documents by how much they are to a query. Cohere's API, and those of everyone who takes the same.

use serde_json::Value;

use super::{Answered, Asked, Assembly, Event, Format, Seen, cohere, model_of, usage};
use crate::llm::Endpoint;
use crate::llm::json::{self, Object};
use crate::llm::metadata::Key;
use crate::llm::notes::Notes;

/// What is asked, by its names: those of most, and Hugging Face's and Amazon's.
const INPUT: [&str; 5] = ["query", "queries", "documents", "texts", "sources"];

pub(super) struct Rerank;

impl Format for Rerank {
    fn request(&self, mut request: Value, _: &Endpoint) -> Asked {
        let mut asked = Asked::default();
        asked.metadata.take(&mut request, &[("model", Key::Model)]);
        let entries = INPUT.iter().filter_map(|key| Some(((*key).to_owned(), json::take(&mut request, key)?)));
        let input: Object = entries.collect();
        asked.input = (!input.is_empty()).then(|| input.into());
        asked
    }

    fn response(&self, response: &mut Value, notes: &mut Notes) -> Answered {
        let mut answered = Answered { model: model_of(response, "model"), ..Answered::default() };
        if let Some(usage) = json::get(response, "usage") {
            usage::read(usage, &mut answered.metrics, notes);
        } else if let Some(meta) = json::get(response, "meta") {
            cohere::read_usage(meta, &mut answered.metrics, notes);
        }
        answered.output = match response {
            Value::Array(_) => Some(response.take()),
            // Voyage's name is the second.
            _ => json::take(response, "results").or_else(|| json::take(response, "data")),
        };
        answered
    }

    fn assembly(&self) -> Box<dyn Assembly> {
        Box::<LastWord>::default()
    }
}

/// No provider streams these. What comes as one event all the same is the response.
#[derive(Default)]
struct LastWord(Value);

impl Assembly for LastWord {
    fn add(&mut self, event: Event<'_>, _: &mut Notes) -> Seen {
        self.0 = event.data;
        Seen { token: false, last: true }
    }

    fn into_response(self: Box<Self>, _: &mut Notes) -> Value {
        self.0
    }
}
