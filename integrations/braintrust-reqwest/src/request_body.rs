//! The bytes of a request's body, without copying them.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body as _;
use reqwest::{Body, Request};

/// The bytes that a request will send, shared with it; `None` if its body is a stream, which is left alone.
pub(crate) fn share(request: &mut Request) -> Option<Bytes> {
    let Some(body) = request.body_mut() else { return Some(Bytes::new()) };
    if body.as_bytes()?.is_empty() {
        return Some(Bytes::new());
    }
    // A body of bytes gives them up in one frame, and is made anew from them.
    let mut taken = std::mem::replace(body, Body::from(Bytes::new()));
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut taken).poll_frame(&mut Context::from_waker(Waker::noop())) else {
        *body = taken;
        return None;
    };
    let bytes = frame.into_data().unwrap_or_default();
    *body = Body::from(bytes.clone());
    Some(bytes)
}
