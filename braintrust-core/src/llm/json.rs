//! Reading JSON from strangers: whatever is wrong with it, what came before that is kept, in bounded memory.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object of JSON.
pub(super) type Object = Map<String, Value>;

/// How many values one text may become. A value takes 32 bytes, so that `[[],[],…` would otherwise grow tenfold.
const MAX_VALUES: usize = 1_000_000;
/// How many more are taken close to the root, so that what follows a huge array (the usage) is still seen.
const MORE_AT_THE_ROOT: usize = 10_000;
const ROOT_DEPTH: usize = 3;

/// What was read, and why not more.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) value: Value,
    pub(super) problem: Option<String>,
}

/// Reads one JSON text.
pub(super) fn read(bytes: &[u8]) -> Read {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let mut value = Value::Null;
    let mut values = 0;
    let mut json = serde_json::Deserializer::from_str(&text);
    let filled = Fill { into: &mut value, values: &mut values, depth: 0 }.deserialize(&mut json);
    let problem = match filled.and_then(|()| json.end()) {
        Err(error) => Some(error.to_string()),
        Ok(()) if values > MAX_VALUES => Some(format!("it has more than {MAX_VALUES} values")),
        Ok(()) if matches!(text, Cow::Owned(_)) => Some("it is not UTF-8".to_owned()),
        Ok(()) => None,
    };
    Read { value, problem }
}

/// Fills a value in place, so that what was read before an error is there after it.
struct Fill<'a> {
    into: &'a mut Value,
    values: &'a mut usize,
    depth: usize,
}

impl Fill<'_> {
    /// Counts a value; `false` if it is one too many.
    fn admit(&mut self) -> bool {
        *self.values += 1;
        let limit = if self.depth <= ROOT_DEPTH { MAX_VALUES + MORE_AT_THE_ROOT } else { MAX_VALUES };
        *self.values <= limit
    }
}

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if self.admit() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ())
        }
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        *self.into = Value::Null;
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        *self.into = Value::Bool(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        *self.into = value.into();
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        *self.into = value.into();
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        *self.into = value.into();
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        *self.into = text.into();
        Ok(())
    }

    fn visit_string<E>(self, text: String) -> Result<(), E> {
        *self.into = text.into();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let Self { into, values, depth } = self;
        *into = Value::Array(Vec::new());
        let Value::Array(elements) = into else { return Err(A::Error::custom("not an array")) };
        loop {
            if *values > MAX_VALUES && depth >= ROOT_DEPTH - 1 {
                while from.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
            elements.push(Value::Null);
            let last = elements.len() - 1;
            let added = from.next_element_seed(Fill { into: &mut elements[last], values, depth: depth + 1 });
            if !matches!(added, Ok(Some(()))) && elements[last].is_null() {
                elements.pop();
            }
            if added?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let Self { into, values, depth } = self;
        *into = Value::Object(Object::new());
        let Value::Object(entries) = into else { return Err(A::Error::custom("not an object")) };
        while let Some(key) = from.next_key::<String>()? {
            let slot = entries.entry(key).or_insert(Value::Null);
            from.next_value_seed(Fill { into: slot, values, depth: depth + 1 })?;
        }
        Ok(())
    }
}

/// The entry `key` of an object; `None` if there is none, or null.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|found| !found.is_null())
}

/// Takes the entry `key` out of an object; `None` if there is none, or null.
pub(super) fn take(value: &mut Value, key: &str) -> Option<Value> {
    value.as_object_mut()?.remove(key).filter(|taken| !taken.is_null())
}

/// The text under `key`.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// The elements under `key`, taken out; none if there is no array.
pub(super) fn take_array(value: &mut Value, key: &str) -> Vec<Value> {
    match take(value, key) {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    }
}

/// Whether there is nothing in a value.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_comes_before_a_fault_is_kept() {
        let cases = [
            (r#"{"a":1,"b":[1,{"c":"x"},{"d":"#, json!({"a": 1, "b": [1, {"c": "x"}, {"d": null}]})),
            (r#"{"a":"whole","b":"cut of"#, json!({"a": "whole", "b": null})),
            ("[1,2,", json!([1, 2])),
            (r#"{"n":1e999,"m":2}"#, json!({"n": null})),
            ("<html>", json!(null)),
            ("", json!(null)),
            ("{} {}", json!({})),
        ];
        for (text, kept) in cases {
            let read = read(text.as_bytes());
            assert_eq!(read.value, kept, "{text}");
            assert!(read.problem.is_some(), "{text}");
        }
        let read = read(b"{\"a\":\"\xff\"}");
        assert_eq!((read.value, read.problem.as_deref()), (json!({"a": "\u{fffd}"}), Some("it is not UTF-8")));
    }

    #[test]
    fn bombs_are_defused() {
        let deep = [vec![b'['; 1_000_000], vec![b']'; 1_000_000]].concat();
        assert!(read(&deep).problem.unwrap().contains("recursion"));
        let wide = format!(r#"{{"data":[{{"x":[{}]}}],"usage":{{"n":1}}}}"#, "[],".repeat(3_000_000) + "0");
        let read = read(wide.as_bytes());
        assert_eq!(read.value["usage"]["n"], 1);
        assert!(read.value["data"][0]["x"].as_array().unwrap().len() <= MAX_VALUES);
        assert!(read.problem.unwrap().contains("values"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,3}", inner, 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whole_json_is_read_as_serde_json_reads_it(value in any_json()) {
            let read = read(value.to_string().as_bytes());
            prop_assert_eq!((read.value, read.problem), (value, None));
        }
    }
}
