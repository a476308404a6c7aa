//! What holds of every slug, and of every text that is taken for one.

use proptest::prelude::*;
use serde_json::json;

use super::super::components::RowIds;
use super::{JsonObject, ObjectRef, ObjectType, SlugVersion, SpanComponents, object, slug};

/// Ids of all the kinds that there are: hex, UUIDs, and texts of the user's. Upper-case hex is left out, since it comes
/// back in lower case.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{16}",
        "[0-9a-f]{32}",
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        any::<String>().prop_map(|text| format!("id {text}")),
    ]
}

fn event() -> impl Strategy<Value = JsonObject> {
    proptest::collection::vec((any::<String>(), any::<String>(), any::<i64>()), 0..4)
        .prop_map(|fields| object(fields.into_iter().map(|(key, text, number)| (key, json!([text, number]))).collect()))
}

fn components() -> impl Strategy<Value = SpanComponents> {
    let object_type =
        prop_oneof![Just(ObjectType::Experiment), Just(ObjectType::ProjectLogs), Just(ObjectType::PlaygroundLogs)];
    let object_ref = prop_oneof![
        id().prop_map(ObjectRef::Id),
        any::<String>().prop_map(|name| ObjectRef::Args(JsonObject::single("project_name", &name))),
    ];
    let row = proptest::option::of((id(), id(), id()));
    (object_type, object_ref, row, event()).prop_map(|(object_type, object_ref, row, event)| {
        let components = SpanComponents::new(object_type, object_ref).unwrap().with_propagated_event(event);
        match row {
            Some((row_id, span_id, root_span_id)) => {
                components.with_row(RowIds { row_id, span_id, root_span_id }).unwrap()
            }
            None => components,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(components in components()) {
        let slug = components.to_slug(SlugVersion::V4);
        prop_assert_eq!(SpanComponents::parse(&slug).unwrap(), components.clone());
        let slug = components.to_slug(SlugVersion::V3);
        let back = SpanComponents::parse(&slug).unwrap();
        // Version 3 escapes what is not ASCII, which changes the text of the JSON but not the JSON.
        prop_assert_eq!(back.to_slug(SlugVersion::V3), slug);
        prop_assert_eq!(back.row(), components.row());
        let event = |slug: &SpanComponents| slug.propagated_event().map(JsonObject::to_map);
        prop_assert_eq!(event(&back), event(&components));
    }

    #[test]
    fn any_text_is_a_slug_or_an_error(text in any::<String>()) {
        let _ = SpanComponents::parse(&text);
    }

    #[test]
    fn any_bytes_are_a_slug_or_an_error(version in 0u8..6, kind in 0u8..5, bytes in any::<Vec<u8>>()) {
        if let Ok(components) = SpanComponents::parse(&slug(&[&[version, kind], &bytes])) {
            prop_assert!(SpanComponents::parse(&components.to_slug(SlugVersion::V4)).is_ok());
        }
    }

    #[test]
    fn a_slug_with_a_byte_changed_is_a_slug_or_an_error(
        components in components(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for version in [SlugVersion::V3, SlugVersion::V4] {
            let mut bytes = super::super::text::decode(&components.to_slug(version)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = SpanComponents::parse(&slug(&[&bytes]));
            let _ = SpanComponents::parse(&slug(&[&bytes[..at]]));
        }
    }
}
