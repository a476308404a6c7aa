//! A call of a model between its request and the last byte of its answer.

use std::error::Error;
use std::fmt;

use braintrust_core::Span;
use braintrust_core::llm::ModelCall;
use http::Extensions;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Body, Response, ResponseBuilderExt as _, Url};

use crate::tee::Tee;

/// A call of a model that waits for its response; made by [`Tracer::begin`](crate::Tracer::begin).
///
/// Dropped before there is one, the call counts as cancelled.
#[must_use = "dropping the call ends its span"]
pub struct Call(ModelCall);

impl Call {
    pub(crate) fn new(watched: ModelCall) -> Self {
        Self(watched)
    }

    /// Says on the span what could not be made out.
    pub(crate) fn note(&self, key: &str, text: &str) {
        self.span().set_attribute(key, [text]);
    }

    /// The span of the call.
    #[must_use]
    pub fn span(&self) -> &Span {
        self.0.span()
    }

    /// Takes what sending came to, and gives it back: an error as it is, a response so that the span ends with its body.
    ///
    /// # Errors
    /// The one that came in.
    pub fn conclude<E: Error + 'static>(self, sent: Result<Response, E>) -> Result<Response, E> {
        match sent {
            Ok(response) => Ok(self.respond(response)),
            Err(error) => {
                self.0.fail(&error);
                Err(error)
            }
        }
    }

    /// Gives back a response whose body, when read, tells the call of what is in it.
    ///
    /// Status, version, headers, address, extensions, frames and hints of its length are unchanged. So are errors of the
    /// body, but for two more links in their chain of causes, which `reqwest` adds to the errors of any body that it is
    /// given.
    #[must_use = "the response is the caller's"]
    pub fn respond(mut self, response: Response) -> Response {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        self.0.respond(response.status().as_u16(), header(CONTENT_TYPE));
        if response.content_length() == Some(0) {
            self.0.finish();
            return response;
        }
        // `reqwest` takes the header away from what it decompresses.
        let encoding = header(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity"));
        if let Some(encoding) = encoding {
            self.note("response_notes", &format!("the response is compressed ({encoding}), and not read"));
        }
        let is_readable = encoding.is_none();
        let url = response.url().clone();
        let (mut parts, body) = http::Response::<Body>::from(response).into_parts();
        parts.extensions.extend(addressed(url));
        Response::from(http::Response::from_parts(parts, Body::wrap(Tee::new(body, self.0, is_readable))))
    }
}

/// The extension by which a response is told its address: only a builder of responses can make one.
fn addressed(url: Url) -> Extensions {
    http::response::Builder::new().url(url).body(()).unwrap_or_default().into_parts().0.extensions
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.0).finish()
    }
}
