//! What a logger is to hide.

use super::LoggerBuilder;
use crate::mask::MaskedField;

/// # Hiding parts of rows
impl LoggerBuilder {
    /// Has keys, tokens and passwords hidden in everything that this logger sends or writes.
    ///
    /// What is recognised: keys by the shapes that their issuers document (`sk-…`, `AIza…`, `ghp_…` and others), bearer
    /// tokens, `Basic` credentials, JWTs, private keys in PEM, passwords in URLs, the logger's own API key; and the values
    /// of entries whose names end in `password`, `authorization`, `api_key`, `access_token`, `cookie` and the like, at any
    /// depth, in JSON within strings and in `Debug` texts too. `[REDACTED]` takes their place.
    ///
    /// It sees the fields that [`mask`](Self::mask) sees, and also `error`, tags, span attributes and comments.
    ///
    /// ```
    /// # fn main() -> Result<(), braintrust::Error> {
    /// # let scratch = tempfile::tempdir().unwrap();
    /// # let folder = scratch.path().join("traces");
    /// use braintrust::{Event, Logger};
    ///
    /// let logger = Logger::builder().project("p").local_folder(&folder).mask_secrets().build()?;
    /// logger.log(Event::new().input("curl -H 'Authorization: Bearer 0123456789abcdef'"));
    /// logger.flush_blocking(std::time::Duration::from_secs(5))?;
    ///
    /// let traces = braintrust::local::read(&folder)?;
    /// assert_eq!(traces.find("root").input().unwrap(), "curl -H 'Authorization: Bearer [REDACTED]'");
    /// # Ok(())
    /// # }
    /// ```
    pub fn mask_secrets(mut self) -> Self {
        self.mask.add_secrets();
        self
    }

    /// Has the values of entries with these names hidden, as by [`mask_secrets`](Self::mask_secrets). A name stands for
    /// itself in any case and spelling (`home_address` for `homeAddress` and `Home-Address`), but not for longer names.
    /// Among scores and metrics, which must be numbers, such entries are left out.
    ///
    /// ```
    /// # use braintrust::Logger;
    /// let builder = Logger::builder().project("p").mask_secrets().mask_fields(["ssn", "home_address"]);
    /// ```
    pub fn mask_fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.mask.add_names(names.into_iter().map(Into::into).collect());
        self
    }

    /// Has each row's input, output, expected, metadata, context, scores and metrics passed through `mask`, which changes
    /// them in place, before the row goes anywhere: to Braintrust, to a folder, to memory.
    ///
    /// It is called on the thread that sends rows, once for each of these fields that a row has. A span that is sent bit
    /// by bit, an update and feedback are rows as well. The ways of masking are applied in the order in which they were
    /// asked for; each may be asked for more than once.
    ///
    /// It does not see a span's error, tags, attributes (its name among them) and comments, as it does not in the other
    /// SDKs. What an error may quote is hidden by [`mask_secrets`](Self::mask_secrets), or by
    /// `#[traced(err = |error| ..)]`, which says what is shown of it.
    ///
    /// If `mask` panics, nothing of the field goes out. In the place of input, output, expected and context, there is the
    /// text `ERROR: Failed to mask field 'input' - panic`; of metadata, an object with this text as its `error`; scores
    /// and metrics are left out, and the text is added to the row's error. The message of the panic is shown nowhere, for
    /// it could quote what was to be hidden: a line on stderr says only where it happened. A panic hook that the program
    /// sets after it made its first logger still gets it.
    ///
    /// ```
    /// # use braintrust::{Logger, MaskedField};
    /// let builder = Logger::builder().project("p").mask(|field, value| {
    ///     if field == MaskedField::Input && value.to_string().contains("patient") {
    ///         *value = "withheld".into();
    ///     }
    /// });
    /// ```
    pub fn mask(mut self, mask: impl Fn(MaskedField, &mut serde_json::Value) + Send + Sync + 'static) -> Self {
        self.mask.add_function(mask);
        self
    }
}
