//! Slugs from strangers: any text, and any bytes in base64, is a parent or an error.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use braintrust_core::Parent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Parent::from_slug(text);
    }
    // Bytes that are well encoded reach the decoders of the versions, which random text hardly ever does.
    let _ = Parent::from_slug(&STANDARD.encode(bytes));
});
