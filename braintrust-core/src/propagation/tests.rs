//! Headers: what is written, what is read, and what is let pass or left out on the way.

use std::collections::{BTreeMap, HashMap};

use http::HeaderMap;
use http::header::HeaderValue;
use proptest::prelude::*;

use super::{Extractor, Injector, ObjectRef, ObjectType, ParentObject, TraceContext, extract, inject, percent};
use crate::ids::{SpanId, TraceId};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn context(parent: Option<ParentObject>) -> TraceContext {
    let trace = TraceId([0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736]);
    TraceContext::new(trace, SpanId(0x00f0_67aa_0ba9_02b7), parent)
}

fn named(name: &str) -> Option<ParentObject> {
    Some(ParentObject::ProjectName(name.to_owned()))
}

fn headers<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// The baggage that comes out where there was `before`.
fn injected_baggage(before: &str, parent: Option<ParentObject>) -> Option<String> {
    let mut carrier = headers([("baggage", before)]);
    inject(&context(parent), &mut carrier);
    carrier.remove("baggage")
}

fn extracted_parent(baggage: &str) -> Option<ParentObject> {
    extract(&headers([("traceparent", TRACEPARENT), ("baggage", baggage)])).unwrap().parent
}

#[test]
fn a_span_is_written_and_read() {
    let mut carrier = HashMap::<String, String>::new();
    let sent =
        TraceContext { flags: 0xa0, tracestate: Some("a=1, b=2".to_owned()), ..context(named("Café: 100% +1")) };
    inject(&sent, &mut carrier);
    assert_eq!(carrier["traceparent"], "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-a0");
    assert_eq!(carrier["tracestate"], "a=1, b=2");
    assert_eq!(carrier["baggage"], "braintrust.parent=project_name%3ACaf%C3%A9%3A%20100%25%20%2B1");
    assert_eq!(extract(&carrier), Some(sent));
}

#[test]
fn ids_of_zero_write_nothing() {
    for zero in [
        TraceContext { span: SpanId::NONE, ..context(named("p")) },
        TraceContext { trace: TraceId([0, 0]), ..context(named("p")) },
    ] {
        let mut carrier = headers([("Baggage", "a=1")]);
        inject(&zero, &mut carrier);
        assert_eq!(carrier, headers([("Baggage", "a=1")]));
    }
}

#[test]
fn one_spelling_of_each_header_is_left() {
    let pairs = [("TraceParent", "x"), ("Tracestate", "x"), ("BAGGAGE", "a=1"), ("Baggage", "b=2"), ("Other", "o")];
    let owned = || pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let sent = TraceContext { tracestate: Some("s=1".to_owned()), ..context(named("p")) };
    let expected = headers([
        ("Other", "o"),
        ("baggage", "a=1,b=2,braintrust.parent=project_name%3Ap"),
        ("traceparent", TRACEPARENT),
        ("tracestate", "s=1"),
    ]);

    let mut sorted = BTreeMap::from(owned());
    inject(&sent, &mut sorted);
    assert_eq!(sorted, expected);
    let mut hashed = HashMap::<_, _>::from(owned());
    inject(&sent, &mut hashed);
    assert_eq!(hashed.into_iter().collect::<BTreeMap<_, _>>(), expected);
    let mut list = Vec::from(owned());
    inject(&sent, &mut list);
    assert_eq!(list.into_iter().collect::<BTreeMap<_, _>>(), expected);
}

#[test]
fn http_headers_may_come_several_times_and_in_any_bytes() {
    let mut carrier = HeaderMap::new();
    carrier.append("Baggage", HeaderValue::from_static("a=1"));
    carrier.append("baggage", HeaderValue::from_bytes("b=é".as_bytes()).unwrap());
    carrier.append("tracestate", HeaderValue::from_static("x=1"));
    inject(&context(named("p")), &mut carrier);
    assert_eq!(carrier["baggage"], "a=1,b=é,braintrust.parent=project_name%3Ap".as_bytes());
    assert_eq!(carrier.get_all("baggage").iter().count(), 1);

    carrier.append("tracestate", HeaderValue::from_static("y=2"));
    carrier.append("baggage", HeaderValue::from_static("braintrust.parent=experiment_id:e"));
    carrier.append("baggage", HeaderValue::from_bytes(b"c=\xff").unwrap());
    let read = extract(&carrier).unwrap();
    assert_eq!(read.tracestate.as_deref(), Some("x=1,y=2"));
    assert_eq!(read.parent, Some(ParentObject::ExperimentId("e".to_owned())), "the last one counts");
}

#[test]
fn a_value_that_http_forbids_is_not_sent() {
    let mut carrier = HeaderMap::new();
    inject(&TraceContext { tracestate: Some("a=1\r\nX-Evil: 1".to_owned()), ..context(None) }, &mut carrier);
    assert_eq!(carrier.keys().collect::<Vec<_>>(), ["traceparent"]);
    let stored = headers([("traceparent", TRACEPARENT), ("tracestate", "a=1\r\nX-Evil: 1")]);
    assert_eq!(extract(&stored).unwrap().tracestate, None, "nor handed on to a carrier that lets it pass");
}

#[test]
fn the_baggage_of_others_stays_byte_for_byte() {
    let before =
        " a=1 ; p=q;r ,b=x%2Cy%zz, no-value,,braintrust.parent=project_id:old;p=1 ,braintrust%2Eparent=x,c=\"=\"";
    let kept = "a=1 ; p=q;r,b=x%2Cy%zz,c=\"=\"";
    assert_eq!(injected_baggage(before, named("p")).unwrap(), format!("{kept},braintrust.parent=project_name%3Ap"));
    assert_eq!(injected_baggage(before, None).unwrap(), kept);
    assert_eq!(injected_baggage("braintrust.parent=project_id:old", None), None, "a stale parent would mislead");
}

#[test]
fn the_limits_of_baggage_leave_whole_members_out_but_never_ours() {
    let many = (0..100).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    let after = injected_baggage(&many, named("p")).unwrap();
    assert_eq!(after.split(',').count(), 64);
    assert!(after.starts_with("k0=v,") && after.ends_with(",k62=v,braintrust.parent=project_name%3Ap"), "{after}");

    let ours = "braintrust.parent=project_name%3Ap";
    for (room, fits) in [(8192 - ours.len() - 1, true), (8192 - ours.len(), false)] {
        let long = format!("a={}", "x".repeat(room - 2));
        let after = injected_baggage(&format!("{long},z=1"), named("p")).unwrap();
        assert_eq!(after == format!("{long},{ours}"), fits, "{}", after.len());
        assert_eq!(after == ours, !fits, "what comes after a member that doesn't fit doesn't either");
    }
    assert_eq!(injected_baggage("a=1", named(&"x".repeat(8192))).unwrap(), "a=1");
    let exact = "x".repeat(8192 - "braintrust.parent=project_name%3A".len());
    assert_eq!(injected_baggage("a=1", named(&exact)).unwrap().len(), 8192);
}

#[test]
fn only_what_is_within_the_limits_is_read() {
    let ours = "braintrust.parent=project_name:p";
    let members = |count| "a=1,".repeat(count);
    assert_eq!(extracted_parent(&format!("{}{ours}", members(63))), named("p"));
    assert_eq!(extracted_parent(&format!("{}{ours}", members(64))), None);
    let long = |length: usize| format!("a={},{ours}", "x".repeat(length - ours.len() - 3));
    assert_eq!(extracted_parent(&long(8192)), named("p"));
    assert_eq!(extracted_parent(&long(8193)), None, "and no name is ever cut");
}

#[test]
fn a_traceparent_is_right_or_absent() {
    let read = |text: &str| extract(&headers([("traceparent", text)]));
    assert_eq!(read(&format!("  {TRACEPARENT}\n")), Some(context(None)));
    for wrong in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34daéa3ce929d0e0e473-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    ] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
    let alone = headers([("baggage", "braintrust.parent=project_name:p"), ("tracestate", "a=1")]);
    assert_eq!(extract(&alone), None, "nothing has a meaning without it");
}

#[test]
fn headers_are_found_in_any_case() {
    let baggage = "x=1, braintrust.parent = project_id%3Ap ;q=1";
    let carrier = headers([("TRACEPARENT", TRACEPARENT), ("TraceState", " "), ("Baggage", baggage)]);
    let expected = context(Some(ParentObject::ProjectId("p".to_owned())));
    assert_eq!(extract(&carrier), Some(expected.clone()));
    assert_eq!(extract(&carrier.into_iter().collect::<HashMap<_, _>>()), Some(expected.clone()));
    let list = vec![
        ("Baggage".to_owned(), "x=1".to_owned()),
        ("TRACEPARENT".to_owned(), TRACEPARENT.to_owned()),
        ("baggage".to_owned(), "braintrust.parent=project_id:p".to_owned()),
    ];
    assert_eq!(extract(&list), Some(expected));
}

#[test]
fn parents_that_say_nothing_are_absent() {
    for (text, expected) in [
        ("project_name:a:b=c", named("a:b=c")),
        ("experiment_id:e", Some(ParentObject::ExperimentId("e".to_owned()))),
        ("project_name%3A100%", named("100%")),
        ("project_name:a+b", named("a+b")),
        ("project_name:", None),
        ("Project_name:p", None),
        ("playground_id:p", None),
        ("project_name:%ff", None),
        ("", None),
    ] {
        assert_eq!(extracted_parent(&format!("braintrust.parent={text}")), expected, "{text}");
    }
}

#[test]
fn headers_and_slugs_name_the_same_places() {
    for parent in [
        ParentObject::ProjectId("p".to_owned()),
        ParentObject::ProjectName("P: \"1\"".to_owned()),
        ParentObject::ExperimentId("e".to_owned()),
    ] {
        assert_eq!(ParentObject::parse(&parent.to_string()), Some(parent.clone()));
        let (object_type, object) = parent.to_object();
        assert_eq!(ParentObject::of_object(object_type, &object), Some(parent));
    }
    let playground = ObjectRef::Id("p".to_owned());
    assert_eq!(ParentObject::of_object(ObjectType::PlaygroundLogs, &playground), None);
}

/// A carrier of somebody's that can only do the least.
struct Least(Vec<(String, String)>);

impl Injector for Least {
    fn set(&mut self, key: &str, value: String) {
        self.0.push((key.to_owned(), value));
    }
}

impl Extractor for Least {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

#[test]
fn a_carrier_needs_no_more_than_set_or_get() {
    let mut carrier = Least(Vec::new());
    inject(&context(named("p")), &mut carrier as &mut dyn Injector);
    assert_eq!(extract(&carrier as &dyn Extractor), Some(context(named("p"))));
}

fn parent() -> impl Strategy<Value = Option<ParentObject>> {
    let text = any::<String>().prop_map(|text| format!("x{text}"));
    proptest::option::of((0..3, text).prop_map(|(kind, text)| match kind {
        0 => ParentObject::ProjectId(text),
        1 => ParentObject::ProjectName(text),
        _ => ParentObject::ExperimentId(text),
    }))
}

proptest! {
    #[test]
    fn what_is_injected_is_extracted(
        (high, low, span, flags) in (any::<u64>(), any::<u64>(), 1..=u64::MAX, any::<u8>()),
        tracestate in proptest::option::of("[!-~][ -~]*"),
        parent in parent(),
        before in any::<String>(),
    ) {
        let sent = TraceContext { trace: TraceId([high | 1, low]), span: SpanId(span), flags, tracestate, parent };
        let mut carrier = headers([("Baggage", &before)]);
        inject(&sent, &mut carrier);
        prop_assert_eq!(extract(&carrier), Some(sent));
        // A second time changes nothing.
        let once = carrier.clone();
        inject(&extract(&carrier).unwrap(), &mut carrier);
        prop_assert_eq!(carrier, once);
    }

    #[test]
    fn merged_baggage_is_within_the_limits(
        before in proptest::collection::vec("[ -~]{0,400}", 0..80),
        parent in parent(),
    ) {
        if let Some(after) = injected_baggage(&before.join(","), parent) {
            prop_assert!(after.len() <= 8192 && after.split(',').count() <= 64);
        }
    }

    #[test]
    fn percent_encoding_is_undone(text in any::<String>()) {
        let encoded = percent::encode(&text);
        prop_assert_eq!(percent::decode(&encoded).unwrap(), text);
    }

    #[test]
    fn any_headers_are_read(
        traceparent in "(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|.*)",
        tracestate in ".*",
        baggage in "(braintrust.parent=|%|[a-z]|,|;|=|.)*",
    ) {
        let _ = extract(&headers([("traceparent", &traceparent), ("tracestate", &tracestate), ("baggage", &baggage)]));
    }
}
