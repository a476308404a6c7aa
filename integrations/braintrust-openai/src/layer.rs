//! The tower layer between a client's calls and what sends their requests.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use braintrust_reqwest::Tracer;
use reqwest::Response;
use tower_layer::Layer;
use tower_service::Service;

use crate::request::with_first;

/// Puts a [`TraceService`] around a service; made by [`OpenAiTracer::layer`](crate::OpenAiTracer::layer).
#[derive(Clone, Debug)]
pub struct TraceLayer {
    tracer: Arc<Tracer>,
}

impl TraceLayer {
    pub(crate) fn new(tracer: Tracer) -> Self {
        Self { tracer: Arc::new(tracer) }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceService { inner, tracer: self.tracer.clone() }
    }
}

/// Gives each call of a model that goes through it a span; made by [`TraceLayer`].
#[derive(Clone, Debug)]
pub struct TraceService<S> {
    inner: S,
    tracer: Arc<Tracer>,
}

impl<S> Service<HttpRequestFactory> for TraceService<S>
where
    S: Service<HttpRequestFactory, Response = Response> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<OpenAIError> + 'static,
{
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        // The one that is ready makes the call; a clone of it takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let tracer = self.tracer.clone();
        Box::pin(async move {
            let request = factory.build().await?;
            tracer
                .send(request, |request| {
                    let sending = inner.call(with_first(factory, request));
                    async move { sending.await.map_err(Into::into) }
                })
                .await
        })
    }
}
