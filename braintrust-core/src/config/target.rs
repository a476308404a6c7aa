//! The place where one logger's rows go, and on whose behalf.

use crate::container::ProjectRef;
use crate::secret::ApiKey;

/// A project in Braintrust, under one key.
///
/// Loggers may share a lane of the exporter only if their targets are equal, so that rows of one key never leave under
/// another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) api_key: ApiKey,
    /// The web application, which answers logins and registrations.
    pub(crate) app_url: String,
    /// The data plane, if it is not to be the one that the login names.
    pub(crate) api_url: Option<String>,
    /// The organization; the key's first one if absent.
    pub(crate) org_name: Option<String>,
    pub(crate) project: ProjectRef,
}
