//! The mask for entries with certain names: objects in rows, in JSON within strings, and in `Debug` texts.

use std::collections::HashSet;

use memchr::memmem;
use serde_json::{Map, Value};

use super::any_case::AnyCase;
use super::field::Content;
use super::row::Failed;
use crate::capture::REDACTED;

/// Names under which programs keep secrets; each stands for all that end in it, as `db_password` does. `token` is none of
/// them: in the rows of language models, it is a piece of text.
const COMMON_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_key",
    "private_key",
    "api_key",
    "access_key",
    "bearer_token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "session_token",
    "authorization",
    "cookie",
];

/// How many strings that hold JSON may stand within one another.
const MAX_NESTING: usize = 4;

/// Hides the values of entries with certain names; how the words of a name are joined, and their case, don't matter.
pub(super) struct Names {
    /// Without separators, in lower case.
    names: HashSet<String>,
    longest: usize,
    /// Whether a longer name may end in one of these.
    endings: bool,
    /// All usual spellings of the names, for a look that costs little.
    spellings: AnyCase,
}

impl Names {
    /// The names under which programs keep secrets.
    pub(super) fn common() -> Self {
        Self::new(COMMON_NAMES.iter().copied(), true)
    }

    /// These names, and no longer ones.
    pub(super) fn exactly<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(names, false)
    }

    fn new<'a>(names: impl IntoIterator<Item = &'a str>, endings: bool) -> Self {
        let names: Vec<_> = names.into_iter().map(words).filter(|words| !words.is_empty()).collect();
        let spellings = names.iter().flat_map(|words| ["", "_", "-", " ", "."].map(|joint| words.join(joint)));
        Self {
            spellings: AnyCase::new(&spellings.collect()),
            longest: names.iter().map(|words| words.concat().len()).max().unwrap_or_default(),
            names: names.into_iter().map(|words| words.concat()).collect(),
            endings,
        }
    }

    /// Whether one of the names may be in this JSON.
    pub(super) fn may_be_in(&self, json: &[u8]) -> bool {
        // With an escape in it, a name may be spelt in any way.
        memmem::find(json, b"\\u").is_some() || self.spellings.are_in(json)
    }

    /// The JSON of a field without what the names name; nothing if there is nothing of that. Where there must be numbers,
    /// such entries are left out.
    pub(super) fn mask(&self, content: Content, json: &str) -> Result<Option<String>, Failed> {
        if !self.may_be_in(json.as_bytes()) {
            return Ok(None);
        }
        let mut value: Value = serde_json::from_str(json).map_err(|_| Failed::Unreadable)?;
        let changed = match &mut value {
            Value::Object(entries) => self.within_field(content, entries),
            other => self.walk(other, MAX_NESTING),
        };
        Ok(changed.then(|| value.to_string()))
    }

    fn within_field(&self, content: Content, entries: &mut Map<String, Value>) -> bool {
        let own = content.own_entries();
        if content.holds_numbers() {
            let before = entries.len();
            entries.retain(|key, _| own.contains(&key.as_str()) || !self.is_named(key));
            return entries.len() < before;
        }
        entries.iter_mut().fold(false, |changed, (key, entry)| {
            let masked = match (own.contains(&key.as_str()), entry.is_string()) {
                (true, false) => false,
                (true, true) => self.walk(entry, MAX_NESTING),
                (false, _) => self.entry(key, entry, MAX_NESTING),
            };
            masked | changed
        })
    }

    fn is_named(&self, key: &str) -> bool {
        let words = words(key);
        if !self.endings {
            return self.names.contains(&words.concat());
        }
        // From the shortest ending to the longest that a name may be: a key may have any number of words.
        let mut ending = String::new();
        for word in words.iter().rev() {
            ending.insert_str(0, word);
            if ending.len() > self.longest {
                return false;
            }
            if self.names.contains(&ending) {
                return true;
            }
        }
        false
    }

    /// Hides what is to be hidden within `value`, and says whether there was anything.
    fn walk(&self, value: &mut Value, nesting: usize) -> bool {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.walk(item, nesting) | changed),
            Value::Object(entries) => {
                entries.iter_mut().fold(false, |changed, (key, entry)| self.entry(key, entry, nesting) | changed)
            }
            Value::String(text) => {
                let masked = self.within_text(text, nesting);
                let changed = masked.is_some();
                if let Some(masked) = masked {
                    *text = masked;
                }
                changed
            }
        }
    }

    fn entry(&self, key: &str, entry: &mut Value, nesting: usize) -> bool {
        if !self.is_named(key) {
            return self.walk(entry, nesting);
        }
        // That there is nothing is no secret, and worth knowing; whether there is a password (`has_password`) as well.
        if entry.is_null() || entry == REDACTED || self.endings && entry.is_boolean() {
            return false;
        }
        *entry = REDACTED.into();
        true
    }

    /// Hides what is to be hidden in a text: one that is JSON itself, as the arguments of tool calls are, or one that
    /// names its parts, as `Debug` texts and queries do.
    fn within_text(&self, text: &str, nesting: usize) -> Option<String> {
        if !self.may_be_in(text.as_bytes()) {
            return None;
        }
        if let (Some(inner), true) = (json_in(text), nesting > 0) {
            let mut inner = inner;
            return self.walk(&mut inner, nesting - 1).then(|| inner.to_string());
        }
        self.in_prose(text)
    }

    /// Hides `name: "value"`, `name: Some("value")` and `name=value`.
    fn in_prose(&self, text: &str) -> Option<String> {
        let mut masked = String::new();
        let mut done = 0;
        for found in self.spellings.find_iter(text) {
            let before = text[..found.start].chars().next_back();
            let within_name = before.is_some_and(|c| is_word(c) && !(self.endings && is_joint(c)));
            if found.start < done || within_name || text[found.end..].starts_with(is_word) {
                continue;
            }
            if let Some((start, end)) = assigned(text, found.end) {
                masked.push_str(&text[done..start]);
                masked.push_str(REDACTED);
                done = end;
            }
        }
        (done > 0).then(|| masked + &text[done..])
    }
}

/// The words of a name in lower case: `xApiKey`, `X-API-Key` and `x_api_key` are three each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.trim().chars() {
        let separates = matches!(c, '_' | '-' | ' ' | '.');
        if separates || c.is_uppercase() && after_lower {
            words.push(String::new());
        }
        if let (false, Some(word)) = (separates, words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_joint(c)
}

fn is_joint(c: char) -> bool {
    matches!(c, '_' | '-')
}

fn json_in(text: &str) -> Option<Value> {
    let looks_so = text.trim_start().starts_with(['{', '[']);
    looks_so.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Where in `text` the value lies that a name ending at `name_end` is given, if it is given one.
fn assigned(text: &str, name_end: usize) -> Option<(usize, usize)> {
    let after_name = text[name_end..].trim_start_matches(['"', '\'', '\\', ' ']);
    let is_query = after_name.starts_with('=');
    let value = after_name.strip_prefix([':', '='])?.trim_start();
    let value = value.strip_prefix("Some(").unwrap_or(value);
    let value = value.trim_start_matches('\\');
    let start = |value: &str| text.len() - value.len();
    if let Some(quoted) = value.strip_prefix('"') {
        return Some((start(quoted), start(quoted) + quoted_len(quoted)));
    }
    if !is_query {
        return None;
    }
    let bare = value.find(|c: char| c.is_whitespace() || "&;,)}]\"'".contains(c)).unwrap_or(value.len());
    (bare > 0).then(|| (start(value), start(value) + bare))
}

/// The length of a quoted text up to its closing quote, or to its end if it was cut.
fn quoted_len(quoted: &str) -> usize {
    let mut escaped = false;
    let end = quoted.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.unwrap_or(quoted.len())
}
