//! Rows that are too large for a request: uploaded to a signed address, and then only named to the data plane.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Client, Method, RequestBuilder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::client::{Api, Call};
use super::failure::Failure;
use super::logs3::Row;

const JSON: &str = "application/json";

#[derive(Serialize)]
struct Announcement {
    content_type: &'static str,
    size_bytes: usize,
    rows: Vec<RowMeta>,
}

#[derive(Serialize)]
struct RowMeta {
    object_ids: Map<String, Value>,
    has_comment: bool,
    is_delete: bool,
    input_row: InputRow,
}

#[derive(Serialize)]
struct InputRow {
    byte_size: usize,
}

/// Where to upload to. The address is signed, which is why this has no `Debug`.
#[derive(Deserialize)]
struct Place {
    method: String,
    #[serde(rename = "signedUrl")]
    signed_url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    key: String,
}

impl Api {
    /// Sends `body`, which holds `rows`, by way of an upload.
    ///
    /// `uploaded` keeps the key of an upload that went well, so that a repetition does not upload again.
    pub(crate) async fn send_overflow<'a>(
        &self,
        api_url: &str,
        rows: impl Iterator<Item = Row<'a>>,
        body: &Bytes,
        uploaded: &Cell<Option<String>>,
    ) -> Result<(), Failure> {
        let key = match uploaded.take() {
            Some(key) => key,
            None => self.upload_body(api_url, rows, body).await?,
        };
        let named = json!({"rows": {"type": "logs3_overflow", "key": key, "size_bytes": body.len()}, "api_version": 2});
        uploaded.set(Some(key));
        self.send_rows(api_url, named.to_string().into()).await
    }

    async fn upload_body<'a>(
        &self,
        api_url: &str,
        rows: impl Iterator<Item = Row<'a>>,
        body: &Bytes,
    ) -> Result<String, Failure> {
        let announcement =
            Announcement { content_type: JSON, size_bytes: body.len(), rows: rows.map(row_meta).collect() };
        let announcement = serde_json::to_vec(&announcement)
            .map_err(|error| Failure::permanent(format!("the upload of a large request: {error}")))?;
        let path = "/logs3/overflow";
        let call = Call { method: Method::POST, base: api_url, path, body: Some(announcement.into()), limit: None };
        let place: Place = self.fetch(call).await?;
        match place.method.as_str() {
            "PUT" => self.upload(|http| put(http, &place, body)).await?,
            "POST" => self.upload(|http| post_form(http, &place, body)).await?,
            other => {
                let text =
                    format!("POST {api_url}{path}: the answer asks for an upload by {other:?}, expected PUT or POST");
                return Err(Failure::permanent(text));
            }
        }
        Ok(place.key)
    }
}

fn row_meta(row: Row<'_>) -> RowMeta {
    let text = [row.text, row.closing].concat();
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(&text).unwrap_or_default();
    // The closing is the rest of an object: `,"project_id":"…","log_id":"g"}`.
    let object_ids = [b"{", row.closing.strip_prefix(b",").unwrap_or(row.closing)].concat();
    RowMeta {
        object_ids: serde_json::from_slice(&object_ids).unwrap_or_default(),
        has_comment: fields.contains_key("comment"),
        is_delete: fields.get("_object_delete").is_some_and(|value| value.get() == "true"),
        input_row: InputRow { byte_size: row.len() },
    }
}

fn put(http: &Client, place: &Place, body: &Bytes) -> RequestBuilder {
    let mut request = http.put(&place.signed_url).header(CONTENT_LENGTH, body.len());
    for (name, value) in &place.headers {
        request = request.header(name, value);
    }
    let host = reqwest::Url::parse(&place.signed_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    if host.is_some_and(|host| host.contains("blob.core.windows.net")) {
        request = request.header("x-ms-blob-type", "BlockBlob");
    }
    request.body(body.clone())
}

/// A form whose fields come before the file, as S3 wants it.
fn post_form(http: &Client, place: &Place, body: &Bytes) -> RequestBuilder {
    let boundary = format!("braintrust-{:032x}", fastrand::u128(..));
    let mut form = Vec::with_capacity(body.len() + 4096);
    for (name, value) in &place.fields {
        let name = quoted(name);
        form.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    let content_type = place.fields.get("Content-Type").map_or(JSON, String::as_str);
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"logs3.json\"";
    form.extend_from_slice(format!("--{boundary}\r\n{head}\r\nContent-Type: {content_type}\r\n\r\n").as_bytes());
    form.extend_from_slice(body);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());

    let mut request = http.post(&place.signed_url).header(CONTENT_LENGTH, form.len());
    for (name, value) in place.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")) {
        request = request.header(name, value);
    }
    request.header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}")).body(form)
}

/// A name as it stands in quotes in a form's header.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
