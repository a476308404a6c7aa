//! Requests and responses from strangers: whatever their bytes are and however they are cut, each call is one span that
//! has ended, and says nothing that a model's call may not.
#![no_main]

#[path = "../../tests/model_calls/strangers.rs"]
mod strangers;

use std::time::Duration;

use braintrust_core::llm::{CallOptions, Endpoint, ModelCall, WireApi};
use braintrust_core::testing::memory_logger;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use strangers::{APIS, CONTENT_TYPES, METADATA};

fuzz_target!(|input: &[u8]| {
    let Some(([api, kind, way, length], bytes)) = input.split_first_chunk() else { return };
    // The request and the response, apart at the first byte that no text has.
    let (request, response) = match bytes.iter().position(|byte| *byte == 0xff) {
        Some(place) => (&bytes[..place], &bytes[place + 1..]),
        None => (&[][..], bytes),
    };
    let (logger, rows) = memory_logger();
    let endpoint = Endpoint::new("acme", APIS[usize::from(*api) % APIS.len()]);
    let options = CallOptions::new("fuzz").with_logger(&logger);
    let mut call = ModelCall::begin(endpoint, Bytes::copy_from_slice(request), &options);
    let status = if way & 4 == 0 { 200 } else { 400 };
    call.respond(status, CONTENT_TYPES[usize::from(*kind) % CONTENT_TYPES.len()]);
    for chunk in response.chunks(usize::from(*length).max(1)) {
        call.chunk(&Bytes::copy_from_slice(chunk));
    }
    match way & 3 {
        0 => drop(call),
        1 => call.fail(&std::io::Error::other("reset")),
        _ => call.finish(),
    }
    logger.flush_blocking(Duration::from_secs(60)).expect("the span is delivered");
    let traces = rows.traces();
    let [span] = traces.roots()[..] else { panic!("the call is one span") };
    assert!(span.metric("end").is_some(), "the span has ended");
    let notes = span.span_attributes().and_then(|attributes| attributes.get("response_notes"));
    assert!(!notes.is_some_and(|notes| notes.to_string().contains("this is a defect")), "{notes:?}");
    let metadata = span.metadata().expect("who was asked is known");
    assert!(metadata.keys().all(|key| METADATA.contains(&key.as_str())), "{metadata:?}");
    for (name, number) in span.metrics().into_iter().flatten() {
        let is_count = number.as_u64().is_some_and(|count| count <= 20_000_000_000);
        assert!(is_count || ["start", "end", "time_to_first_token"].contains(&name.as_str()), "{name} is {number}");
    }
});
