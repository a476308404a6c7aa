//! A response's body that passes on just what it is given, and tells a model call what that was.

use std::pin::Pin;
use std::task::{Context, Poll};

use braintrust_core::llm::ModelCall;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body as it was, and the call whose answer it is.
///
/// Frames, their boundaries, hints and errors are those of `body`. Nothing is read ahead and nothing is held back: the
/// call learns of a frame when the reader gets it.
pub(crate) struct Tee {
    body: reqwest::Body,
    /// `None` once the call has ended.
    call: Option<ModelCall>,
    /// Whether its bytes are what a model said.
    is_readable: bool,
}

impl Tee {
    pub(crate) fn new(body: reqwest::Body, call: ModelCall, is_readable: bool) -> Self {
        Self { body, call: Some(call), is_readable }
    }

    fn observe(&mut self, frame: Option<&Result<Frame<Bytes>, reqwest::Error>>) {
        match frame {
            Some(Ok(frame)) => {
                if let (Some(data), Some(call), true) = (frame.data_ref(), &mut self.call, self.is_readable) {
                    call.chunk(data);
                }
            }
            Some(Err(error)) => {
                if let Some(call) = self.call.take() {
                    call.fail(error);
                }
            }
            None => self.finish(),
        }
    }

    fn finish(&mut self) {
        if let Some(call) = self.call.take() {
            call.finish();
        }
    }
}

impl Body for Tee {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = &polled
            && self.call.is_some()
        {
            self.observe(frame.as_ref());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        // Who knows the length need not ask once more to see the end.
        if self.body.is_end_stream() {
            self.finish();
        }
    }
}
