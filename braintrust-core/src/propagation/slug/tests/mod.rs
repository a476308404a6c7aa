//! Slugs that the official packages made, texts that are none, and the errors.

mod properties;
mod vectors;

use serde_json::{Value, json};

use super::{Flaw, JsonObject, ObjectRef, ObjectType, RowIds, SlugError, SlugVersion, SpanComponents};

const OBJECT: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const ROW: &str = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
const SPAN: &str = "00f067aa0ba902b7";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn project(id: &str) -> SpanComponents {
    SpanComponents::new(ObjectType::ProjectLogs, ObjectRef::Id(id.to_owned())).unwrap()
}

fn named_project(name: &str) -> SpanComponents {
    SpanComponents::new(ObjectType::ProjectLogs, ObjectRef::Args(JsonObject::single("project_name", name))).unwrap()
}

fn row(row_id: &str, span_id: &str, root_span_id: &str) -> RowIds {
    RowIds { row_id: row_id.to_owned(), span_id: span_id.to_owned(), root_span_id: root_span_id.to_owned() }
}

fn object(value: Value) -> JsonObject {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    JsonObject::from(map)
}

fn flaw(slug: &str) -> String {
    let text = SpanComponents::parse(slug).expect_err(slug).to_string();
    text.rsplit_once(" (found ").unwrap().1.strip_suffix(')').unwrap().to_owned()
}

/// What `bytes` are as a slug.
fn slug(bytes: &[&[u8]]) -> String {
    super::text::encode(&bytes.concat())
}

#[test]
fn slugs_of_the_official_packages() {
    let hex = project(OBJECT).with_row(row(ROW, SPAN, TRACE)).unwrap();
    let uuids = row("hello", "9c858901-8a57-4791-81fe-4c455b099bc9", "16fd2706-8baf-433b-82eb-8c7fada847da");
    for (slug, expected) in [
        (
            "BAIAeyJjb21wdXRlX29iamVjdF9tZXRhZGF0YV9hcmdzIjp7InByb2plY3RfbmFtZSI6IkNhZsOpIOmhueebriDwn5qAIn19",
            named_project("Café 项目 🚀"),
        ),
        (
            "BAICAwDwZ6oLqQK3BEv5LzV3s02mo86SnQ4ORzZ7Im9iamVjdF9pZCI6IjNmMjUwNGUwLTRmODktNDFkMy05YTBjLTAzMDVlODJjMzMwMSIsInJvd19pZCI6IjdkNDQ0ODQwLTlkYzAtMTFkMS1iMjQ1LTVmZmRjZTc0ZmFkMiJ9",
            hex,
        ),
        ("AwIBAT8lBOBPiUHTmgwDBegsMwE=", project(OBJECT)),
        (
            "AgIAAQEAAAAAFXsicHJvamVjdF9uYW1lIjoicDEifZyFiQGKV0eRgf5MRVsJm8kW/ScGi69DO4LrjH+tqEfacm93LTE=",
            named_project("p1").with_row(RowIds { row_id: "row-1".to_owned(), ..uuids.clone() }).unwrap(),
        ),
        (
            "AQIBAD8lBOBPiUHTmgwDBegsMwGchYkBildHkYH+TEVbCZvJFv0nBouvQzuC64x/rahH2mhlbGxv",
            project(OBJECT).with_row(uuids).unwrap(),
        ),
    ] {
        assert_eq!(SpanComponents::parse(slug).unwrap(), expected, "{slug}");
        match super::text::decode(slug).unwrap()[0] {
            3 => assert_eq!(expected.to_slug(SlugVersion::V3), slug),
            4 => assert_eq!(expected.to_slug(SlugVersion::V4), slug),
            _ => {} // read, but never written
        }
    }
}

#[test]
fn a_slug_may_be_broken_into_lines_and_lose_its_padding_and_nothing_else() {
    let whole = project("xyzw").to_slug(SlugVersion::V4);
    assert_eq!(whole, "BAIAeyJvYmplY3RfaWQiOiJ4eXp3In0=");
    for same in ["BAIAeyJvYmplY3RfaWQiOiJ4eXp3In0", " BAIAeyJvYmplY3Rf\r\n\taWQiOiJ4eXp3In0=\n"] {
        assert_eq!(SpanComponents::parse(same).unwrap(), project("xyzw"), "{same}");
    }
    let (a, padding) = (flaw("BAIAeyJvYmplY3RfaWQiOiJ4eXp3In0=="), flaw("BAIAeyJvYmplY3RfaWQiOiJ4eXp3In0====="));
    assert!(a.contains("padding") && padding.contains("padding"), "{a}\n{padding}");
    assert!(flaw("BAICA_v_v_v_").contains("URL-safe"));
    assert!(flaw("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln").contains("no alphabet"));
    assert!(flaw("BAIAe").contains("length is impossible"));
}

#[test]
fn an_error_names_the_version_and_what_was_expected() {
    let text = SpanComponents::parse(&slug(&[&[4, 9, 0]])).unwrap_err().to_string();
    assert_eq!(
        text,
        "SpanComponents string is not properly encoded. This library only supports encoding versions up to 4. Please \
         make sure the SDK library used to decode the SpanComponents is at least as new as any library used to encode \
         it. (found version 4: `object_type` is 9; expected 1 (experiment), 2 (project logs) or 3 (playground logs))"
    );
    for (bytes, expected) in [
        (&[][..], "no version: the slug is empty; expected the string that `Span::export` returned"),
        (&[0, 2, 0], "version 0: expected a version of at least 1"),
        (
            &[7],
            "version 7: the slug ends within `object_type` (bytes missing: 1); expected all of the string that was exported",
        ),
        (
            &[1, 3, 0, 0],
            "version 1: `object_type` is 3; expected 1 (experiment), 2 (project logs) or 3 (playground logs)",
        ),
        (&[1, 2, 2, 0], "version 1: `has row ids` is 2; expected 0 or 1"),
        (&[2, 2, 1, 0, 0, 7], "version 2: `row_id is a UUID` is 7; expected 0 or 1"),
        (&[3, 2, 1, 5], "version 3: a binary field has the number 5; expected 1 to 4"),
        (
            &[4, 2, 1, 3, 0],
            "version 4: the slug ends within `span_id` (bytes missing: 7); expected all of the string that was exported",
        ),
        (b"\x04\x02\x00[1,2]", "version 4: the JSON after the binary ids is not a JSON object (see column 1 of it)"),
        (
            b"\x04\x02\x00{\"object_id\":",
            "version 4: the JSON after the binary ids is not valid JSON (see column 13 of it)",
        ),
        (
            b"\x04\x02\x00{\"object_id\":7}",
            "version 4: the JSON after the binary ids is not a JSON object in which the ids are texts (see column 14 of it)",
        ),
        (b"\x04\x02\x00{\"object_id\":\"\xff\"}", "version 4: the JSON after the binary ids is not valid UTF-8"),
        (
            b"\x04\x02\x00",
            "version 4: neither `object_id` nor `compute_object_metadata_args` is set; expected one of them",
        ),
    ] {
        assert_eq!(flaw(&slug(&[bytes])), expected);
    }
}

#[test]
fn the_rules_of_the_components() {
    let json = |text: &str| slug(&[&[4, 2, 0], text.as_bytes()]);
    for (text, expected) in [
        (r#"{"object_id":"o","row_id":"r"}"#, "`span_id` is missing"),
        (r#"{"object_id":"o","row_id":"r","span_id":"s","root_span_id":""}"#, "`root_span_id` is missing"),
        (r#"{"object_id":"o","span_id":"s","root_span_id":"t"}"#, "`row_id` is missing"),
        (r#"{"object_id":"o","compute_object_metadata_args":{"project_name":"p"}}"#, "both"),
        (r#"{"object_id":""}"#, "neither"),
        (r#"{"compute_object_metadata_args":{}}"#, "is empty"),
        (r#"{"object_id":"o","propagated_event":[1]}"#, "propagated_event is not a JSON object"),
        (r#"{"object_id":"o","propagated_event":{"a":"\ud800"}}"#, "propagated_event is not a JSON object"),
        (r#"{"object_id":"o","object_type":"experiment"}"#, "ids are texts"),
    ] {
        assert!(flaw(&json(text)).contains(expected), "{text}: {}", flaw(&json(text)));
    }
    let same =
        r#" {"object_id":"o", "object_type":2,"row_id":"","span_id":null,"propagated_event":{ },"newer":{"x":1}} "#;
    assert_eq!(SpanComponents::parse(&json(same)).unwrap(), project("o"));
    assert_eq!(SpanComponents::new(ObjectType::Experiment, ObjectRef::Id(String::new())), Err(Flaw::NoObject));
    assert_eq!(project("o").with_row(row("r", "", "t")), Err(Flaw::RowIds { missing: "span_id" }));
}

#[test]
fn what_is_propagated_keeps_its_order_and_spelling_on_one_line() {
    let text =
        "{\"object_id\":\"o\",\"propagated_event\":{\n \"z\" : 1.0, \"a\": [1e+21, \" \\\" \\\\\"],\t\"m\":{} }}";
    let parsed = SpanComponents::parse(&slug(&[&[4, 2, 0], text.as_bytes()])).unwrap();
    let event = parsed.propagated_event().unwrap();
    assert_eq!(event.as_raw().get(), r#"{"z":1.0,"a":[1e+21," \" \\"],"m":{}}"#);
    assert_eq!(Value::Object(event.to_map()), json!({"z": 1.0, "a": [1e21, " \" \\"], "m": {}}));
}

#[test]
fn json_of_any_depth_is_an_error_and_no_overflow() {
    let deep = format!("{{\"object_id\":\"o\",\"propagated_event\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(flaw(&slug(&[&[4, 2, 0], deep.as_bytes()])).contains("propagated_event"));
    let unknown = deep.replace("propagated_event", "newer");
    assert!(SpanComponents::parse(&slug(&[&[4, 2, 0], unknown.as_bytes()])).is_ok());
}

#[test]
fn version_3_writes_only_usual_uuids_in_binary() {
    for id in [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}",
        "12345678-1234-0234-c234-123456789abc",
    ] {
        let components = project(id);
        assert_eq!(SpanComponents::parse(&components.to_slug(SlugVersion::V3)).unwrap(), components, "{id}");
    }
    assert_eq!(project(OBJECT).to_slug(SlugVersion::V3), "AwIBAT8lBOBPiUHTmgwDBegsMwE=");
    let upper = project(&OBJECT.to_uppercase()).to_slug(SlugVersion::V3);
    assert_eq!(SpanComponents::parse(&upper).unwrap(), project(OBJECT), "as in every SDK");
    let event = project("o").with_propagated_event(object(json!({"ü": "\u{7f}🎉"})));
    let slug = event.to_slug(SlugVersion::V3);
    assert!(super::text::decode(&slug).unwrap().is_ascii());
    assert_eq!(SpanComponents::parse(&slug).unwrap().propagated_event().unwrap().text("ü").unwrap(), "\u{7f}🎉");
}

#[test]
fn the_error_has_its_reason_as_source() {
    let error = SlugError::new(Some(4), Flaw::TwoObjects);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), Flaw::TwoObjects.to_string());
}
