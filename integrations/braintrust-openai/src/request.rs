//! Requests that have been built once already.

use std::sync::{Arc, Mutex, PoisonError};

use async_openai::middleware::HttpRequestFactory;
use reqwest::Request;
use reqwest::header::HeaderMap;

/// The headers that tracing may have added to a request.
const TRACE_HEADERS: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// A factory whose first request is `first`, which `factory` has built; what follows is built as before, and sent with
/// the same trace headers.
///
/// So a form is put together, and its files are read, as often as without tracing.
pub(crate) fn with_first(factory: HttpRequestFactory, first: Request) -> HttpRequestFactory {
    let headers = trace_headers(&first);
    let first = Arc::new(Mutex::new(Some(first)));
    HttpRequestFactory::new(move || {
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (factory, headers) = (factory.clone(), headers.clone());
        async move {
            if let Some(request) = first {
                return Ok(request);
            }
            let mut request = factory.build().await?;
            request.headers_mut().extend(headers);
            Ok(request)
        }
    })
}

fn trace_headers(request: &Request) -> HeaderMap {
    let headers = request.headers().iter().filter(|(name, _)| TRACE_HEADERS.contains(&name.as_str()));
    headers.map(|(name, value)| (name.clone(), value.clone())).collect()
}
