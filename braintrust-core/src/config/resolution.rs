//! What is found out about one logger's place in Braintrust, for those who make links and slugs on other threads.

use std::sync::OnceLock;

/// Answers, each there from the first time that it is known; the first one stays. A logger without a backend has none.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    /// Where people look at traces.
    pub(crate) app_public_url: OnceLock<String>,
    /// The organization that the login chose.
    pub(crate) org_name: OnceLock<String>,
    /// What the logger's own project was registered as.
    pub(crate) project_id: OnceLock<String>,
}
