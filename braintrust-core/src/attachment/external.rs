//! A reference to data that is kept somewhere else.

use serde::Serialize;

use super::media_type;

/// Data in a store that Braintrust can read by itself, such as `s3://bucket/key.pdf`.
///
/// It is shown as an attachment, and never uploaded, nor fetched by this process.
///
/// ```
/// use braintrust::{Event, ExternalAttachment};
///
/// let event = Event::new().input(ExternalAttachment::new("s3://bucket/report.pdf"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExternalAttachment {
    #[serde(rename = "type")]
    kind: &'static str,
    filename: String,
    content_type: String,
    url: String,
}

impl ExternalAttachment {
    /// A reference to what is at `url`. Its name and its type are those at the end of the URL, unless they are given.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let name = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("attachment");
        let content_type = media_type::by_name(name).unwrap_or(media_type::UNKNOWN).to_owned();
        Self { kind: "external_attachment", filename: name.to_owned(), content_type, url }
    }

    /// The name to be shown.
    #[must_use]
    pub fn filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = filename.into();
        self
    }

    /// The media type, such as `image/png`.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }
}
