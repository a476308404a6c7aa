//! Refuses malformed addresses before anything is sent: which host they mean is not for this side to guess.

use super::failure::Failure;
use crate::config::{URL_EXPECTED, is_usable_url, without_credentials};

/// Refuses an application's address that no request would reach.
pub(super) fn check_app_url(url: &str) -> Result<(), Failure> {
    check("BRAINTRUST_APP_URL (or the app_url given in code)", url)
}

/// Refuses a data plane's address that no request would reach.
pub(super) fn check_api_url(url: &str) -> Result<(), Failure> {
    check("BRAINTRUST_API_URL (or the api_url given in code)", url)
}

fn check(setting: &str, url: &str) -> Result<(), Failure> {
    if is_usable_url(url) {
        return Ok(());
    }
    Err(Failure::permanent(format!(
        "{setting} is {:?}, expected {URL_EXPECTED}; set it to the address of a Braintrust deployment, or remove it",
        without_credentials(url)
    )))
}
