//! A request that got no answer, or half of one: what was in the way, in words, and what to do about it.

use std::error::Error;
use std::io;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use rustls::CertificateError;

use super::distrust::{explain, nobody_is_trusted};
use super::failure::{CHECK_URLS, Failure};
use super::retry::Remedy;
use super::shared::HttpClient;

/// Who chose the address of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The user, by a setting, or the deployment that a setting named.
    Configured,
    /// Whoever signed it: it is a secret, and no setting leads elsewhere.
    Signed,
}

impl Address {
    fn advice(self) -> &'static str {
        match self {
            Self::Configured => CHECK_URLS,
            Self::Signed => "",
        }
    }
}

/// What a request failed of that `http` sent; `line` names it.
pub(super) fn unanswered(error: &reqwest::Error, line: &str, address: Address, http: &HttpClient) -> Failure {
    let cause = innermost(error);
    if error.is_builder() {
        return Failure::permanent(format!(
            "{line}: the request cannot be made ({cause}); check BRAINTRUST_APP_URL and BRAINTRUST_API_URL, and that \
             BRAINTRUST_API_KEY holds printable ASCII only"
        ));
    }
    if error.is_timeout() && !error.is_connect() {
        return Failure::new(format!("{line}: no answer in time"), Remedy::AgainOrFewerRows);
    }
    let proxy = proxy(error);
    let by_proxy = proxy.as_deref().map(check_proxy).unwrap_or_default();
    let what = if error.is_timeout() {
        "no connection in time".to_owned() + &by_proxy
    } else if let Some(misunderstanding) = misunderstanding(error) {
        misunderstanding + if proxy.is_some() { &by_proxy } else { address.advice() }
    } else if let Some(certificate) = certificate_error(error) {
        distrust(certificate, error, proxy.as_deref(), address, http)
    } else if error.is_connect() {
        cause + &by_proxy
    } else {
        cause
    };
    Failure::transient(format!("{line}: {what}"))
}

/// The two ends speak different protocols.
fn misunderstanding(error: &reqwest::Error) -> Option<String> {
    if let Some(rustls::Error::InvalidMessage(_)) = find(error) {
        return Some("the answer is not TLS; a server that speaks plain HTTP has an address with http://".to_owned());
    }
    if !find::<hyper::Error>(error)?.is_parse() {
        return None;
    }
    let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
    let advice = if is_plain { "; a server that speaks TLS has an address with https://" } else { "" };
    Some(format!("the answer is not HTTP ({}){advice}", innermost(error)))
}

fn certificate_error(error: &reqwest::Error) -> Option<&CertificateError> {
    match find(error)? {
        rustls::Error::InvalidCertificate(error) => Some(error),
        _ => None,
    }
}

/// The server cannot be told from somebody else.
fn distrust(
    certificate: &CertificateError,
    error: &reqwest::Error,
    proxy: Option<&str>,
    address: Address,
    http: &HttpClient,
) -> String {
    let host = error.url().map(host).unwrap_or_default();
    if !http.knows_authorities {
        return format!("the certificate of {host} cannot be trusted: {}", nobody_is_trusted());
    }
    let by_proxy = proxy.map(|proxy| format!("; it may be one that the proxy {proxy} has put in its place"));
    let why = explain(certificate, address.advice());
    format!("the certificate of {host} is not trusted: {why}{}", by_proxy.unwrap_or_default())
}

/// Who was to answer; of an address that is a secret, no more than this may be told.
fn host(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

/// The proxy that the request went by, if it did, without a user name and password: what is wrong may well be wrong
/// there.
fn proxy(error: &reqwest::Error) -> Option<String> {
    let target = error.url()?.as_str().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&target)?;
    Some(proxy.uri().to_string().trim_end_matches('/').to_owned())
}

fn check_proxy(proxy: &str) -> String {
    format!(
        "; the way there is by the proxy {proxy}: check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, where a name and a \
         password stand before the proxy's host, as in http://name:password@host, and NO_PROXY"
    )
}

/// The text of the error at the root of a chain: the ones above it only say that a request failed.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The first of an error and its causes that is of this type.
fn find<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    causes(error).find_map(<dyn Error>::downcast_ref)
}

/// An error, its cause, the cause of that, and so on.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |error| cause_of(*error))
}

fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // What an I/O error holds is passed over by its source, which is the source of that.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}
