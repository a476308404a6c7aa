//! Data to be uploaded, as a value that may stand anywhere in what is logged.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::key::Key;
use super::media_type;
use super::pending;
use super::source::Source;
use crate::error::Error;
use crate::spool::{Blob, BlobFacts};

/// Data that is uploaded apart from the rows that it belongs to: an image, a recording, a document.
///
/// It may stand anywhere in a value that is logged, at any depth: in an [`Event`](crate::Event), in `json!`, in the
/// arguments and the result of a `#[traced]` function, in a field of a struct that derives `Serialize`. It serialises to a
/// reference, and its data is uploaded after the rows that refer to it, by the logger that sends them. A clone is the same
/// attachment: it is uploaded once, however often it is logged. Wherever else it is serialised, it is a reference to
/// data that nobody has uploaded.
///
/// ```
/// # fn main() -> Result<(), braintrust::Error> {
/// # let scratch = tempfile::tempdir().unwrap();
/// # let folder = scratch.path().join("traces");
/// # let logger = braintrust::Logger::builder().project("p").local_folder(&folder).build()?;
/// use braintrust::{Attachment, Event};
/// use serde_json::json;
///
/// let image = Attachment::from_bytes(&b"\x89PNG\r\n\x1a\n..."[..]).filename("page.png");
/// logger.log(Event::new().input(json!({"question": "What is this?", "context": image})));
///
/// let report = logger.flush_blocking(std::time::Duration::from_secs(5))?;
/// # let _ = report;
/// # Ok(())
/// # }
/// ```
///
/// # What waits, and for how long
///
/// Data that was serialised, and that no row has referred to yet, is kept for ten minutes, and 256 MiB of it at most; what
/// is beyond is dropped, the oldest first, with a warning. Without any logger nothing is kept. What rows refer to waits in
/// memory until it is uploaded, up to 256 MiB for each logger; files don't count. While Braintrust is away it waits on
/// disk, where rows do, and outlives the process there, that of files too. One attachment may have 64 MiB
/// ([`max_attachment_bytes`](crate::LoggerBuilder::max_attachment_bytes)). What is refused is counted in the report of the
/// flush, and shown as failed in Braintrust.
#[derive(Clone)]
pub struct Attachment(Arc<Attached>);

/// What an attachment is.
#[derive(Clone)]
pub(crate) struct Attached {
    pub(crate) key: Key,
    pub(crate) filename: String,
    pub(crate) content_type: String,
    pub(crate) source: Source,
}

impl Attachment {
    /// An attachment of data in memory. Its type is told by its first bytes, as far as they say.
    #[must_use]
    pub fn from_bytes(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let content_type = media_type::by_content(&data).unwrap_or(media_type::UNKNOWN);
        Self::new(Source::Memory(data), media_type::name_for(content_type), content_type.to_owned())
    }

    /// An attachment of a file. Its name and its type are those of the file, unless they are given.
    ///
    /// The file is opened here and read when it is uploaded, so this is cheap for large ones, and it may be removed
    /// meanwhile (on systems that let a removed file live while it is open; and if many files wait at once, not all stay
    /// open). If it has been *changed* by then, the upload fails, and the row says so: another picture than the one that
    /// was logged would only mislead. Read a file that is about to change yourself, and use
    /// [`from_bytes`](Self::from_bytes).
    ///
    /// # Errors
    ///
    /// If there is no such file, or it may not be read.
    ///
    /// ```no_run
    /// # use braintrust::Attachment;
    /// let image = Attachment::from_path("page.jpg")?.content_type("image/jpeg").filename("user_input.jpg");
    /// # Ok::<(), braintrust::Error>(())
    /// ```
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let source = Source::file(path)
            .map_err(|error| Error::io(format!("cannot attach `{}`: {error}", path.display()), error))?;
        let filename = path.file_name().map_or_else(|| "attachment".into(), |name| name.to_string_lossy().into_owned());
        let content_type = media_type::by_name(&filename).unwrap_or(media_type::UNKNOWN).to_owned();
        Ok(Self::new(source, filename, content_type))
    }

    pub(super) fn new(source: Source, filename: String, content_type: String) -> Self {
        Self(Arc::new(Attached { key: Key::random(), filename, content_type, source }))
    }

    /// The same data by another name.
    #[must_use]
    pub fn filename(self, filename: impl Into<String>) -> Self {
        let filename = filename.into();
        self.changed(|content| content.filename = filename)
    }

    /// The same data as of another media type, such as `image/png`.
    #[must_use]
    pub fn content_type(self, content_type: impl Into<String>) -> Self {
        let content_type = content_type.into();
        self.changed(|content| content.content_type = content_type)
    }

    /// Another attachment: what the backend knows by a key stays as it is.
    fn changed(self, change: impl FnOnce(&mut Attached)) -> Self {
        let mut content = Arc::unwrap_or_clone(self.0);
        content.key = Key::random();
        change(&mut content);
        Self(Arc::new(content))
    }
}

impl Attached {
    /// How many bytes of data there are.
    pub(crate) fn size(&self) -> u64 {
        self.source.size()
    }

    /// How many bytes of memory the data takes while it waits.
    pub(crate) fn held_bytes(&self) -> usize {
        self.source.held()
    }

    /// Reads the data.
    ///
    /// # Errors
    ///
    /// If it is gone, or is no longer what was attached.
    pub(crate) fn read(&self) -> Result<Bytes, String> {
        self.source.read()
    }

    /// The same without its data, for it is not to be uploaded.
    pub(crate) fn refused(&self, why: String) -> Self {
        Self { source: Source::Refused(why), ..self.clone() }
    }

    /// Data that is in the spool; none if that is no data of an attachment.
    pub(crate) fn spooled(blob: Blob) -> Option<Self> {
        let BlobFacts { key, filename, content_type } = blob.facts.clone();
        let key = Key::at_start_of(key.as_bytes()).filter(|whole| whole.as_str() == key)?;
        Some(Self { key, filename, content_type, source: Source::Spool(Arc::new(blob)) })
    }

    /// Where in the spool the data is, if it is there.
    pub(crate) fn place_in_spool(&self) -> Option<&Path> {
        match &self.source {
            Source::Spool(blob) => Some(&blob.path),
            _ => None,
        }
    }

    /// What has to be known to upload the data.
    pub(crate) fn facts(&self) -> BlobFacts {
        let (filename, content_type) = (self.filename.clone(), self.content_type.clone());
        BlobFacts { key: self.key.to_string(), filename, content_type }
    }

    /// What stands in a row in the place of the data.
    pub(crate) fn reference(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "braintrust_attachment",
            "filename": self.filename,
            "content_type": self.content_type,
            "key": self.key.as_str(),
        })
    }
}

impl Serialize for Attachment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        pending::offer(&self.0);
        let mut reference = serializer.serialize_struct("Attachment", 4)?;
        reference.serialize_field("type", "braintrust_attachment")?;
        reference.serialize_field("filename", &self.0.filename)?;
        reference.serialize_field("content_type", &self.0.content_type)?;
        reference.serialize_field("key", self.0.key.as_str())?;
        reference.end()
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("filename", &self.filename)
            .field("content_type", &self.content_type)
            .field("bytes", &self.source.size())
            .finish_non_exhaustive()
    }
}
