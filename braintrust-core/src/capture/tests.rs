//! The serializer against `serde_json`, and at its limits.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::limits::{DEFAULT_MAX_VALUE_BYTES, MAX_DEPTH};
use super::serializer::Writer;
use super::write_json;

fn json_of<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = b"before".to_vec();
    write_json(value, &mut out);
    String::from_utf8(out).unwrap().split_off(6)
}

/// What comes out within `budget` bytes, parsed; the budget of the process is left alone.
fn within(budget: usize, value: &impl Serialize) -> Value {
    let mut out = Vec::new();
    value.serialize(&mut Writer::new(&mut out, budget)).unwrap();
    assert!(out.len() < budget + 200, "{} bytes for a budget of {budget}", out.len());
    serde_json::from_slice(&out).unwrap()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_out_as_serde_json_writes_it(value in any_json()) {
        prop_assert_eq!(json_of(&value), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn any_budget_yields_well_formed_json(value in any_json(), budget in 0usize..400) {
        let mut out = Vec::new();
        value.serialize(&mut Writer::new(&mut out, budget)).unwrap();
        prop_assert!(serde_json::from_slice::<Value>(&out).is_ok(), "{}", String::from_utf8_lossy(&out));
    }
}

#[derive(Serialize)]
struct Everything<'a> {
    unit: (),
    unit_struct: UnitStruct,
    newtype: Newtype,
    pair: Pair,
    variants: [Variant; 4],
    some: Option<u8>,
    none: Option<u8>,
    bytes: &'a serde_bytes_like::Bytes,
    char: char,
    small: (i8, i16, i32, u8, u16, u32, f32),
    map: BTreeMap<i32, bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u8>,
}

#[derive(Serialize)]
struct UnitStruct;

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
struct Pair(u8, &'static str);

#[derive(Serialize)]
enum Variant {
    Unit,
    New(u8),
    Tuple(u8, u8),
    Struct { a: u8 },
}

mod serde_bytes_like {
    use super::{Serialize, Serializer};

    /// Serialized by `serialize_bytes`.
    pub(super) struct Bytes(pub(super) [u8; 3]);

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }
}

#[test]
fn every_kind_of_value_comes_out_as_serde_json_writes_it() {
    let everything = Everything {
        unit: (),
        unit_struct: UnitStruct,
        newtype: Newtype(1),
        pair: Pair(2, "two"),
        variants: [Variant::Unit, Variant::New(3), Variant::Tuple(4, 5), Variant::Struct { a: 6 }],
        some: Some(7),
        none: None,
        bytes: &serde_bytes_like::Bytes([8, 9, 255]),
        char: '"',
        small: (-1, -2, -3, 4, 5, 6, 0.1),
        map: BTreeMap::from([(-1, true)]),
        skipped: None,
    };
    assert_eq!(json_of(&everything), serde_json::to_string(&everything).unwrap());
}

#[test]
fn numbers_that_json_cannot_hold() {
    assert_eq!(json_of(&[f64::NAN, f64::INFINITY, -f64::INFINITY]), "[null,null,null]");
    assert_eq!(json_of(&[f32::NAN]), "[null]");
    assert_eq!(json_of(&(i128::from(i64::MIN), u128::from(u64::MAX), i128::from(u64::MAX))), {
        format!("[{},{1},{1}]", i64::MIN, u64::MAX)
    });
    assert_eq!(json_of(&(i128::MIN, u128::MAX)), format!(r#"["{}","{}"]"#, i128::MIN, u128::MAX));
}

#[test]
fn json_text_is_copied() {
    let raw = serde_json::value::RawValue::from_string(r#"{"a": [1,2]}"#.to_owned()).unwrap();
    assert_eq!(json_of(&(1, &raw)), r#"[1,{"a": [1,2]}]"#);
    assert_eq!(within(8, &raw), json!("{\"a\": [… [5 of 12 bytes are cut]"));
}

#[test]
fn long_strings_are_cut_at_a_character() {
    assert_eq!(within(12, &"abc€€€€€€"), json!("abc€€€… [9 of 21 bytes are cut]"));
    let huge = "x".repeat(DEFAULT_MAX_VALUE_BYTES * 2);
    assert!(json_of(&huge).len() < DEFAULT_MAX_VALUE_BYTES + 100);
}

#[test]
fn long_lists_and_maps_say_what_is_missing() {
    assert_eq!(
        within(8, &(0..100).collect::<Vec<_>>()),
        json!([0, 1, 2, 3, "<96 more left out: the value is too large>"])
    );
    let map: BTreeMap<_, _> = (0..100).map(|n| (n, n)).collect();
    assert_eq!(within(8, &map), json!({"0": 0, "1": 1, "…": "<98 more left out: the value is too large>"}));
}

#[test]
fn short_fields_after_a_long_one_are_kept() {
    #[derive(Serialize)]
    struct Reply {
        text: String,
        tokens: u8,
    }
    let reply = Reply { text: "x".repeat(100), tokens: 7 };
    assert_eq!(within(20, &reply)["tokens"], json!(7));
}

#[derive(Serialize)]
struct List {
    next: Option<Box<List>>,
}

#[derive(Serialize)]
struct Bare(Option<Box<Bare>>);

#[derive(Serialize)]
enum Tree {
    Leaf,
    Node(Box<Tree>),
}

#[test]
fn depth_is_bounded() {
    let list = (0..MAX_DEPTH * 2).fold(List { next: None }, |list, _| List { next: Some(Box::new(list)) });
    let json = json_of(&list);
    assert_eq!(json.matches('{').count(), MAX_DEPTH);
    assert!(json.contains(r#""next":"<max depth exceeded>"}"#));
    assert!(serde_json::from_str::<Value>(&json).is_ok());
    let bare = (0..1_000).fold(Bare(None), |bare, _| Bare(Some(Box::new(bare))));
    assert_eq!(json_of(&bare), r#""<max depth exceeded>""#);
    let tree = (0..1_000).fold(Tree::Leaf, |tree, _| Tree::Node(Box::new(tree)));
    assert_eq!(json_of(&tree).matches('{').count(), MAX_DEPTH);
}

#[test]
fn values_that_fail_leave_a_note_and_nothing_else() {
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let json = json_of(&(1, Refuses));
    assert!(json.starts_with("\"<(i32, ") && json.ends_with("could not be serialized: no>\""), "{json}");
}

#[test]
fn implementations_that_pass_over_what_goes_wrong_leave_a_note_too() {
    use serde::ser::{Error, SerializeMap, SerializeSeq};

    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }
    /// Does what the function says, and pays no heed to what comes of it.
    struct Careless<M, L>(M, L);
    impl<M: Fn(&mut dyn FnMut(Option<&str>, Option<u8>)), L: Fn(&mut dyn FnMut())> Serialize for Careless<M, L> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            (self.0)(&mut |key, value| {
                let _ = key.map(|key| map.serialize_key(key));
                let _ = value.map(|value| map.serialize_value(&value));
            });
            (self.1)(&mut || {
                let _ = map.serialize_entry("refused", &Refuses);
            });
            map.end()
        }
    }
    struct List;
    impl Serialize for List {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(None)?;
            let _ = list.serialize_element(&Refuses);
            list.serialize_element(&1)?;
            list.end()
        }
    }
    let nothing = |_: &mut dyn FnMut()| {};
    let good = json_of(&Careless(|entry: &mut dyn FnMut(Option<&str>, Option<u8>)| entry(Some("a"), Some(1)), nothing));
    assert_eq!(good, r#"{"a":1}"#);
    for bad in [
        json_of(&Careless(|entry: &mut dyn FnMut(Option<&str>, Option<u8>)| entry(Some("a"), None), nothing)),
        json_of(&Careless(|entry: &mut dyn FnMut(Option<&str>, Option<u8>)| entry(None, Some(1)), nothing)),
        json_of(&[Careless(|_: &mut dyn FnMut(Option<&str>, Option<u8>)| {}, |refused: &mut dyn FnMut()| refused())]),
        json_of(&(1, List)),
        json_of(&BTreeMap::from([(1, List)])),
    ] {
        let note: Value = serde_json::from_str(&bad).unwrap_or_else(|error| panic!("{error}: {bad}"));
        assert!(note.as_str().is_some_and(|note| note.contains("could not be serialized: ")), "{bad}");
    }
}

#[test]
fn displayed_values_are_cut_too() {
    struct Endless;
    impl std::fmt::Display for Endless {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            loop {
                f.write_str("and on ")?;
            }
        }
    }
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }
    assert_eq!(within(10, &Endless), json!("and on an… [the rest is cut]"));
}
