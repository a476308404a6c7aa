//! Attachments whose data a local folder has kept, on their way to where its rows are sent.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::handle::Attached;
use super::key::Key;
use super::pending;
use super::references::{MARK, references_in};
use super::source::Source;

/// Has the data that `row` refers to wait for it, as far as it is in `folder`, where each file is named by its key.
pub(crate) fn restore(row: &[u8], folder: &Path) {
    if references_in(row).next().is_none() {
        return;
    }
    // A row that was given without its closing brace.
    if let Ok(row) = serde_json::from_slice(&[row, b"}"].concat()) {
        restore_in(&row, folder);
    }
}

fn restore_in(value: &Value, folder: &Path) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| restore_in(item, folder)),
        Value::Object(entries) => {
            entries.values().for_each(|entry| restore_in(entry, folder));
            if let Some(attached) = referred_to(value, folder) {
                pending::offer(&Arc::new(attached));
            }
        }
        _ => {}
    }
}

fn referred_to(reference: &Value, folder: &Path) -> Option<Attached> {
    let text = |name: &str| reference.get(name)?.as_str();
    if text("type")?.as_bytes() != MARK {
        return None;
    }
    // Nothing but a key may lead to a file.
    let key = Key::at_start_of(text("key")?.as_bytes()).filter(|key| Some(key.as_str()) == text("key"))?;
    let source = Source::file(&folder.join(key.as_str())).ok()?;
    let (filename, content_type) = (text("filename")?.to_owned(), text("content_type")?.to_owned());
    Some(Attached { key, filename, content_type, source })
}
