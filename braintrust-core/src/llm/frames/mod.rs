//! The events of a streamed body: where each begins and ends, by the framing that the body has.

mod event_stream;
mod invoke;
mod sse;
mod values;

use std::borrow::Cow;

use super::WireApi;
use super::notes::Notes;

/// One event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The event's type, where the framing has one; empty otherwise.
    pub(super) name: Cow<'a, str>,
    pub(super) data: Cow<'a, [u8]>,
    /// The place after its last byte, from the beginning of the bytes that were given.
    pub(super) end: usize,
}

/// The mark of the byte order with which a text may begin. It means nothing at its very beginning only.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How a body is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events.
    Sse,
    /// Amazon's binary event stream.
    EventStream,
    /// JSON values one after the other, in lines or in an array.
    Values,
    /// One JSON text.
    Whole,
    /// Text that is no JSON: a transcript.
    Text,
    /// No text at all: sound, an image.
    Opaque,
}

impl Framing {
    /// How many bytes of a body tell its framing, after spaces.
    pub(super) const TOLD_BY: usize = 16;

    /// The framing of a response: by its content type, and where that says little, by how its body begins.
    pub(super) fn of(api: WireApi, content_type: Option<&str>, beginning: &[u8]) -> Self {
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        // Without its parameters.
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind {
            "text/event-stream" => return Self::Sse,
            "application/vnd.amazon.eventstream" => return Self::EventStream,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => return Self::Values,
            "application/octet-stream" => return Self::Opaque,
            _ if api == WireApi::Transcriptions && kind.starts_with("text/") => return Self::Text,
            _ if ["audio/", "image/", "video/"].iter().any(|family| kind.starts_with(family)) => return Self::Opaque,
            _ => {}
        }
        let start = beginning.strip_prefix(MARK).unwrap_or(beginning).trim_ascii_start();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| start.starts_with(prefix.as_bytes()));
        match api {
            _ if begins(&["data:", "event:", "id:", "retry:", ":"]) => Self::Sse,
            WireApi::OllamaChat | WireApi::OllamaGenerate => Self::Values,
            WireApi::GenerateContent if begins(&["["]) => Self::Values,
            WireApi::Converse | WireApi::Messages if start.first() == Some(&0) => Self::EventStream,
            WireApi::Speech if kind != "application/json" && !begins(&["{"]) => Self::Opaque,
            _ => Self::Whole,
        }
    }

    /// Whether an answer of this framing comes piece by piece.
    pub(super) fn is_stream(self) -> bool {
        matches!(self, Self::Sse | Self::EventStream | Self::Values)
    }

    /// Hands the events in `bytes` to `take`, in their order. Bytes that begin in the middle, `after_gap`, are passed
    /// over up to the next event.
    pub(super) fn each(
        self,
        bytes: &[u8],
        after_gap: bool,
        notes: &mut Notes,
        take: &mut dyn FnMut(Frame<'_>, &mut Notes),
    ) {
        match self {
            Self::Sse => sse::each(bytes, after_gap, notes, take),
            Self::EventStream => event_stream::each(bytes, after_gap, notes, take),
            Self::Values => values::each(bytes, after_gap, notes, take),
            Self::Whole | Self::Text | Self::Opaque => {}
        }
    }

    /// How much of the beginning of a stream can be read for good: whatever comes after `bytes`, what is in there, and
    /// what is not, comes to the same events.
    pub(super) fn settled(self, bytes: &[u8]) -> usize {
        match self {
            Self::Sse => sse::settled(bytes),
            Self::EventStream => event_stream::settled(bytes),
            Self::Values => values::settled(bytes),
            Self::Whole | Self::Text | Self::Opaque => 0,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    pub(in crate::llm) use super::event_stream::tests::message;
}
