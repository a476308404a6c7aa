//! Which wire format a request has, by its provider and its own fields.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::WireApi;

/// The format of a request. Where nothing tells, that of chat completions, which most providers speak.
pub(super) fn api_of(provider: &str, request: &[u8]) -> WireApi {
    let outline = Outline::of(request);
    match provider.to_ascii_lowercase().as_str() {
        "anthropic" => return WireApi::Messages,
        "google" | "gemini" | "vertex" | "google_vertex" => return WireApi::GenerateContent,
        "bedrock" | "aws_bedrock" | "amazon-bedrock" if outline.has("anthropic_version") => return WireApi::Messages,
        "bedrock" | "aws_bedrock" | "amazon-bedrock" => return WireApi::Converse,
        "cohere" if outline.has("messages") => return WireApi::CohereChat,
        "ollama" if outline.has("prompt") => return WireApi::OllamaGenerate,
        "ollama" => return WireApi::OllamaChat,
        _ => {}
    }
    let names = |kinds: &[&str]| kinds.iter().any(|kind| outline.model.contains(kind));
    if outline.has("messages") {
        let is_converse = ["inferenceConfig", "toolConfig"].iter().any(|key| outline.has(key));
        return if is_converse { WireApi::Converse } else { WireApi::ChatCompletions };
    }
    if outline.has("contents") {
        return WireApi::GenerateContent;
    }
    if outline.has("query") && outline.has("documents") {
        return WireApi::Rerank;
    }
    if outline.has("input") {
        let settings = ["encoding_format", "dimensions", "input_type", "output_dimension"];
        let is_embedding = names(&["embed"]) || settings.iter().any(|key| outline.has(key));
        return match () {
            () if is_embedding => WireApi::Embeddings,
            () if names(&["tts"]) || outline.has("voice") => WireApi::Speech,
            () if names(&["moderation"]) => WireApi::Moderations,
            () => WireApi::Responses,
        };
    }
    if outline.has("prompt") {
        let is_image = names(&["image", "dall-e", "flux"]) || outline.has("size");
        return if is_image { WireApi::Images } else { WireApi::Completions };
    }
    WireApi::ChatCompletions
}

/// The keys of a request, and the name of its model.
#[derive(Debug, Default)]
struct Outline {
    keys: BTreeSet<String>,
    model: String,
}

/// Requests have a few dozen keys.
const MAX_KEYS: usize = 256;

impl Outline {
    /// What can be made out without keeping the values.
    fn of(request: &[u8]) -> Self {
        let mut outline = Self::default();
        // A fault ends the outline; what came before it tells enough.
        let _ = serde_json::Deserializer::from_slice(request).deserialize_map(&mut outline);
        outline
    }

    fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }
}

impl<'de> Visitor<'de> for &mut Outline {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            if key == "model" {
                self.model = entries.next_value::<Option<String>>()?.unwrap_or_default().to_ascii_lowercase();
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
            if self.keys.len() < MAX_KEYS {
                self.keys.insert(key);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised() {
        let cases = [
            ("anthropic", r#"{"messages":[]}"#, WireApi::Messages),
            ("openai", r#"{"model":"gpt","messages":[]}"#, WireApi::ChatCompletions),
            ("openai", r#"{"model":"gpt","input":"x"}"#, WireApi::Responses),
            ("openai", r#"{"model":"text-embedding-3","input":"x"}"#, WireApi::Embeddings),
            ("openai", r#"{"model":"gpt-image-1","prompt":"x"}"#, WireApi::Images),
            ("acme", r#"{"prompt":"x"}"#, WireApi::Completions),
            ("Gemini", "{}", WireApi::GenerateContent),
            ("acme", r#"{"contents":[]}"#, WireApi::GenerateContent),
            ("acme", r#"{"messages":[],"inferenceConfig":{}}"#, WireApi::Converse),
            ("bedrock", r#"{"messages":[]}"#, WireApi::Converse),
            ("bedrock", r#"{"anthropic_version":"bedrock-1","messages":[]}"#, WireApi::Messages),
            ("cohere", r#"{"model":"command","messages":[]}"#, WireApi::CohereChat),
            ("ollama", r#"{"prompt":"x"}"#, WireApi::OllamaGenerate),
            ("cohere", r#"{"query":"x","documents":[]}"#, WireApi::Rerank),
            ("voyage", r#"{"model":"voyage-3","input":["x"],"input_type":"query"}"#, WireApi::Embeddings),
            ("openai", r#"{"model":7,"messages":[]}"#, WireApi::ChatCompletions),
            ("openai", "\"text\"", WireApi::ChatCompletions),
        ];
        for (provider, request, api) in cases {
            assert_eq!(api_of(provider, request.as_bytes()), api, "{provider} {request}");
        }
    }
}
