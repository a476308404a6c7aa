//! The request that carries rows: its envelope, byte for byte, and the call.

use bytes::Bytes;
use reqwest::Method;

use super::client::{Api, Call};
use super::failure::Failure;

const HEAD: &[u8] = b"{\"rows\": [";
const TAIL: &[u8] = b"], \"api_version\": 2}";

/// The bytes around the rows of a request.
pub(crate) const ENVELOPE: usize = HEAD.len() + TAIL.len();

/// The body of a request for `rows`, each of which is an object without its closing brace and gets `closing` instead.
pub(crate) fn payload(rows: &[&[u8]], closing: &[u8]) -> Bytes {
    let size = ENVELOPE + rows.iter().map(|row| row.len() + closing.len() + 1).sum::<usize>();
    let mut payload = Vec::with_capacity(size);
    payload.extend_from_slice(HEAD);
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            payload.push(b',');
        }
        payload.extend_from_slice(row);
        payload.extend_from_slice(closing);
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
        let body = payload(&[br#"{"id":"1""#, br#"{"id":"2""#], br#","log_id":"g"}"#);
        let expected = r#"{"rows": [{"id":"1","log_id":"g"},{"id":"2","log_id":"g"}], "api_version": 2}"#;
        assert_eq!(body, expected.as_bytes());
        assert_eq!(payload(&[], b"").len(), 30);
        assert_eq!(ENVELOPE, 30);
    }
}
