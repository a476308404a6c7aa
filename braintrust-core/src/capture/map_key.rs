//! Keys of JSON objects: strings as they are, anything else as the text of its JSON.

use serde::Serialize;

use super::escape::write_str;
use super::limits::max_value_bytes;
use super::serializer::{Refused, Writer};

/// Appends `key` as a JSON string.
///
/// JSON wants strings here and `serde_json` refuses most else. A span would rather show `{"[1,2]": …}` than nothing.
pub(super) fn write_key<T: Serialize + ?Sized>(out: &mut Vec<u8>, key: &T) -> Result<(), Refused> {
    let start = out.len();
    let mut writer = Writer::new(&mut *out, max_value_bytes());
    let written = key.serialize(&mut writer);
    writer.finish(written)?;
    if out.get(start) != Some(&b'"') {
        quote_from(out, start);
    }
    Ok(())
}

/// Turns the JSON text that begins at `start` into a JSON string.
pub(super) fn quote_from(out: &mut Vec<u8>, start: usize) {
    let json = out.split_off(start);
    write_str(out, &String::from_utf8_lossy(&json));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::capture::write_json;

    #[derive(serde::Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Key {
        Unit,
        Pair(u8, u8),
    }

    fn json<K: serde::Serialize + Ord>(entries: impl IntoIterator<Item = (K, u8)>) -> String {
        let mut out = Vec::new();
        write_json(&entries.into_iter().collect::<BTreeMap<_, _>>(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn scalars_become_their_text() {
        assert_eq!(json([(7, 1)]), r#"{"7":1}"#);
        assert_eq!(json([(true, 1)]), r#"{"true":1}"#);
        assert_eq!(json([('"', 1)]), r#"{"\"":1}"#);
        assert_eq!(json([(Key::Unit, 1)]), r#"{"Unit":1}"#);
        assert_eq!(json([(Some(3), 1)]), r#"{"3":1}"#);
        assert_eq!(json([(u128::MAX, 1)]), r#"{"340282366920938463463374607431768211455":1}"#);
    }

    #[test]
    fn compounds_become_the_text_of_their_json() {
        assert_eq!(json([((1, "a"), 1)]), r#"{"[1,\"a\"]":1}"#);
        assert_eq!(json([(Key::Pair(1, 2), 1)]), r#"{"{\"Pair\":[1,2]}":1}"#);
    }
}
