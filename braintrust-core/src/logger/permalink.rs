//! Addresses of spans that were exported, asked of Braintrust as far as they are not known.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::oneshot;

use super::Logger;
use crate::api::{self, Api, LinkParts, resolve_link};
use crate::config::{Settings, Target};
use crate::container::Container;
use crate::error::Error;
use crate::propagation::SpanComponents;
use crate::span;

/// Where links of a logger are asked for.
#[derive(Debug)]
pub(super) struct LinkTarget {
    pub(super) target: Target,
    pub(super) settings: Arc<Settings>,
}

/// The process's default logger itself, of which spans know only the number.
static INSTALLED: RwLock<Option<Logger>> = RwLock::new(None);

/// Keeps other threads from it until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(super) fn hold() -> Box<dyn std::any::Any> {
    Box::new(INSTALLED.write().unwrap_or_else(PoisonError::into_inner))
}

pub(super) fn install(logger: &Logger) {
    *INSTALLED.write().unwrap_or_else(PoisonError::into_inner) = Some(logger.clone());
}

/// The address in Braintrust's application of a span that was exported; `slug` is what
/// [`Span::export`](crate::Span::export) returned.
///
/// Logs in as the process's default logger, and finds out the project's id, where the slug does not say enough. Works
/// under any executor. [`Span::link`](crate::Span::link) needs no request, but the span itself.
///
/// # Errors
///
/// If `slug` cannot be read or names no row, if there is no default logger or its rows go to a folder, or if Braintrust
/// refuses or does not answer ([`Error::is_backend`]).
///
/// ```no_run
/// # async fn example(slug: &str) -> Result<(), braintrust::Error> {
/// println!("{}", braintrust::permalink(slug).await?);
/// # Ok(())
/// # }
/// ```
pub async fn permalink(slug: &str) -> Result<String, Error> {
    let components = SpanComponents::parse(slug).map_err(|error| Error::slug(error.to_string()))?;
    let Some(row) = components.row() else {
        return Err(Error::slug("a link is to a row, and this slug names none; expected what `Span::export` returned"));
    };
    let container = span::container_of(components.object_type(), components.object()).ok_or_else(|| {
        Error::slug("the slug names its object in a way that is not known here, so no link can be made")
    })?;
    let parts = ask(container).await?;
    address(&parts, &row.row_id)
}

async fn ask(container: Container) -> Result<LinkParts, Error> {
    let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone();
    let logger =
        installed.ok_or_else(|| Error::config("`permalink` needs a logger to ask as; call `init_logger` first"))?;
    let Some(link) = logger.0.link_target.clone() else {
        return Err(Error::config(
            "the default logger writes to a local folder, which no link leads to; set BRAINTRUST_API_KEY",
        ));
    };
    let (answer, waiting) = oneshot::channel();
    logger.0.exporter.run(move || async move {
        let parts = match api::http_client(&link.settings) {
            Ok(http) => {
                let api = Api::new(http, link.target.api_key.clone());
                let parts = resolve_link(&api, &link.target, &link.settings, &container).await;
                parts.map_err(|failure| Error::backend(failure.text))
            }
            Err(error) => Err(error),
        };
        let _ = answer.send(parts);
    });
    waiting
        .await
        .unwrap_or_else(|_| Err(Error::config("the exporter has stopped, so nothing can be asked of Braintrust")))
}

fn address(parts: &LinkParts, row_id: &str) -> Result<String, Error> {
    let LinkParts { app_public_url, org_name, object_type, object_id } = parts;
    let page = format!("{}/app/{org_name}/object", app_public_url.trim_end_matches('/'));
    let query = [("object_type", *object_type), ("object_id", object_id), ("id", row_id)];
    let url = reqwest::Url::parse_with_params(&page, query);
    url.map(String::from).map_err(|error| Error::config(format!("no link can be made of `{page}`: {error}")))
}
