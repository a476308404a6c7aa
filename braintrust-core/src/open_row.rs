//! A row as text without its closing brace: taken apart into its members as they are written, and put together again.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::capture::write_str;

/// A row that is no JSON object.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// The members of an object in their order, their values as they are written.
pub(crate) fn members(object: &[u8]) -> Result<Vec<(String, &RawValue)>, Unreadable> {
    let mut parser = serde_json::Deserializer::from_slice(object);
    let members = parser.deserialize_map(MembersVisitor).map_err(|_| Unreadable)?;
    parser.end().map_err(|_| Unreadable)?;
    Ok(members)
}

struct MembersVisitor;

impl<'a> Visitor<'a> for MembersVisitor {
    type Value = Vec<(String, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// Writes a row member by member.
pub(crate) struct RowWriter<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> RowWriter<'a> {
    /// A writer that appends a row to `out`.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, is_empty: true }
    }

    pub(crate) fn put(&mut self, key: &str, json: &str) {
        self.out.push(if self.is_empty { b'{' } else { b',' });
        self.is_empty = false;
        write_str(self.out, key);
        self.out.push(b':');
        self.out.extend_from_slice(json.as_bytes());
    }
}
