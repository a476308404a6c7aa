//! A mask that the program wrote.

use std::sync::Arc;

use serde_json::Value;

use super::field::MaskedField;
use super::row::Failed;
use crate::active::LoggerId;
use crate::context::Context;
use crate::diagnostics;
use crate::panic_site;

/// A function that masks the fields of rows in place.
#[derive(Clone)]
pub(super) struct Function(Arc<MaskFn>);

type MaskFn = dyn Fn(MaskedField, &mut Value) + Send + Sync;

impl Function {
    pub(super) fn new(function: impl Fn(MaskedField, &mut Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    /// The JSON of `field` as the function left it; nothing if it changed nothing.
    pub(super) fn mask(&self, field: MaskedField, json: &str) -> Result<Option<String>, Failed> {
        let before: Value = serde_json::from_str(json).map_err(|_| Failed::Unreadable)?;
        let mut value = before.clone();
        // Spans that the function opens must not be what it is called for next.
        let nowhere = Context::of_logger(LoggerId::NOWHERE);
        match panic_site::keep_quiet(|| nowhere.scope(|| (self.0)(field, &mut value))) {
            // Parsing and writing again may change how a number looks, so a field that is to stay stays as it was.
            Ok(()) => Ok((value != before).then(|| value.to_string())),
            Err(place) => {
                warn(field, place);
                Err(Failed::Panicked)
            }
        }
    }
}

/// Says where a mask panicked, but not how: the message of the panic may quote what was to be hidden.
fn warn(field: MaskedField, place: Option<String>) {
    diagnostics::warn_once("mask panicked", || {
        let at = place.map(|place| format!(" at {place}")).unwrap_or_default();
        format!("the function given to `mask` panicked on the field `{field}`{at}; an error text goes out in its place")
    });
}
