//! Rows to the data plane, in the envelope that it expects.

use bytes::Bytes;
use reqwest::Method;
use serde::de::IgnoredAny;

use super::client::{Api, Call};
use super::failure::Failure;
use crate::buffer::Buffer;

const HEAD: &[u8] = b"{\"rows\": [";
const TAIL: &[u8] = b"], \"api_version\": 2}";

/// The bytes around the rows of a request.
pub(crate) const ENVELOPE: usize = HEAD.len() + TAIL.len();

/// A row to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// A JSON object without its closing brace.
    pub(crate) text: &'a [u8],
    /// The fields that name the row's container, and the brace.
    pub(crate) closing: &'a [u8],
}

impl Row<'_> {
    /// The size of the row as it is sent.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.closing.len()
    }
}

/// The body of a request for rows, as it grows.
#[derive(Debug)]
pub(crate) struct Envelope(Buffer);

impl Envelope {
    /// An empty envelope with room for rows of so many bytes in all.
    pub(crate) fn with_room(bytes: usize) -> Self {
        let mut body = Buffer::with_capacity(ENVELOPE + bytes);
        body.extend_from_slice(HEAD);
        Self(body)
    }

    /// The size of the body that [`seal`](Self::seal) would make now.
    pub(crate) fn len(&self) -> usize {
        self.0.len() + TAIL.len()
    }

    /// Adds a row, and says where in the body it begins.
    pub(crate) fn push(&mut self, row: Row<'_>) -> usize {
        if self.0.len() > HEAD.len() {
            self.0.push(b',');
        }
        let start = self.0.len();
        self.0.extend_from_slice(row.text);
        self.0.extend_from_slice(row.closing);
        start
    }

    pub(crate) fn seal(mut self) -> Bytes {
        self.0.extend_from_slice(TAIL);
        Bytes::from_owner(self.0)
    }
}

impl Api {
    /// Sends rows in the body that an [`Envelope`] has made.
    ///
    /// # Errors
    ///
    /// Also where something answers "fine" that is not Braintrust, such as a proxy's page of its own: the rows have not
    /// arrived.
    pub(crate) async fn send_rows(&self, api_url: &str, body: Bytes) -> Result<(), Failure> {
        let call = Call { method: Method::POST, base: api_url, path: "/logs3", body: Some(body), limit: None };
        let (line, answer) = self.fetch_bytes(call).await?;
        if answer.trim_ascii().is_empty() || serde_json::from_slice::<IgnoredAny>(&answer).is_ok() {
            return Ok(());
        }
        let begin: String = self.scrub(&String::from_utf8_lossy(&answer)).trim().chars().take(80).collect();
        Err(Failure::transient(format!(
            "{line}: the answer is \"success\", but not what Braintrust answers: {begin:?}; is a proxy in between?"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body<'a>(rows: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Bytes {
        let mut envelope = Envelope::with_room(0);
        for (text, closing) in rows {
            envelope.push(Row { text, closing });
        }
        let len = envelope.len();
        let body = envelope.seal();
        assert_eq!(len, body.len());
        body
    }

    #[test]
    fn the_envelope_is_that_of_the_other_sdks() {
        let rows: [(&[u8], &[u8]); 2] =
            [(br#"{"id":"1""#, br#","log_id":"g"}"#), (br#"{"id":"2""#, br#","log_id":"x"}"#)];
        let expected = r#"{"rows": [{"id":"1","log_id":"g"},{"id":"2","log_id":"x"}], "api_version": 2}"#;
        assert_eq!(body(rows), expected.as_bytes());
        assert_eq!(body([]).len(), ENVELOPE);
        assert_eq!(ENVELOPE, 30);
    }
}
