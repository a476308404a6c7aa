//! Base64 in rows: taken out of the messages of models, and cut wherever else there is more of it than a value may hold.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::attachment::Attached;
use crate::attachment::messages::{self, Converted};
use crate::capture;
use crate::open_row::{RowWriter, members};
use crate::sink::{OpenRow, RowBatch};

/// The fields that hold messages.
const MESSAGES: [&str; 2] = ["input", "output"];

/// How much of a text that is cut is left, to see what it was.
const REMNANT: usize = 256;

/// Turns data in the messages of model calls into attachments of `rows`, of so many bytes at most, if there may be such.
pub(super) fn take_out(rows: &mut RowBatch, max_attachment_bytes: Option<u64>) {
    let most = capture::max_value_bytes();
    let is_large = |row: &[u8]| row.len() > most;
    // Only rows of model calls, which are few, are read for their data.
    let may_have_data = |row: OpenRow<'_>| row.may_hold_messages && messages::may_have_data(row.text);
    let has_data = max_attachment_bytes.is_some() && rows.iter().any(may_have_data);
    let has_large = is_large(rows.text()) && rows.iter().any(|row| is_large(row.text));
    if !(has_data || has_large) {
        return;
    }
    let mut attachments = Vec::new();
    *rows = rows.rewritten(|row, out| {
        let start = out.len();
        out.extend_from_slice(row.text);
        if let Some(limit) = max_attachment_bytes
            && may_have_data(row)
            && let Some(converted) = convert_row(row.text, limit)
        {
            out.truncate(start);
            out.extend_from_slice(&converted.row);
            attachments.extend(converted.attachments);
        }
        if is_large(&out[start..])
            && let Some(cut) = cut_row(&out[start..], most)
        {
            out.truncate(start);
            out.extend_from_slice(&cut);
        }
        true
    });
    rows.attachments.extend(attachments);
}

struct ConvertedRow {
    row: Vec<u8>,
    attachments: Vec<Arc<Attached>>,
}

fn convert_row(row: &[u8], max_attachment_bytes: u64) -> Option<ConvertedRow> {
    let closed = [row, b"}"].concat();
    let members = members(&closed).ok()?;
    let kind = members.iter().find(|(key, _)| key == "span_attributes").map(|(_, json)| kind_in(json.get()));
    // A row that is to be merged seldom says of what kind its span is.
    if !matches!(kind, None | Some(Some("llm"))) {
        return None;
    }
    let mut converted = ConvertedRow { row: Vec::with_capacity(row.len()), attachments: Vec::new() };
    let mut writer = RowWriter::new(&mut converted.row);
    for (key, json) in &members {
        let field =
            MESSAGES.contains(&key.as_str()).then(|| messages::convert(json.get(), max_attachment_bytes)).flatten();
        match field {
            Some(Converted { json, attachments }) => {
                writer.put(key, &json);
                converted.attachments.extend(attachments);
            }
            None => writer.put(key, json.get()),
        }
    }
    (!converted.attachments.is_empty()).then_some(converted)
}

fn kind_in(span_attributes: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct Attributes<'a> {
        #[serde(rename = "type")]
        kind: Option<&'a str>,
    }
    serde_json::from_str::<Attributes<'_>>(span_attributes).ok()?.kind
}

/// The row with the base64 cut that made it larger than its values may be; nothing if there is none.
fn cut_row(row: &[u8], most: usize) -> Option<Vec<u8>> {
    let closed = [row, b"}"].concat();
    let mut out = Vec::with_capacity(most);
    let mut writer = RowWriter::new(&mut out);
    let mut has_cut = false;
    for (key, json) in members(&closed).ok()? {
        let value = if json.get().len() > most { serde_json::from_str(json.get()).ok() } else { None };
        let Some(mut value) = value else {
            writer.put(&key, json.get());
            continue;
        };
        has_cut |= cut(&mut value, &mut { most });
        writer.put(&key, &Value::to_string(&value));
    }
    has_cut.then_some(out)
}

/// Cuts the base64 in `value` beyond the first `left` bytes, and says whether there was any.
fn cut(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |any, item| cut(item, left) | any),
        Value::Object(entries) => entries.values_mut().fold(false, |any, entry| cut(entry, left) | any),
        Value::String(text) => cut_text(text, left),
        _ => false,
    }
}

fn cut_text(text: &mut String, left: &mut usize) -> bool {
    let media = capture::base64_bytes(text);
    if media <= *left {
        *left -= media;
        return false;
    }
    let whole = text.len();
    text.truncate(text.floor_char_boundary(REMNANT));
    let gone = whole - text.len();
    text.push_str(&format!("… [{gone} of {whole} bytes are cut]"));
    true
}
