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
    /// No JSON at all: sound, an image.
    Opaque,
}

impl Framing {
    /// The framing of a response: by its content type, and where that says little, by its first bytes.
    pub(super) fn of(api: WireApi, content_type: Option<&str>, body: &[u8]) -> Self {
        if Self::is_events(content_type) {
            return Self::Sse;
        }
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        let kind = kind(&content_type);
        match kind {
            "application/vnd.amazon.eventstream" => return Self::EventStream,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => return Self::Values,
            "application/octet-stream" => return Self::Opaque,
            _ if ["audio/", "image/", "video/"].iter().any(|family| kind.starts_with(family)) => return Self::Opaque,
            _ => {}
        }
        let start = body.trim_ascii_start();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| start.starts_with(prefix.as_bytes()));
        match api {
            _ if begins(&["data:", "event:", "id:", "retry:", ":"]) => Self::Sse,
            WireApi::OllamaChat | WireApi::OllamaGenerate => Self::Values,
            WireApi::GenerateContent if begins(&["["]) => Self::Values,
            WireApi::Converse | WireApi::Messages if body.first() == Some(&0) => Self::EventStream,
            WireApi::Speech if kind != "application/json" && !begins(&["{"]) => Self::Opaque,
            _ => Self::Whole,
        }
    }

    /// Whether a content type says that there are server-sent events, whatever the bytes.
    pub(super) fn is_events(content_type: Option<&str>) -> bool {
        content_type.is_some_and(|content_type| kind(content_type).eq_ignore_ascii_case("text/event-stream"))
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
            Self::Whole | Self::Opaque => {}
        }
    }
}

/// A content type without its parameters.
fn kind(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
