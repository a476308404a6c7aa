//! The HTTP clients of this thread: one for each set of settings, so that connections are used again.

use std::cell::RefCell;
use std::time::Duration;

use reqwest::{Client, ClientBuilder};

use super::unanswered::innermost;
use crate::config::Settings;
use crate::error::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shorter than the minute after which load balancers hang up on an idle connection, so that no request meets a closed
/// one.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// What sends requests.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    pub(super) requests: Client,
    /// Whether there is anybody whose signature under a server's certificate is trusted.
    pub(super) knows_authorities: bool,
}

thread_local! {
    /// Clients by their time-out, the only setting that they differ in. Each thread has its own because connections
    /// live on the runtime that opened them; all requests of a program are made on one thread.
    static CLIENTS: RefCell<Vec<(Duration, HttpClient)>> = const { RefCell::new(Vec::new()) };
}

/// The HTTP client that all loggers with such settings share.
///
/// A machine without certificates of authorities, as small containers are, has one too, for plain HTTP needs none. It
/// trusts no server, so requests by HTTPS fail, and rows wait.
///
/// # Errors
///
/// If TLS cannot be set up at all.
pub(crate) fn http_client(settings: &Settings) -> Result<HttpClient, Error> {
    CLIENTS.with_borrow_mut(|clients| {
        let timeout = settings.http_timeout;
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == timeout) {
            return Ok(client.clone());
        }
        let client = new_client(timeout)?;
        clients.push((timeout, client.clone()));
        Ok(client)
    })
}

fn new_client(timeout: Duration) -> Result<HttpClient, Error> {
    if let Ok(requests) = builder(timeout).build() {
        return Ok(HttpClient { requests, knows_authorities: true });
    }
    let trusting_nobody = builder(timeout).tls_certs_only([]).build();
    trusting_nobody
        .map(|requests| HttpClient { requests, knows_authorities: false })
        .map_err(|error| Error::config(format!("cannot set up HTTPS: {}", innermost(&error))))
}

fn builder(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        // Most redirects turn a POST into a GET, whose success would pass for the delivery of rows.
        .redirect(reqwest::redirect::Policy::none())
}
