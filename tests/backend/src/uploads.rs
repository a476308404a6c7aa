//! The storage beside the backend: where rows that are too large for a request, and attachments, are uploaded to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart};
use serde_json::{Value, json};

use crate::{Request, lock};

/// Stands for the policy that a form must bring along, as storage has signed it.
const POLICY: &str = "signed";

/// What was uploaded, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uploads(Arc<Mutex<HashMap<String, Bytes>>>);

impl Uploads {
    /// Where the next rows are to be uploaded to: by PUT, or by a form.
    pub(crate) fn place(&self, url: &str, by_form: bool) -> Value {
        let key = format!("upload-{}", lock(&self.0).len());
        lock(&self.0).insert(key.clone(), Bytes::new());
        if by_form {
            let fields = json!({"key": key, "policy": POLICY, "Content-Type": "application/json"});
            return json!({"method": "POST", "signedUrl": format!("{url}/upload"), "fields": fields, "key": key});
        }
        let signed = format!("{url}/upload/{key}");
        json!({"method": "PUT", "signedUrl": signed, "headers": {"x-test": "1"}, "key": key})
    }

    pub(crate) fn put(&self, key: &str, data: Bytes) {
        lock(&self.0).insert(key.to_owned(), data);
    }

    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        lock(&self.0).get(key).cloned()
    }

    /// Takes a form as S3 does: the fields come first, then the file.
    pub(crate) async fn take_form(&self, request: &Request) -> Result<(), String> {
        let mut again = axum::extract::Request::new(Body::from(request.body.clone()));
        again.headers_mut().clone_from(&request.headers);
        let mut form = Multipart::from_request(again, &()).await.map_err(|error| error.to_string())?;
        let mut fields = HashMap::new();
        while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
            let name = field.name().unwrap_or_default().to_owned();
            let data = field.bytes().await.map_err(|error| error.to_string())?;
            if name != "file" {
                fields.insert(name, data);
                continue;
            }
            if fields.get("policy").is_none_or(|policy| policy != POLICY) {
                return Err("a form has no policy before its file".to_owned());
            }
            let key = fields.get("key").map(|key| String::from_utf8_lossy(key).into_owned());
            self.put(&key.ok_or("a form has no key before its file")?, data);
            return Ok(());
        }
        Err("a form has no file".to_owned())
    }
}
