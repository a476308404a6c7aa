//! A call of a model between its request and the last byte of its answer.

use std::error::Error;
use std::fmt;

use braintrust_core::Span;
use braintrust_core::llm::ModelCall;
use http::header::CONTENT_TYPE;
use reqwest::{Body, Response, ResponseBuilderExt as _};

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
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        self.0.respond(response.status().as_u16(), content_type);
        if response.content_length() == Some(0) {
            self.0.finish();
            return response;
        }
        let url = response.url().clone();
        let (mut parts, body) = http::Response::<Body>::from(response).into_parts();
        // The one way to hand a response its address.
        parts
            .extensions
            .extend(http::response::Builder::new().url(url).body(()).unwrap_or_default().into_parts().0.extensions);
        Response::from(http::Response::from_parts(parts, Body::wrap(Tee::new(body, self.0))))
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.0).finish()
    }
}
