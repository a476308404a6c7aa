//! The request that carries rows: its envelope, byte for byte, and the call.

use bytes::Bytes;
use reqwest::Method;

use super::client::{Api, Call};
use super::failure::Failure;

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

/// The body of a request for `rows`.
pub(crate) fn payload(rows: &[Row<'_>]) -> Bytes {
    let size = ENVELOPE + rows.iter().map(|row| row.len() + 1).sum::<usize>();
    let mut payload = Vec::with_capacity(size);
    payload.extend_from_slice(HEAD);
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            payload.push(b',');
        }
        payload.extend_from_slice(row.text);
        payload.extend_from_slice(row.closing);
    }
    payload.extend_from_slice(TAIL);
    payload.into()
}

impl Api {
    /// Sends rows that [`payload`] has put together.
    pub(crate) async fn send_rows(&self, api_url: &str, payload: Bytes) -> Result<(), Failure> {
        let call = Call { method: Method::POST, base: api_url, path: "/logs3", body: Some(payload), limit: None };
        let response = self.send(call).await?;
        // The status has said all; the body is read only so that the connection can be used again.
        drop(response.bytes().await);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_that_of_the_other_sdks() {
        let row = |text, closing| Row { text, closing };
        let body = payload(&[row(br#"{"id":"1""#, br#","log_id":"g"}"#), row(br#"{"id":"2""#, br#","log_id":"x"}"#)]);
        let expected = r#"{"rows": [{"id":"1","log_id":"g"},{"id":"2","log_id":"x"}], "api_version": 2}"#;
        assert_eq!(body, expected.as_bytes());
        assert_eq!(payload(&[]).len(), 30);
        assert_eq!(ENVELOPE, 30);
    }
}
