//! From the bytes of a request and of its response to what they say, whatever the provider and however they came.

use serde_json::Value;

use super::ahead::Ahead;
use super::body::Arrived;
use super::failure;
use super::formats::{Answered, Asked, format};
use super::frames::Framing;
use super::json::{self, Object};
use super::metadata::Key;
use super::notes::Notes;
use super::stream::Stream;
use super::{Endpoint, WireApi};

/// How much of a body that cannot be read is shown as it is.
const MAX_SHOWN: usize = 16 * 1024;

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) input: Option<Value>,
    pub(super) metadata: Object,
    pub(super) streams: bool,
    pub(super) notes: Notes,
}

/// Reads a request. One without a body, or with one that is no JSON (a form with a file in it), tells at least who was
/// asked.
pub(super) fn request(endpoint: &Endpoint, body: &[u8]) -> Request {
    let mut notes = Notes::default();
    let is_form = body.starts_with(b"--");
    let mut asked = if body.is_empty() || is_form {
        Asked { streams: endpoint.streams() == Some(true), ..Asked::default() }
    } else {
        let read = json::read(body);
        if let Some(problem) = read.problem {
            notes.add(format!("the request could not be read whole: {problem}"));
        }
        format(endpoint.api()).request(read.value, endpoint)
    };
    asked.metadata.set(Key::Provider, endpoint.provider());
    let mut metadata = asked.metadata.into_object();
    if let Some(model) = endpoint.model() {
        metadata.entry("model").or_insert_with(|| model.into());
    }
    Request { input: asked.input, metadata, streams: asked.streams, notes }
}

/// What a response says.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) output: Option<Value>,
    pub(super) metadata: Object,
    pub(super) metrics: Object,
    pub(super) error: Option<String>,
    pub(super) notes: Notes,
    /// Whether the answer came to its end.
    pub(super) is_whole: bool,
    /// The place of the last byte of the first event that held something generated; only of streams.
    pub(super) first_token: Option<u64>,
}

/// Reads a response, as far as it came.
pub(super) fn response(
    endpoint: &Endpoint,
    status: Option<u16>,
    content_type: Option<&str>,
    body: &mut Arrived,
) -> Reply {
    let framing = match &body.ahead {
        Some(ahead) => ahead.stream.framing,
        None => Framing::of(endpoint.api(), content_type, &body.head),
    };
    let mut reply = Reply::default();
    let response = match framing {
        Framing::Opaque => {
            reply.is_whole = true;
            opaque(content_type, body)
        }
        Framing::Text => text(body, &mut reply),
        Framing::Whole => whole(body, &mut reply),
        Framing::Sse | Framing::EventStream | Framing::Values => assembled(endpoint, framing, body, &mut reply),
    };
    let Some(mut response) = response else { return reply };
    let has_failed = status.is_some_and(|status| status >= 400);
    if let Some(error) = failure::of(status, &response) {
        reply.error = Some(error);
        reply.is_whole = true;
    }
    if has_failed {
        return reply;
    }
    if let Value::String(text) = &mut response {
        reply.output = Some(std::mem::take(text).into());
        return reply;
    }
    let Answered { output, model, metrics } = format(endpoint.api()).response(&mut response, &mut reply.notes);
    // An error has no output, unless something had come before it.
    reply.output = match (output, &reply.error) {
        (Some(output), Some(_)) => Some(output).filter(|output| !json::is_empty(output)),
        (None, Some(_)) => None,
        (None, None) if !framing.is_stream() && endpoint.api() != WireApi::Speech => {
            reply.notes.add("the response has not the shape of its API; it is shown as it is");
            Some(response).filter(|response| !json::is_empty(response))
        }
        (output, None) => output,
    };
    reply.metrics = metrics.into_object();
    if let Some(model) = model {
        reply.metadata.insert("model".to_owned(), model.into());
    }
    reply
}

/// What stands for a body that is no text.
fn opaque(content_type: Option<&str>, body: &Arrived) -> Option<Value> {
    let kind = content_type.unwrap_or("unknown content");
    (body.total > 0).then(|| format!("<{kind}, {} bytes>", body.total).into())
}

/// Takes a body that is meant to be read by people as it is.
fn text(body: &Arrived, reply: &mut Reply) -> Option<Value> {
    let missing = body.missing(0);
    reply.is_whole = missing == 0;
    if !reply.is_whole {
        reply.notes.add(not_kept("response", body.total, missing));
    }
    (body.total > 0).then(|| String::from_utf8_lossy(&body.head).into())
}

fn not_kept(what: &str, total: u64, missing: u64) -> String {
    format!("the {what} has {total} bytes, of which {missing} were not kept")
}

/// Reads a body that came in one piece.
fn whole(body: &Arrived, reply: &mut Reply) -> Option<Value> {
    if body.head.trim_ascii().is_empty() {
        return None;
    }
    let mut read = json::read(&body.head);
    let missing = body.missing(0);
    if missing > 0 {
        reply.notes.add(not_kept("response", body.total, missing));
        salvage_usage(&body.tail, &mut read.value);
    } else if let Some(problem) = read.problem {
        reply.notes.add(format!("the response could not be read whole: {problem}"));
        if !matches!(read.value, Value::Object(_)) {
            read.value = shown(&body.head).into();
        }
    } else {
        reply.is_whole = true;
    }
    Some(read.value)
}

/// The beginning of a body, as text.
fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(MAX_SHOWN)]).into_owned()
}

/// Finds what a response cost at the end of it, where the middle is missing.
fn salvage_usage(tail: &[u8], response: &mut Value) {
    let Value::Object(response) = response else { return };
    for key in ["usage", "usageMetadata"] {
        let quoted = format!("\"{key}\"");
        let mut end = tail.len();
        // Inside of a text, the quotes would be escaped.
        while let Some(place) = tail[..end].windows(quoted.len()).rposition(|window| window == quoted.as_bytes()) {
            end = place;
            let is_key = place == 0 || tail[place - 1] != b'\\';
            let after = tail[place + quoted.len()..].trim_ascii_start();
            let Some(value) = after.strip_prefix(b":").filter(|_| is_key) else { continue };
            let mut values = serde_json::Deserializer::from_slice(value).into_iter::<Object>();
            if let Some(Ok(usage)) = values.next() {
                response.insert(key.to_owned(), usage.into());
                return;
            }
        }
    }
}

/// Puts the events of a stream together, from where they were read before.
fn assembled(endpoint: &Endpoint, framing: Framing, body: &mut Arrived, reply: &mut Reply) -> Option<Value> {
    let (mut stream, mut beginning) = match body.ahead.take() {
        Some(ahead) => {
            let Ahead { stream, unread, tail, beginning, .. } = ahead;
            if tail.0.is_empty() {
                body.head = [&unread, &body.head[..]].concat().into();
            } else {
                body.tail = [&tail.0, &body.head[..], &body.tail].concat();
                body.head = unread.into();
            }
            (stream, beginning)
        }
        None => (Stream::new(endpoint, framing), Vec::new()),
    };
    let missing = body.missing(stream.read);
    if missing > 0 {
        stream.read(&body.head);
        stream.notes.add(not_kept("stream", body.total, missing));
        stream.read_after_gap(&body.tail);
    } else {
        if !body.tail.is_empty() {
            body.head = [&body.head[..], &std::mem::take(&mut body.tail)].concat().into();
        }
        stream.read(&body.head);
    }
    reply.notes = std::mem::take(&mut stream.notes);
    reply.is_whole = stream.is_whole;
    // Several values in lines are a stream; a single one is an answer in one piece.
    if framing != Framing::Values || stream.events > 1 {
        reply.first_token = stream.first_token;
    }
    match stream.events {
        0 if body.total == 0 => None,
        // Some gateways answer with JSON (an error, mostly) under the content type that was asked for.
        0 if stream.read == body.head.len() as u64 && body.head.trim_ascii_start().starts_with(b"{") => {
            whole(body, reply)
        }
        0 => {
            reply.notes.add("the stream held no events");
            beginning.extend_from_slice(&body.head[..body.head.len().min(MAX_SHOWN)]);
            Some(shown(&beginning).into())
        }
        _ => Some(stream.into_response(&mut reply.notes)),
    }
}
