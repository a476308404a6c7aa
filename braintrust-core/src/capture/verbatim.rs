//! JSON text that the program has made: whether it may stand in a row as it is.
//!
//! That it is JSON is not enough. It may be nested deeper than parsers go, or hold numbers and escapes of which they can make
//! nothing, and then the whole row would be refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Whether parsers can read it, and it has no more than `levels` arrays and objects within one another.
pub(super) fn is_readable(json: &str, levels: usize) -> bool {
    let mut parser = serde_json::Deserializer::from_str(json);
    Value { levels }.deserialize(&mut parser).is_ok() && parser.end().is_ok()
}

/// Any value, of which nothing is kept.
struct Value {
    levels: usize,
}

impl Value {
    /// What stands in an array or object.
    fn member<E: Error>(&self) -> Result<Self, E> {
        self.levels.checked_sub(1).map(|levels| Self { levels }).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

/// One method of a visitor for each kind of value that is well as it is.
macro_rules! accept {
    ($($method:ident($argument:ty);)*) => {
        $(fn $method<E: Error>(self, _: $argument) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Value {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    accept! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(self.member()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while object.next_key_seed(self.member()?)?.is_some() {
            object.next_value_seed(self.member()?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_parser_reads_is_found() {
        for json in ["1", "-0.5e3", "null", "true", r#""\u00e9\ud83e\udd80""#, r#" {"a" : [1, {}, []], "": "b"} "#] {
            assert!(is_readable(json, 3), "{json}");
        }
        for json in ["[[[[]]]]", r#"{"a":{"b":{"c":[]}}}"#, "1e999", r#""\ud800""#, r#"{"\udc00":1}"#, "[1", "1 2", ""]
        {
            assert!(!is_readable(json, 3), "{json}");
        }
    }
}
