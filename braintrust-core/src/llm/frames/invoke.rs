//! What Bedrock's InvokeModel wraps around each event of a model's own stream: `{"bytes": "<base64>"}`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The name under which wrapped events come.
const CHUNK: &str = "chunk";

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
}

/// The event inside of a message that is called `name`; the message itself, if it wraps none.
pub(super) fn unwrap<'a>(name: &str, payload: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    if name != CHUNK {
        return payload;
    }
    let wrapped = serde_json::from_slice::<Wrapped<'_>>(&payload).ok();
    let event = wrapped.and_then(|wrapped| STANDARD.decode(wrapped.bytes.as_bytes()).ok());
    event.map_or(payload, Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrapped_is_unwrapped() {
        let wrapped = &br#"{"bytes":"eyJ0eXBlIjoicGluZyJ9","p":"abcd"}"#[..];
        assert_eq!(&*unwrap("chunk", wrapped.into()), br#"{"type":"ping"}"#);
        assert_eq!(&*unwrap("metadata", wrapped.into()), wrapped);
        for other in [&b"{}"[..], br#"{"bytes":7}"#, br#"{"bytes":"*"}"#, b"\xff"] {
            assert_eq!(&*unwrap("chunk", other.into()), other);
        }
    }
}
