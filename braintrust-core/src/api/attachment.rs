//! Uploading an attachment: asking for a signed address, sending the data there, and saying how it went.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{Api, Call};
use super::failure::Failure;

/// Time for an upload beside the time-out of any request: enough for a line of a megabit in a second.
const BYTES_PER_SECOND: usize = 128 * 1024;

/// An attachment, as the backend is told of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct AttachmentFacts<'a> {
    pub(crate) key: &'a str,
    pub(crate) filename: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) org_id: &'a str,
}

/// Where the data goes. The address is a secret of its own, for it says by itself who may write there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedAddress {
    signed_url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Api {
    /// Asks where the data of an attachment is to go.
    pub(crate) async fn announce_attachment(
        &self,
        api_url: &str,
        facts: AttachmentFacts<'_>,
    ) -> Result<SignedAddress, Failure> {
        let body = Some(json!(facts).to_string().into());
        self.fetch(Call { method: Method::POST, base: api_url, path: "/attachment", body, limit: None }).await
    }

    /// Sends the data of an attachment to its place; `timeout` is that of other requests.
    pub(crate) async fn put_attachment(
        &self,
        address: &SignedAddress,
        data: Bytes,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let limit = timeout + Duration::from_secs((data.len() / BYTES_PER_SECOND) as u64);
        let SignedAddress { signed_url, headers } = address;
        self.put_signed(signed_url, headers, data, limit, "PUT of the data to its signed address").await
    }

    /// Says how the upload of an attachment went.
    pub(crate) async fn post_attachment_status(
        &self,
        api_url: &str,
        facts: AttachmentFacts<'_>,
        error: Option<&str>,
    ) -> Result<(), Failure> {
        let status = match error {
            None => json!({"upload_status": "done"}),
            Some(error) => json!({"upload_status": "error", "error_message": error}),
        };
        let body = Some(json!({"key": facts.key, "org_id": facts.org_id, "status": status}).to_string().into());
        let call = Call { method: Method::POST, base: api_url, path: "/attachment/status", body, limit: None };
        // Read only so that the connection can be used again.
        self.fetch_bytes(call).await.map(drop)
    }
}
