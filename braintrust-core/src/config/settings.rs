//! The settings that environment variables give, read once through an injected lookup.

use std::time::Duration;

use super::environment::Environment;
use super::url::{URL_EXPECTED, is_usable_url};
use crate::secret::ApiKey;

const APP_URL: &str = "https://www.braintrust.dev";
const BATCH_ROWS: usize = 100;
const HTTP_TIMEOUT: Duration = Duration::from_secs(60);
const CONCURRENT_REQUESTS: usize = 8;

/// Everything `BRAINTRUST_…` variables say.
///
/// A blank value counts as unset. A value that cannot be understood never stops a program: the default is used, and
/// `warnings` says so. Only the addresses that the key is sent to have no default then, because it would be somebody
/// else's: they stay as they are, and requests fail.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `BRAINTRUST_API_KEY`.
    pub(crate) api_key: Option<ApiKey>,
    /// `BRAINTRUST_APP_URL`, without a slash at its end, and even if it is malformed.
    pub(crate) app_url: String,
    /// `BRAINTRUST_APP_PUBLIC_URL`, without a slash at its end; [`public_url`](Self::public_url) has the default.
    pub(crate) app_public_url: Option<String>,
    /// `BRAINTRUST_API_URL`, without a slash at its end, and even if it is malformed; absent, the login names the data
    /// plane.
    pub(crate) api_url: Option<String>,
    /// `BRAINTRUST_ORG_NAME`.
    pub(crate) org_name: Option<String>,
    /// `BRAINTRUST_DEFAULT_BATCH_SIZE`: the most rows in one request.
    pub(crate) batch_rows: usize,
    /// `BRAINTRUST_MAX_REQUEST_SIZE`: the most bytes in one request, if less than the server allows.
    pub(crate) max_request_bytes: Option<usize>,
    /// `BRAINTRUST_HTTP_TIMEOUT`, in seconds: how long one request may take as a whole.
    pub(crate) http_timeout: Duration,
    /// `BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS`: the most requests of one logger under way at once.
    pub(crate) concurrent_requests: usize,
    /// `BRAINTRUST_LEGACY_IDS`: UUIDs as ids of traces and spans.
    pub(crate) legacy_ids: bool,
    /// Whether a normal exit flushes; `BRAINTRUST_DISABLE_ATEXIT_FLUSH` says no.
    pub(crate) flush_at_exit: bool,
    /// Where the program runs, as `BRAINTRUST_ENVIRONMENT_TYPE` and `_NAME` or the platform's own variables tell.
    pub(crate) environment: Option<Environment>,
    /// One sentence for each value that could not be understood.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// The settings in the process environment.
    pub(crate) fn from_env() -> Self {
        // What is not Unicode is malformed, not unset.
        Self::from_lookup(|variable| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The settings that `lookup` has, which gives the value of a variable if it is set.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let lookup = |variable: &str| lookup(variable).filter(|value| !value.trim().is_empty());
        let mut reader = Reader { lookup: &lookup, warnings: Vec::new() };
        Self {
            api_key: lookup("BRAINTRUST_API_KEY").and_then(|key| ApiKey::new(&key)),
            app_url: reader.destination("BRAINTRUST_APP_URL").unwrap_or_else(|| APP_URL.to_owned()),
            app_public_url: reader.url("BRAINTRUST_APP_PUBLIC_URL", &"the URL of the application"),
            api_url: reader.destination("BRAINTRUST_API_URL"),
            org_name: lookup("BRAINTRUST_ORG_NAME").map(|name| name.trim().to_owned()),
            batch_rows: reader.count("BRAINTRUST_DEFAULT_BATCH_SIZE", &BATCH_ROWS).unwrap_or(BATCH_ROWS),
            max_request_bytes: reader.count("BRAINTRUST_MAX_REQUEST_SIZE", &"what the server allows"),
            http_timeout: reader.seconds("BRAINTRUST_HTTP_TIMEOUT", HTTP_TIMEOUT),
            concurrent_requests: reader
                .count("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", &CONCURRENT_REQUESTS)
                .unwrap_or(CONCURRENT_REQUESTS),
            legacy_ids: reader.switch("BRAINTRUST_LEGACY_IDS"),
            flush_at_exit: !reader.switch("BRAINTRUST_DISABLE_ATEXIT_FLUSH"),
            environment: Environment::detect(&lookup),
            warnings: reader.warnings,
        }
    }

    /// Where people look at the traces of the application at `app_url`, which they may have to reach by another
    /// address than this program.
    pub(crate) fn public_url<'a>(&'a self, app_url: &'a str) -> &'a str {
        self.app_public_url.as_deref().unwrap_or(app_url).trim_end_matches('/')
    }
}

/// Reads typed values, and notes those that are malformed.
struct Reader<'a, L> {
    lookup: &'a L,
    warnings: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Reader<'_, L> {
    /// The value of `variable` as `parse` understands it; a warning and nothing if it does not.
    fn read<T>(
        &mut self,
        variable: &str,
        expected: &str,
        default: &dyn std::fmt::Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = (self.lookup)(variable)?;
        let parsed = parse(value.trim());
        if parsed.is_none() {
            self.warnings.push(format!("{variable} is {value:?}, expected {expected}; using the default: {default}"));
        }
        parsed
    }

    fn count(&mut self, variable: &str, default: &dyn std::fmt::Display) -> Option<usize> {
        self.read(variable, "a whole number above 0", default, |text| text.parse().ok().filter(|count| *count > 0))
    }

    fn seconds(&mut self, variable: &str, default: Duration) -> Duration {
        let text = format!("{} s", default.as_secs());
        self.read(variable, "a number of seconds above 0", &text, |text| {
            let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
            (!seconds.is_zero()).then_some(seconds)
        })
        .unwrap_or(default)
    }

    fn switch(&mut self, variable: &str) -> bool {
        self.read(variable, "true or false", &false, |text| match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        })
        .unwrap_or(false)
    }

    fn url(&mut self, variable: &str, default: &dyn std::fmt::Display) -> Option<String> {
        self.read(variable, URL_EXPECTED, default, |text| is_usable_url(text).then(|| without_slash(text)))
    }

    /// An address that the key is sent to: a malformed one stays, for the default could be a host that is not to have
    /// the key.
    fn destination(&mut self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?;
        if !is_usable_url(value.trim()) {
            self.warnings.push(format!(
                "{variable} is {value:?}, expected {URL_EXPECTED}; nothing is sent until it is set right"
            ));
        }
        Some(without_slash(value.trim()))
    }
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::from_lookup(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let settings = settings(&[]);
        assert_eq!(settings.api_key, None);
        assert_eq!(settings.app_url, "https://www.braintrust.dev");
        assert_eq!(settings.public_url("http://localhost:8000/"), "http://localhost:8000");
        assert_eq!(settings.api_url, None);
        assert_eq!(settings.org_name, None);
        assert_eq!(settings.batch_rows, 100);
        assert_eq!(settings.max_request_bytes, None);
        assert_eq!(settings.http_timeout, Duration::from_secs(60));
        assert_eq!(settings.concurrent_requests, 8);
        assert!(!settings.legacy_ids);
        assert!(settings.flush_at_exit);
        assert_eq!(settings.environment, None);
        assert_eq!(settings.warnings, [""; 0]);
    }

    #[test]
    fn every_variable_is_read() {
        let settings = settings(&[
            ("BRAINTRUST_API_KEY", "sk-0123456789\n"),
            ("BRAINTRUST_APP_URL", "http://localhost:8000/"),
            ("BRAINTRUST_APP_PUBLIC_URL", "https://traces.example.com/"),
            ("BRAINTRUST_API_URL", " http://localhost:8001/api/ "),
            ("BRAINTRUST_ORG_NAME", "acme"),
            ("BRAINTRUST_DEFAULT_BATCH_SIZE", "7"),
            ("BRAINTRUST_MAX_REQUEST_SIZE", "1000"),
            ("BRAINTRUST_HTTP_TIMEOUT", "2.5"),
            ("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "2"),
            ("BRAINTRUST_LEGACY_IDS", "True"),
            ("BRAINTRUST_DISABLE_ATEXIT_FLUSH", "1"),
            ("BRAINTRUST_ENVIRONMENT_TYPE", "server"),
        ]);
        assert_eq!(settings.api_key, ApiKey::new("sk-0123456789"));
        assert_eq!(settings.app_url, "http://localhost:8000");
        assert_eq!(settings.public_url(&settings.app_url), "https://traces.example.com");
        assert_eq!(settings.api_url.as_deref(), Some("http://localhost:8001/api"));
        assert_eq!(settings.org_name.as_deref(), Some("acme"));
        assert_eq!(settings.batch_rows, 7);
        assert_eq!(settings.max_request_bytes, Some(1000));
        assert_eq!(settings.http_timeout, Duration::from_millis(2500));
        assert_eq!(settings.concurrent_requests, 2);
        assert!(settings.legacy_ids);
        assert!(!settings.flush_at_exit);
        assert_eq!(settings.environment, Some(Environment { kind: Some("server".to_owned()), name: None }));
        assert_eq!(settings.warnings, [""; 0]);
    }

    #[test]
    fn blank_is_unset() {
        let names = [
            "BRAINTRUST_API_KEY",
            "BRAINTRUST_API_URL",
            "BRAINTRUST_ORG_NAME",
            "BRAINTRUST_DEFAULT_BATCH_SIZE",
            "BRAINTRUST_LEGACY_IDS",
            "BRAINTRUST_ENVIRONMENT_NAME",
            "CI",
        ];
        let settings = settings(&names.map(|name| (name, " \t")));
        assert_eq!(settings.api_key, None);
        assert_eq!(settings.api_url, None);
        assert_eq!(settings.org_name, None);
        assert_eq!(settings.batch_rows, 100);
        assert_eq!(settings.environment, None);
        assert_eq!(settings.warnings, [""; 0]);
    }

    #[test]
    fn a_malformed_value_is_a_warning_and_the_default() {
        let settings = settings(&[
            ("BRAINTRUST_DEFAULT_BATCH_SIZE", "0"),
            ("BRAINTRUST_MAX_REQUEST_SIZE", "6MB"),
            ("BRAINTRUST_HTTP_TIMEOUT", "-1"),
            ("BRAINTRUST_LEGACY_IDS", "maybe"),
            ("BRAINTRUST_APP_PUBLIC_URL", "localhost:8000"),
        ]);
        assert_eq!(settings.batch_rows, 100);
        assert_eq!(settings.max_request_bytes, None);
        assert_eq!(settings.http_timeout, Duration::from_secs(60));
        assert!(!settings.legacy_ids);
        assert_eq!(settings.public_url(&settings.app_url), "https://www.braintrust.dev");
        assert_eq!(
            settings.warnings,
            [
                r#"BRAINTRUST_APP_PUBLIC_URL is "localhost:8000", expected a URL such as https://example.com; using the default: the URL of the application"#,
                r#"BRAINTRUST_DEFAULT_BATCH_SIZE is "0", expected a whole number above 0; using the default: 100"#,
                r#"BRAINTRUST_MAX_REQUEST_SIZE is "6MB", expected a whole number above 0; using the default: what the server allows"#,
                r#"BRAINTRUST_HTTP_TIMEOUT is "-1", expected a number of seconds above 0; using the default: 60 s"#,
                r#"BRAINTRUST_LEGACY_IDS is "maybe", expected true or false; using the default: false"#,
            ]
        );
    }

    #[test]
    fn a_malformed_destination_is_a_warning_and_stays() {
        let settings = settings(&[("BRAINTRUST_APP_URL", " localhost:8000 "), ("BRAINTRUST_API_URL", "api.acme.com/")]);
        assert_eq!(settings.app_url, "localhost:8000");
        assert_eq!(settings.api_url.as_deref(), Some("api.acme.com"));
        assert_eq!(
            settings.warnings,
            [
                r#"BRAINTRUST_APP_URL is " localhost:8000 ", expected a URL such as https://example.com; nothing is sent until it is set right"#,
                r#"BRAINTRUST_API_URL is "api.acme.com/", expected a URL such as https://example.com; nothing is sent until it is set right"#,
            ]
        );
    }

    #[test]
    fn seconds_that_no_clock_can_hold_are_malformed() {
        for value in ["nan", "inf", "1e300", "0"] {
            let settings = settings(&[("BRAINTRUST_HTTP_TIMEOUT", value)]);
            assert_eq!(settings.http_timeout, Duration::from_secs(60), "{value}");
            assert_eq!(settings.warnings.len(), 1, "{value}");
        }
    }

    #[test]
    fn the_key_is_in_no_debug_text() {
        let settings = settings(&[("BRAINTRUST_API_KEY", "sk-secret-0123456789")]);
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
