//! The settings that environment variables give, read once through an injected lookup.

use std::time::Duration;

use super::environment::Environment;
use crate::secret::ApiKey;

const APP_URL: &str = "https://www.braintrust.dev";
const BATCH_ROWS: usize = 100;
const HTTP_TIMEOUT: Duration = Duration::from_secs(60);
const CONCURRENT_REQUESTS: usize = 8;

/// Everything `BRAINTRUST_…` variables say.
///
/// A blank value counts as unset. A value that cannot be understood never stops a program: the default is used, and
/// `warnings` says so.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `BRAINTRUST_API_KEY`.
    pub(crate) api_key: Option<ApiKey>,
    /// `BRAINTRUST_APP_URL`, without a slash at its end.
    pub(crate) app_url: String,
    /// `BRAINTRUST_API_URL`, without a slash at its end; absent, the login names the data plane.
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
        Self::from_lookup(|variable| std::env::var(variable).ok())
    }

    /// The settings that `lookup` has, which gives the value of a variable if it is set.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let lookup = |variable: &str| lookup(variable).filter(|value| !value.trim().is_empty());
        let mut reader = Reader { lookup: &lookup, warnings: Vec::new() };
        Self {
            api_key: lookup("BRAINTRUST_API_KEY").and_then(|key| ApiKey::new(&key)),
            app_url: reader.url("BRAINTRUST_APP_URL", APP_URL).unwrap_or_else(|| APP_URL.to_owned()),
            api_url: reader.url("BRAINTRUST_API_URL", "the URL that the login names"),
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

    fn url(&mut self, variable: &str, default: &str) -> Option<String> {
        self.read(variable, "a URL such as https://example.com", &default, |text| {
            let url = reqwest::Url::parse(text).ok()?;
            let usable = matches!(url.scheme(), "http" | "https") && url.has_host();
            usable.then(|| text.trim_end_matches('/').to_owned())
        })
    }
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
            ("BRAINTRUST_APP_URL", "localhost:8000"),
        ]);
        assert_eq!(settings.batch_rows, 100);
        assert_eq!(settings.max_request_bytes, None);
        assert_eq!(settings.http_timeout, Duration::from_secs(60));
        assert!(!settings.legacy_ids);
        assert_eq!(settings.app_url, "https://www.braintrust.dev");
        assert_eq!(
            settings.warnings,
            [
                r#"BRAINTRUST_APP_URL is "localhost:8000", expected a URL such as https://example.com; using the default: https://www.braintrust.dev"#,
                r#"BRAINTRUST_DEFAULT_BATCH_SIZE is "0", expected a whole number above 0; using the default: 100"#,
                r#"BRAINTRUST_MAX_REQUEST_SIZE is "6MB", expected a whole number above 0; using the default: what the server allows"#,
                r#"BRAINTRUST_HTTP_TIMEOUT is "-1", expected a number of seconds above 0; using the default: 60 s"#,
                r#"BRAINTRUST_LEGACY_IDS is "maybe", expected true or false; using the default: false"#,
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
