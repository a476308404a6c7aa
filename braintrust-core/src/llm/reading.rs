//! What a call's bytes say, as the fields of its span.

#![expect(dead_code, reason = "not everything is read yet")]

use super::Endpoint;
use super::body::Arrived;
use crate::capture;
use crate::clock::Timestamp;
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

/// The fields that the request gives.
pub(super) fn request(endpoint: &Endpoint, body: &[u8], _is_named: bool) -> Fields {
    let mut fields = Fields::new();
    if let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) {
        fields.put(Field::Input, |out| capture::write_json(&body["messages"], out));
        let metadata = serde_json::json!({"provider": endpoint.provider(), "model": body["model"]});
        fields.put(Field::Metadata, |out| capture::write_json(&metadata, out));
    }
    fields
}

/// The fields that the response gives.
pub(super) fn response(_endpoint: &Endpoint, response: Response) -> Fields {
    let mut fields = Fields::new();
    let text = String::from_utf8_lossy(&response.arrived.head);
    fields.put(Field::Output, |out| capture::write_json(text.as_ref(), out));
    let error = match (&response.conclusion, response.status) {
        (Conclusion::Failed(error), _) => Some(error.clone()),
        (Conclusion::Dropped, _) => Some("cancelled: the response was dropped before it ended".to_owned()),
        (Conclusion::Complete, Some(status @ 400..)) => Some(format!("{status}: {text}")),
        (Conclusion::Complete, _) => None,
    };
    if let Some(error) = error {
        fields.put(Field::Error, |out| capture::write_json(&error, out));
    }
    if let Some(first) = response.arrived.arrival_of(0) {
        let seconds = first.since(response.started).as_secs_f64();
        fields
            .put(Field::Metrics, |out| capture::write_json(&serde_json::json!({"time_to_first_token": seconds}), out));
    }
    fields
}
