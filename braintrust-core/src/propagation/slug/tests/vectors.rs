//! Every vector of the reference collection, where it lies beside the project.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::components::Parts;
use super::super::{ids, text};
use super::{Flaw, JsonObject, ObjectRef, SlugVersion, SpanComponents};

#[derive(Deserialize)]
struct Collection {
    vectors: Vec<Vector>,
    invalid_constructions: Vec<Vector>,
    decode_only: Vec<Received>,
}

/// Components, and what the official packages encode them as.
#[derive(Deserialize)]
struct Vector {
    name: String,
    version: u8,
    components: Components,
    encoded: Option<String>,
    encoded_py: Option<String>,
    encoded_js: Option<String>,
    #[serde(default)]
    decoded_by_v4_decoder: Value,
}

/// A slug, and what the official packages decode it to.
#[derive(Deserialize)]
struct Received {
    name: String,
    encoded: String,
    decoded: Option<Value>,
    decoded_py: Option<Value>,
    decoded_js: Option<Value>,
}

#[derive(Deserialize)]
struct Components {
    object_type: u8,
    object_id: Option<String>,
    compute_object_metadata_args: Option<Box<RawValue>>,
    row_id: Option<String>,
    span_id: Option<String>,
    root_span_id: Option<String>,
    propagated_event: Option<Box<RawValue>>,
}

impl Components {
    fn build(&self) -> Result<SpanComponents, Flaw> {
        let object =
            |raw: &Option<Box<RawValue>>| raw.as_ref().map(|raw| JsonObject::parse("test", raw.get())).transpose();
        Parts {
            object_type: self.object_type,
            object_id: self.object_id.clone(),
            args: object(&self.compute_object_metadata_args)?,
            row_id: self.row_id.clone(),
            span_id: self.span_id.clone(),
            root_span_id: self.root_span_id.clone(),
            propagated_event: object(&self.propagated_event)?,
        }
        .check()
    }

    fn ids(&self) -> impl Iterator<Item = &String> {
        [&self.object_id, &self.row_id, &self.span_id, &self.root_span_id].into_iter().flatten()
    }
}

/// How a vector must be written.
enum Recommended<'a> {
    Exactly(&'a str),
    /// With the same ids in binary, and the same meaning. The recommended text would bring an id back changed: JS takes
    /// only the usual form of a UUID for one, as we do, but spells JSON in its own way.
    Like(&'a str),
    /// Version 1 and 2 are not written any more.
    Never,
}

impl Vector {
    fn recommended(&self) -> Recommended<'_> {
        let encoded = self.encoded.as_ref().unwrap();
        let (python, js) = (self.encoded_py.as_ref().unwrap_or(encoded), self.encoded_js.as_ref().unwrap_or(encoded));
        let span_id_is_hex_to_js_alone =
            self.components.span_id.as_ref().is_some_and(|id| id.len() == 16 && ids::parse_hex::<8>(id).is_none());
        match self.version {
            3 if self.components.ids().any(|id| is_uuid_to_python_alone(id)) => Recommended::Like(js),
            3 => Recommended::Exactly(encoded),
            4 if span_id_is_hex_to_js_alone => Recommended::Exactly(python),
            // The collection spells its numbers as Python does, and we hand numbers on as they are spelt.
            4 if self.name.ends_with("propagated_numbers") => Recommended::Exactly(python),
            4 => Recommended::Exactly(encoded),
            _ => Recommended::Never,
        }
    }
}

fn is_uuid_to_python_alone(id: &str) -> bool {
    let bare = id.replace("urn:", "").replace("uuid:", "").replace(['{', '}', '-'], "");
    ids::parse_hex::<16>(&bare).is_some() && ids::parse_uuid(id).is_none()
}

fn collection() -> Option<Collection> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/span_components_vectors.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there are no vectors at {}", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Components as the collection writes them.
fn described(components: &SpanComponents) -> Value {
    let mut out = Map::new();
    out.insert("object_type".into(), components.object_type().code().into());
    match components.object() {
        ObjectRef::Id(id) => out.insert("object_id".into(), id.clone().into()),
        ObjectRef::Args(args) => out.insert("compute_object_metadata_args".into(), args.to_map().into()),
    };
    if let Some(row) = components.row() {
        out.insert("row_id".into(), row.row_id.clone().into());
        out.insert("span_id".into(), row.span_id.clone().into());
        out.insert("root_span_id".into(), row.root_span_id.clone().into());
    }
    if let Some(event) = components.propagated_event() {
        out.insert("propagated_event".into(), event.to_map().into());
    }
    Value::Object(out)
}

#[test]
fn every_vector_is_written_as_recommended() {
    let Some(collection) = collection() else { return };
    for vector in &collection.vectors {
        let name = &vector.name;
        let components = vector.components.build().unwrap_or_else(|flaw| panic!("{name}: {flaw}"));
        let slug = components.to_slug(if vector.version == 4 { SlugVersion::V4 } else { SlugVersion::V3 });
        match vector.recommended() {
            Recommended::Exactly(expected) => assert_eq!(readable(&slug), readable(expected), "{name}"),
            Recommended::Like(expected) => {
                assert_eq!(binary_ids(&slug), binary_ids(expected), "{name}");
                assert!(same(&read(&slug), &read(expected)), "{name}: {}", readable(&slug));
            }
            Recommended::Never => {}
        }
        // The case of hex digits is all that may be lost.
        assert_eq!(read(&slug).to_string().to_lowercase(), described(&components).to_string().to_lowercase(), "{name}");
    }
}

fn read(slug: &str) -> Value {
    described(&SpanComponents::parse(slug).unwrap())
}

fn readable(slug: &str) -> String {
    String::from_utf8_lossy(&text::decode(slug).unwrap()).into_owned()
}

fn binary_ids(slug: &str) -> u8 {
    text::decode(slug).unwrap()[2]
}

#[test]
fn every_form_of_every_vector_is_read() {
    let Some(collection) = collection() else { return };
    for vector in &collection.vectors {
        let decoded = &vector.decoded_by_v4_decoder;
        for (slug, by) in [(&vector.encoded, ""), (&vector.encoded_py, "py_slug_"), (&vector.encoded_js, "js_slug_")] {
            let Some(slug) = slug else { continue };
            // The results of both packages: they differ for what only one of them can read.
            let results = [decoded, &decoded[format!("{by}decoded_by_py")], &decoded[format!("{by}decoded_by_js")]];
            let mut expected = results.into_iter().filter(|result| result.get("object_type").is_some());
            let found = described(&SpanComponents::parse(slug).unwrap_or_else(|e| panic!("{}: {e}", vector.name)));
            let agrees = expected.clone().next().is_none() || expected.any(|result| same(&found, result));
            assert!(agrees, "{} {by}: {found}\n{decoded:#}", vector.name);
        }
    }
}

/// Whether two packages say the same. An empty event is none.
fn same(found: &Value, expected: &Value) -> bool {
    let mut expected = expected.clone();
    let fields = expected.as_object_mut().unwrap();
    fields.retain(|field, value| {
        !(field == "propagated_event" && *value == Value::Object(Map::new())) && value.as_str() != Some("")
    });
    // JS writes 1 for 1.0, and JSON makes no difference.
    found.to_string().replace(".0", "") == Value::Object(fields.clone()).to_string().replace(".0", "")
}

#[test]
fn refused_constructions_are_refused() {
    let Some(collection) = collection() else { return };
    for vector in &collection.invalid_constructions {
        // Versions 1 and 2, which refuse ids that are no UUIDs, are never written.
        if vector.version >= 3 {
            assert!(vector.components.build().is_err(), "{}", vector.name);
        }
        if let Some(slug) = &vector.encoded_js {
            assert!(SpanComponents::parse(slug).is_err(), "{}", vector.name);
        }
    }
}

#[test]
fn what_can_only_be_received_gives_the_recommended_result_or_an_error() {
    let Some(collection) = collection() else { return };
    for received in &collection.decode_only {
        let found = SpanComponents::parse(&received.encoded).map(|components| described(&components));
        match (received.name.as_str(), found) {
            // Where the packages differ: see the table of differences.
            ("bad_unpadded_2", found) => assert!(same(&found.unwrap(), received.decoded_js.as_ref().unwrap())),
            ("old_v3_nonrfc_uuid_bytes" | "old_v2_args_len_negative", found) => {
                assert!(same(&found.unwrap(), received.decoded_py.as_ref().unwrap()), "{}", received.name);
            }
            ("v4_json_lone_surrogate_escape", found) => assert!(found.is_err(), "no Rust text can hold it"),
            (name, Ok(found)) => {
                let expected = received.decoded.as_ref().unwrap_or_else(|| panic!("{name} must be refused: {found}"));
                assert!(same(&found, expected), "{name}: {found}\n{expected}");
            }
            (name, Err(error)) => {
                let refused =
                    |result: &Option<Value>| result.as_ref().is_some_and(|result| result.get("error").is_some());
                assert!(refused(&received.decoded_py) || refused(&received.decoded_js), "{name}: {error}");
            }
        }
    }
}
