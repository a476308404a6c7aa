//! Base64 data in the messages of models, turned into attachments: in the places where OpenAI, Anthropic, Gemini and
//! Bedrock have it, and nowhere else. What is at a URL stays there, and is never fetched.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

use super::handle::Attached;
use super::key::Key;
use super::media_type;
use super::source::Source;
use crate::needles::Needles;

/// Shorter data is not worth a request of its own; most likely, it is none.
const LEAST_DATA: usize = 20;

/// Texts of which one is in every message that has data in it.
const SIGNS: [&str; 8] = [
    ";base64,",
    "\"input_audio\"",
    "\"transcript\"",
    "\"image_generation_call\"",
    "\"base64\"",
    "\"inlineData\"",
    "\"inline_data\"",
    "\"bytes\"",
];

static SEARCH: LazyLock<Needles> = LazyLock::new(|| Needles::new(SIGNS));

static STANDARD: GeneralPurpose = engine(&alphabet::STANDARD);
static URL_SAFE: GeneralPurpose = engine(&alphabet::URL_SAFE);

const fn engine(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let any_padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, any_padding)
}

/// Whether there may be data in messages in this JSON: a look that costs little.
pub(crate) fn may_have_data(json: &[u8]) -> bool {
    SEARCH.are_in(json)
}

/// A field whose data has been taken out.
pub(crate) struct Converted {
    /// The field with references in the places of the data.
    pub(crate) json: String,
    pub(crate) attachments: Vec<Arc<Attached>>,
}

/// Takes the data out of the messages in a field; nothing if there is none, or some of it is larger than `max_bytes`:
/// then all stays as it is.
pub(crate) fn convert(json: &str, max_bytes: u64) -> Option<Converted> {
    if !may_have_data(json.as_bytes()) {
        return None;
    }
    // What is nested deeper than the parser's 128 levels is no message.
    let mut value: Value = serde_json::from_str(json).ok()?;
    let mut found = Found::default();
    found.walk(&mut value);
    let fit = found.0.iter().all(|content| content.source.size() <= max_bytes);
    (fit && !found.0.is_empty()).then(|| Converted { json: value.to_string(), attachments: found.0 })
}

/// The data found so far.
#[derive(Default)]
struct Found(Vec<Arc<Attached>>);

impl Found {
    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(object) => {
                self.openai(object);
                self.gemini(object);
                for (key, entry) in object {
                    self.anthropic(key, entry);
                    self.bedrock(key, entry);
                    self.walk(entry);
                }
            }
            _ => {}
        }
    }

    /// `image_url`, `file_data`, `input_audio.data`, the `audio` of an answer, and the result of an
    /// `image_generation_call`.
    fn openai(&mut self, object: &mut Map<String, Value>) {
        let generates = object.get("type").is_some_and(|kind| kind == "image_generation_call");
        let format = object.get("output_format").and_then(Value::as_str).map(|format| format!("image/{format}"));
        if let (true, Some(result)) = (generates, object.get_mut("result")) {
            self.base64(result, format.as_deref().unwrap_or("image/png"), None);
        }
        let url = match object.get_mut("image_url") {
            Some(Value::Object(image)) => image.get_mut("url"),
            other => other,
        };
        if let Some(url) = url {
            self.data_uri(url, None);
        }
        let filename = object.get("filename").and_then(Value::as_str).map(str::to_owned);
        if let Some(data) = object.get_mut("file_data") {
            self.data_uri(data, filename);
        }
        if let Some(Value::Object(audio)) = object.get_mut("input_audio") {
            let media_type = audio.get("format").and_then(Value::as_str).map_or("audio/wav".into(), audio_type);
            if let Some(data) = audio.get_mut("data") {
                self.base64(data, &media_type, None);
            }
        }
        if let Some(Value::Object(audio)) = object.get_mut("audio")
            && audio.contains_key("transcript")
            && let Some(data) = audio.get_mut("data")
        {
            let media_type = sound_type(data.as_str().unwrap_or_default());
            self.base64(data, media_type, None);
        }
    }

    /// A `source` of base64 as a whole.
    fn anthropic(&mut self, key: &str, entry: &mut Value) {
        if key != "source" || entry.get("type").is_none_or(|kind| kind != "base64") {
            return;
        }
        let Some(media_type) = entry.get("media_type").and_then(Value::as_str).map(str::to_owned) else { return };
        let Some(data) = entry.get_mut("data") else { return };
        if self.base64(data, &media_type, None) {
            *entry = data.take();
        }
    }

    /// `inlineData` of a part, which becomes a part as OpenAI has it.
    fn gemini(&mut self, part: &mut Map<String, Value>) {
        for name in ["inlineData", "inline_data"] {
            let Some(Value::Object(inline)) = part.get_mut(name) else { continue };
            let media_type = inline.get("mimeType").or(inline.get("mime_type")).and_then(Value::as_str);
            let Some(media_type) = media_type.map(str::to_owned) else { continue };
            let filename = inline.get("displayName").and_then(Value::as_str).map(str::to_owned);
            let Some(data) = inline.get_mut("data") else { continue };
            if !self.base64(data, &media_type, filename) {
                continue;
            }
            let reference = data.take();
            part.remove(name);
            if media_type.starts_with("image/") {
                part.insert("image_url".to_owned(), json!({ "url": reference }));
            } else {
                part.insert("file".to_owned(), json!({ "file_data": reference }));
            }
        }
    }

    /// The `bytes` of an image, document, video or audio block.
    fn bedrock(&mut self, kind: &str, block: &mut Value) {
        if !matches!(kind, "image" | "document" | "video" | "audio") {
            return;
        }
        let Some(format) = block.get("format").and_then(Value::as_str).map(str::to_owned) else { return };
        let filename = block.get("name").and_then(Value::as_str).map(str::to_owned);
        if let Some(bytes) = block.get_mut("source").and_then(|source| source.get_mut("bytes")) {
            self.base64(bytes, &bedrock_type(kind, &format), filename);
        }
    }

    /// Puts a reference in the place of a string that is a data URI of base64 as a whole.
    fn data_uri(&mut self, leaf: &mut Value, filename: Option<String>) {
        let Some(uri) = leaf.as_str().and_then(|text| text.strip_prefix("data:")) else { return };
        let Some((head, data)) = uri.split_once(',') else { return };
        let Some(media_type) = head.strip_suffix(";base64") else { return };
        let media_type = if media_type.is_empty() { media_type::UNKNOWN } else { media_type };
        if let Some(reference) = self.take(data, media_type, filename) {
            *leaf = reference;
        }
    }

    /// Puts a reference in the place of a string of base64, and says whether it was one.
    fn base64(&mut self, leaf: &mut Value, media_type: &str, filename: Option<String>) -> bool {
        let Some(reference) = leaf.as_str().and_then(|data| self.take(data, media_type, filename)) else {
            return false;
        };
        *leaf = reference;
        true
    }

    fn take(&mut self, data: &str, media_type: &str, filename: Option<String>) -> Option<Value> {
        if data.len() < LEAST_DATA {
            return None;
        }
        let bytes = STANDARD.decode(data).or_else(|_| URL_SAFE.decode(data)).ok()?;
        let content = Attached {
            key: Key::random(),
            filename: filename.unwrap_or_else(|| media_type::name_for(media_type)),
            content_type: media_type.to_owned(),
            source: Source::Memory(bytes.into()),
        };
        let reference = content.reference();
        self.0.push(Arc::new(content));
        Some(reference)
    }
}

/// The type of the sound of an answer, which does not name it. What has no sign of a format is as it is streamed.
fn sound_type(data: &str) -> &'static str {
    const BEGINNING: usize = 16;
    let beginning = data.get(..BEGINNING).and_then(|beginning| STANDARD.decode(beginning).ok());
    beginning.and_then(|beginning| media_type::by_content(&beginning)).unwrap_or("audio/pcm")
}

fn audio_type(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        "pcm16" => "audio/pcm".to_owned(),
        other => format!("audio/{other}"),
    }
}

/// What Bedrock calls a format, as a media type.
fn bedrock_type(kind: &str, format: &str) -> String {
    match (kind, format) {
        ("image", "jpg") => "image/jpeg".to_owned(),
        ("video", "mov") => "video/quicktime".to_owned(),
        ("video", "mkv") => "video/x-matroska".to_owned(),
        ("video", "three_gp") => "video/3gpp".to_owned(),
        ("audio", "mp3") => "audio/mpeg".to_owned(),
        ("image" | "video" | "audio", format) => format!("{kind}/{format}"),
        (_, format) => media_type::by_name(&format!("x.{format}")).unwrap_or(media_type::UNKNOWN).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = "aGVsbG8gYnl0ZXMgYW5kIG1vcmU=";

    /// The field with its references reduced to their types and names, and the data that was taken out.
    fn converted(value: &Value) -> (Value, Vec<String>) {
        let Some(Converted { json, attachments }) = convert(&value.to_string(), 1024) else {
            return (value.clone(), Vec::new());
        };
        let mut json = json;
        for content in &attachments {
            let short = Value::from(format!("{} {}", content.content_type, content.filename));
            json = json.replace(&content.reference().to_string(), &short.to_string());
        }
        let data = attachments.iter().map(|content| String::from_utf8(content.source.read().unwrap().into()).unwrap());
        (serde_json::from_str(&json).unwrap(), data.collect())
    }

    fn uri(media_type: &str) -> String {
        format!("data:{media_type};base64,{DATA}")
    }

    #[test]
    fn data_is_taken_out_where_providers_have_it() {
        for (before, after) in [
            (
                json!({"type": "image_url", "image_url": {"url": uri("image/png"), "detail": "low"}}),
                json!({"type": "image_url", "image_url": {"url": "image/png image.png", "detail": "low"}}),
            ),
            (json!({"image_url": uri("image/jpeg")}), json!({"image_url": "image/jpeg image.jpg"})),
            (
                json!({"file": {"filename": "a.pdf", "file_data": uri("application/pdf")}}),
                json!({"file": {"filename": "a.pdf", "file_data": "application/pdf a.pdf"}}),
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": DATA, "format": "mp3"}}),
                json!({"type": "input_audio", "input_audio": {"data": "audio/mpeg audio.mp3", "format": "mp3"}}),
            ),
            (
                json!({"role": "assistant", "audio": {"id": "a", "data": DATA, "transcript": "Hi"}}),
                json!({"role": "assistant", "audio": {"id": "a", "data": "audio/pcm audio.pcm", "transcript": "Hi"}}),
            ),
            (
                json!({"type": "image_generation_call", "result": DATA, "output_format": "webp"}),
                json!({"type": "image_generation_call", "result": "image/webp image.webp", "output_format": "webp"}),
            ),
            (
                json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": DATA}}),
                json!({"type": "document", "source": "application/pdf attachment.pdf"}),
            ),
            (
                json!({"parts": [{"inlineData": {"mimeType": "image/png", "data": DATA}}]}),
                json!({"parts": [{"image_url": {"url": "image/png image.png"}}]}),
            ),
            (
                json!({"inline_data": {"mime_type": "audio/wav", "data": DATA}, "thought": true}),
                json!({"file": {"file_data": "audio/wav audio.wav"}, "thought": true}),
            ),
            (
                json!({"video": {"format": "mp4", "source": {"bytes": DATA}}}),
                json!({"video": {"format": "mp4", "source": {"bytes": "video/mp4 video.mp4"}}}),
            ),
            (
                json!({"document": {"format": "pdf", "name": "report", "source": {"bytes": DATA}}}),
                json!({"document": {"format": "pdf", "name": "report", "source": {"bytes": "application/pdf report"}}}),
            ),
        ] {
            let messages = json!([{"role": "user", "content": [before]}]);
            let (shown, data) = converted(&messages);
            assert_eq!(shown, json!([{"role": "user", "content": [after]}]));
            assert_eq!(data, ["hello bytes and more"]);
        }
    }

    #[test]
    fn the_sound_of_an_answer_is_told_by_its_first_bytes() {
        let kinds: [(&[u8], &str); 4] = [
            (b"RIFF\x10\0\0\0WAVEfmt \x10\0\0\0", "audio/wav"),
            (b"ID3\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "audio/mpeg"),
            (b"\xff\xf3\x88\xc4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "audio/mpeg"),
            (b"\0\x01\0\x02\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", "audio/pcm"),
        ];
        for (bytes, media_type) in kinds {
            let message = json!({"audio": {"data": STANDARD.encode(bytes), "transcript": ""}});
            let converted = convert(&message.to_string(), 1024).unwrap();
            assert_eq!(converted.attachments[0].content_type, media_type);
        }
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for value in [
            json!({"image_url": {"url": "https://example.com/a.png"}}),
            json!({"text": format!("look: {}", uri("image/png"))}),
            json!({"text": uri("image/png")}),
            json!({"image_url": {"url": format!("see {}", uri("image/png"))}}),
            json!({"image_url": {"url": "data:image/png;base64,aGk="}}),
            json!({"image_url": {"url": "data:image/png;base64,aGVsbG8gYnl0… [900 of 1000 bytes are cut]"}}),
            json!({"source": {"type": "url", "url": "https://example.com"}, "x": "\"base64\""}),
            json!({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a"}}}, "bytes": 3}),
            json!({"type": "braintrust_attachment", "key": "k", "bytes": DATA}),
        ] {
            assert!(convert(&value.to_string(), 1024).is_none(), "{value}");
        }
    }

    #[test]
    fn one_that_is_too_large_keeps_all_in_place() {
        let large = "QUJD".repeat(1000);
        let both = json!([{"input_audio": {"data": DATA}}, {"input_audio": {"data": large}}]);
        assert!(convert(&both.to_string(), 1024).is_none());
        assert_eq!(convert(&both.to_string(), 3000).unwrap().attachments.len(), 2);
    }

    #[test]
    fn a_url_safe_alphabet_and_missing_padding_are_read() {
        for data in ["_-8gYnl0ZXMgYW5kIG1vcmU", "/+8gYnl0ZXMgYW5kIG1vcmU=", "/+8gYnl0ZXMgYW5kIG1vcmU"] {
            let converted = convert(&json!({"input_audio": {"data": data}}).to_string(), 1024).unwrap();
            assert_eq!(converted.attachments[0].source.read().unwrap()[..3], [0xff, 0xef, 0x20]);
        }
    }

    #[test]
    fn nothing_is_too_deep() {
        let deep = format!("{}{}{}", "[".repeat(5000), r#"{"input_audio":1}"#, "]".repeat(5000));
        assert!(convert(&deep, 1024).is_none());
    }
}
