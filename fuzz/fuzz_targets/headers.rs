//! Headers from strangers: whatever they hold, they are a parent or as good as absent.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fuzz_target!(|text: &str| {
    // One line for each header; without a valid first one the others would never be looked at.
    let mut lines = text.splitn(3, '\n');
    let mut headers = BTreeMap::new();
    for name in ["traceparent", "tracestate", "baggage"] {
        headers.insert(name.to_owned(), lines.next().unwrap_or_default().to_owned());
    }
    let _ = braintrust_core::extract(&headers);
    headers.insert("traceparent".to_owned(), VALID.to_owned());
    let _ = braintrust_core::extract(&headers);
});
