//! What a call's bytes say, as the fields of its span.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::body::Arrived;
use super::normalise::{self, Reply, Request};
use super::notes::Notes;
use super::{Endpoint, failure};
use crate::capture::{self, panic_message};
use crate::clock::Timestamp;
use crate::event::write_entry;
use crate::fields::{Field, Fields};

/// How a call ended.
#[derive(Debug)]
pub(super) enum Conclusion {
    Complete,
    /// With the error's text.
    Failed(String),
    /// Before anyone said how it ended.
    Dropped,
}

/// A response as far as it came.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: Option<u16>,
    pub(super) content_type: Option<String>,
    pub(super) arrived: Arrived,
    pub(super) started: Timestamp,
    pub(super) conclusion: Conclusion,
}

/// The error of a span whose response nobody read to its end. Not the program's failure, but not a whole answer either.
const CANCELLED: &str = "cancelled: the response was dropped before it ended";

/// The fields that the request gives. A span that was not named by hand is named by what the request asks for.
pub(super) fn request(endpoint: &Endpoint, body: &[u8], is_named: bool) -> Fields {
    let Request { input, metadata, streams, notes } = normalise::request(endpoint, body);
    let mut fields = Fields::new();
    put_some(&mut fields, Field::Input, input);
    put_some(&mut fields, Field::Metadata, Some(metadata.into()));
    let name = endpoint.api().span_name(streams);
    if !is_named && name != endpoint.api().span_name(endpoint.streams() == Some(true)) {
        fields.put(Field::Attributes, |out| write_entry("name", &name, out));
    }
    put_notes(&mut fields, "request_notes", &notes);
    fields
}

/// The fields that the response gives. A panic is a defect of this library; the span ends all the same, and tells of it.
pub(super) fn response(endpoint: &Endpoint, response: Response) -> Fields {
    catch_unwind(AssertUnwindSafe(|| read_response(endpoint, response))).unwrap_or_else(|payload| {
        let mut notes = Notes::default();
        notes.add(format!("the response could not be read: {}; this is a defect", panic_message(&*payload)));
        let mut fields = Fields::new();
        put_notes(&mut fields, "response_notes", &notes);
        fields
    })
}

fn read_response(endpoint: &Endpoint, response: Response) -> Fields {
    let Response { status, content_type, mut arrived, started, conclusion } = response;
    let mut reply = normalise::response(endpoint, status, content_type.as_deref(), &mut arrived);
    if let Some(seconds) = time_to_first_token(&reply, &arrived, started) {
        reply.metrics.insert("time_to_first_token".to_owned(), seconds.into());
    }
    let Reply { output, metadata, metrics, error, notes, is_whole, .. } = reply;
    let error = match conclusion {
        Conclusion::Failed(transport) => Some(error.map_or(transport.clone(), |said| format!("{said}; {transport}"))),
        // A client that knows the last event of a stream does not read on.
        Conclusion::Dropped if !is_whole => error.or_else(|| failure::of_status(status)).or(Some(CANCELLED.to_owned())),
        Conclusion::Dropped | Conclusion::Complete => error.or_else(|| failure::of_status(status)),
    };
    let mut fields = Fields::new();
    put_some(&mut fields, Field::Output, output);
    put_some(&mut fields, Field::Error, error.map(Value::from));
    put_some(&mut fields, Field::Metadata, (!metadata.is_empty()).then(|| metadata.into()));
    put_some(&mut fields, Field::Metrics, (!metrics.is_empty()).then(|| metrics.into()));
    put_notes(&mut fields, "response_notes", &notes);
    fields
}

fn time_to_first_token(reply: &Reply, arrived: &Arrived, started: Timestamp) -> Option<f64> {
    Some(arrived.arrival_of(reply.first_token?)?.since(started).as_secs_f64())
}

fn put_some(fields: &mut Fields, field: Field, value: Option<Value>) {
    if let Some(value) = value {
        fields.put(field, |out| capture::write_json(&value, out));
    }
}

/// Notes of request and response have keys of their own: under one, the later list would replace the earlier.
fn put_notes(fields: &mut Fields, key: &str, notes: &Notes) {
    if !notes.as_slice().is_empty() {
        fields.put(Field::Attributes, |out| write_entry(key, &notes.as_slice(), out));
    }
}
