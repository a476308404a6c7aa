//! A request that failed: in words for the user, and with what can still be done about it.

use reqwest::StatusCode;

use super::retry::Remedy;

/// Why a call did not succeed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The request, what was wrong, and what to do about it.
    pub(crate) text: String,
    pub(crate) remedy: Remedy,
    /// What the server answered with, if it answered.
    pub(crate) status: Option<StatusCode>,
    /// Whether it is the storage for large rows that failed, not the backend.
    pub(crate) is_of_storage: bool,
}

impl Failure {
    pub(crate) fn new(text: String, remedy: Remedy) -> Self {
        Self { text, remedy, status: None, is_of_storage: false }
    }

    pub(crate) fn transient(text: String) -> Self {
        Self::new(text, Remedy::Again(None))
    }

    pub(crate) fn permanent(text: String) -> Self {
        Self::new(text, Remedy::None)
    }

    /// Whether the server does not know the key or the object, or no longer: what it told of them earlier may be out of
    /// date.
    pub(crate) fn disowns(&self) -> bool {
        matches!(self.status, Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
    }
}

impl Failure {
    /// Whether all requests of this logger will fail like this: the key is not known, this is no Braintrust, or a proxy
    /// lets nothing through.
    pub(crate) fn concerns_all(&self) -> bool {
        match self.status {
            None
            | Some(
                StatusCode::UNAUTHORIZED | StatusCode::METHOD_NOT_ALLOWED | StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            ) => true,
            Some(status) => status.is_redirection(),
        }
    }

    /// Whether the server itself has failed at the request. Others may succeed meanwhile.
    pub(crate) fn is_of_server(&self) -> bool {
        self.status == Some(StatusCode::INTERNAL_SERVER_ERROR) && !self.is_of_storage
    }

    /// Whether single rows may be at fault, rather than what all rows of a container have in common.
    pub(crate) fn concerns_rows(&self) -> bool {
        !self.concerns_all() && !self.disowns()
    }
}

/// What to check where something answers, but not as Braintrust does.
pub(super) const CHECK_URLS: &str =
    "; check that BRAINTRUST_APP_URL and BRAINTRUST_API_URL name a Braintrust deployment";

/// What a person can do about a status that no retry cures; empty where only the answer's body can tell.
pub(super) fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "; check that BRAINTRUST_API_KEY (or the key given in code) is valid for this organization"
        }
        StatusCode::FORBIDDEN => "; check that the owner of BRAINTRUST_API_KEY may write to this project",
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "; a proxy wants a name and a password, which stand before its host in HTTP_PROXY, HTTPS_PROXY or \
             ALL_PROXY, as in http://name:password@host"
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => CHECK_URLS,
        _ if status.is_redirection() => "; set BRAINTRUST_APP_URL or BRAINTRUST_API_URL to the place it redirects to",
        _ => "",
    }
}
