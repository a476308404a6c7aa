//! The settings that environment variables give, read once through an injected lookup.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::process::ProcessSettings;
use super::reader::Reader;
use super::{Change, env_file};
use crate::secret::ApiKey;

const APP_URL: &str = "https://www.braintrust.dev";
/// Many more than the official SDKs put into a request, so that the bytes of ordinary rows decide, not their number:
/// through a latency of 100 ms, eight requests of 1,000 rows under way at once would carry no more than 80,000 a second.
const BATCH_ROWS: usize = 4000;
const RETRIES: u32 = 2;
const HTTP_TIMEOUT: Duration = Duration::from_secs(60);
const CONCURRENT_REQUESTS: usize = 8;
const SPOOL_BYTES: usize = 256 * 1024 * 1024;
const ATTACHMENT_BYTES: usize = 64 * 1024 * 1024;

/// Everything `BRAINTRUST_…` variables say, for one logger.
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
    /// `BRAINTRUST_PROJECT_ID`, which goes before a name.
    pub(crate) project_id: Option<String>,
    /// `BRAINTRUST_PROJECT`, or else `BRAINTRUST_DEFAULT_PROJECT`: the project of a logger that names none.
    pub(crate) project: Option<String>,
    /// `BRAINTRUST_DEFAULT_BATCH_SIZE`: the most rows in one request.
    pub(crate) batch_rows: usize,
    /// `BRAINTRUST_MAX_REQUEST_SIZE`: the most bytes in one request, if less than the server allows.
    pub(crate) max_request_bytes: Option<usize>,
    /// `BRAINTRUST_NUM_RETRIES`: how often a failed request is repeated before its rows go to the spool.
    pub(crate) num_retries: u32,
    /// `BRAINTRUST_HTTP_TIMEOUT`, in seconds: how long one request may take as a whole.
    pub(crate) http_timeout: Duration,
    /// `BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS`: the most requests of one logger under way at once.
    pub(crate) concurrent_requests: usize,
    /// `BRAINTRUST_SYNC_FLUSH`: nothing is sent in the background, only by a flush.
    pub(crate) sync_flush: bool,
    /// `BRAINTRUST_FAILED_PUBLISH_PAYLOADS_DIR`: a copy of every request that failed for good is written here.
    pub(crate) failed_payloads_dir: Option<PathBuf>,
    /// `BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR`: a copy of every request is written here.
    pub(crate) all_payloads_dir: Option<PathBuf>,
    /// `BRAINTRUST_SPOOL_DIR`: where rows wait on disk that could not be delivered.
    pub(crate) spool_dir: SpoolDir,
    /// `BRAINTRUST_SPOOL_BYTES`: how much may wait there.
    pub(crate) spool_bytes: usize,
    /// `BRAINTRUST_DURABLE`: rows are on disk before they are sent.
    pub(crate) durable: bool,
    /// `BRAINTRUST_AUTO_CONVERT_AI_ATTACHMENTS`: base64 data in messages of models becomes attachments.
    pub(crate) convert_attachments: bool,
    /// `BRAINTRUST_MAX_ATTACHMENT_BYTES`: how many bytes of data one attachment may have.
    pub(crate) max_attachment_bytes: usize,
    /// Where the program runs, as `BRAINTRUST_ENVIRONMENT_TYPE` and `_NAME` or the platform's own variables tell.
    pub(crate) environment: Option<Environment>,
    /// What the variables say for the whole process; [`ProcessSettings::in_force`] has the last word.
    pub(crate) process: ProcessSettings,
    /// One sentence for each value that could not be understood.
    pub(crate) warnings: Vec<String>,
}

/// Where rows wait on disk that could not be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SpoolDir {
    /// The folder that the spool chooses.
    #[default]
    Default,
    At(PathBuf),
    /// Nowhere: what cannot be delivered waits in memory only.
    Off,
}

impl Settings {
    /// The settings in the process environment, and in the nearest `.env.braintrust`.
    pub(crate) fn from_env() -> Self {
        let file = env_file::nearest();
        // What is not Unicode is malformed, not unset.
        let process = |variable: &str| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned());
        let mut settings = Self::from_lookup(|variable| {
            let set = process(variable).filter(|value| !value.trim().is_empty());
            set.or_else(|| file.value(variable).map(str::to_owned))
        });
        settings.warnings.extend(file.warnings);
        settings
    }

    /// The settings that `lookup` has, which gives the value of a variable if it is set.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let lookup = |variable: &str| lookup(variable).filter(|value| !value.trim().is_empty());
        let api_key = lookup("BRAINTRUST_API_KEY").and_then(|key| ApiKey::new(&key));
        let mut reader = Reader::new(&lookup, api_key.clone());
        Self {
            api_key,
            app_url: reader.destination("BRAINTRUST_APP_URL").unwrap_or_else(|| APP_URL.to_owned()),
            app_public_url: reader.url("BRAINTRUST_APP_PUBLIC_URL", &"the URL of the application"),
            api_url: reader.destination("BRAINTRUST_API_URL"),
            org_name: reader.text("BRAINTRUST_ORG_NAME"),
            project_id: reader.text("BRAINTRUST_PROJECT_ID"),
            project: reader.text("BRAINTRUST_PROJECT").or_else(|| reader.text("BRAINTRUST_DEFAULT_PROJECT")),
            batch_rows: reader.count_or("BRAINTRUST_DEFAULT_BATCH_SIZE", BATCH_ROWS),
            max_request_bytes: reader.count("BRAINTRUST_MAX_REQUEST_SIZE", &"what the server allows"),
            num_retries: reader.number_or("BRAINTRUST_NUM_RETRIES", RETRIES),
            http_timeout: reader.seconds_or("BRAINTRUST_HTTP_TIMEOUT", HTTP_TIMEOUT),
            concurrent_requests: reader.count_or("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", CONCURRENT_REQUESTS),
            sync_flush: reader.switch_or("BRAINTRUST_SYNC_FLUSH", false),
            failed_payloads_dir: reader.folder("BRAINTRUST_FAILED_PUBLISH_PAYLOADS_DIR"),
            all_payloads_dir: reader.folder("BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR"),
            spool_dir: reader.text("BRAINTRUST_SPOOL_DIR").map_or(SpoolDir::Default, |text| SpoolDir::parse(&text)),
            spool_bytes: reader.count_or("BRAINTRUST_SPOOL_BYTES", SPOOL_BYTES),
            durable: reader.switch_or("BRAINTRUST_DURABLE", false),
            convert_attachments: reader.switch_or("BRAINTRUST_AUTO_CONVERT_AI_ATTACHMENTS", true),
            max_attachment_bytes: reader.count_or("BRAINTRUST_MAX_ATTACHMENT_BYTES", ATTACHMENT_BYTES),
            environment: Environment::detect(&lookup),
            process: ProcessSettings::read(&mut reader),
            warnings: reader.warnings,
        }
    }

    /// These settings with what a builder was told, which goes before any variable.
    pub(crate) fn changed(mut self, changes: impl IntoIterator<Item = Change<Self>>) -> Self {
        changes.into_iter().for_each(|change| change(&mut self));
        self
    }

    /// Where people look at the traces of the application at `app_url`, which they may have to reach by another
    /// address than this program.
    pub(crate) fn public_url<'a>(&'a self, app_url: &'a str) -> &'a str {
        self.app_public_url.as_deref().unwrap_or(app_url).trim_end_matches('/')
    }
}

impl SpoolDir {
    fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("off") { Self::Off } else { Self::At(PathBuf::from(text)) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::WhenFull;
    use crate::diagnostics::Verbosity;

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
        assert_eq!(settings.batch_rows, 4000);
        assert_eq!(settings.max_request_bytes, None);
        assert_eq!(settings.http_timeout, Duration::from_secs(60));
        assert_eq!(settings.concurrent_requests, 8);
        assert!(!settings.process.legacy_ids);
        assert!(settings.process.flush_at_exit);
        assert_eq!(settings.environment, None);
        assert_eq!((settings.project_id, settings.project), (None, None));
        assert_eq!(settings.num_retries, 2);
        assert!(!settings.sync_flush && !settings.durable && settings.convert_attachments);
        assert_eq!((settings.failed_payloads_dir, settings.all_payloads_dir), (None, None));
        assert_eq!((settings.spool_dir, settings.spool_bytes), (SpoolDir::Default, 256 * 1024 * 1024));
        assert_eq!(settings.max_attachment_bytes, 64 * 1024 * 1024);
        assert_eq!((settings.process.queue_spans, settings.process.queue_bytes), (250_000, 32 * 1024 * 1024));
        assert_eq!(settings.process.when_full, WhenFull::DropNewest);
        assert_eq!(settings.process.queue_drop_logging_period, Duration::from_secs(60));
        assert_eq!(settings.process.max_generator_items, 1000);
        assert_eq!(settings.process.verbosity, Verbosity::Info);
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
            ("BRAINTRUST_PROJECT", "p"),
            ("BRAINTRUST_DEFAULT_PROJECT", "older"),
            ("BRAINTRUST_PROJECT_ID", "p-1"),
            ("BRAINTRUST_NUM_RETRIES", "0"),
            ("BRAINTRUST_SYNC_FLUSH", "1"),
            ("BRAINTRUST_FAILED_PUBLISH_PAYLOADS_DIR", "failed"),
            ("BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR", "all"),
            ("BRAINTRUST_SPOOL_DIR", "OFF"),
            ("BRAINTRUST_SPOOL_BYTES", "5"),
            ("BRAINTRUST_DURABLE", "yes"),
            ("BRAINTRUST_AUTO_CONVERT_AI_ATTACHMENTS", "false"),
            ("BRAINTRUST_MAX_ATTACHMENT_BYTES", "6"),
            ("BRAINTRUST_QUEUE_DROP_EXCEEDING_MAXSIZE", "15000"),
            ("BRAINTRUST_QUEUE_BYTES", "1000"),
            ("BRAINTRUST_QUEUE_DROP_WHEN_FULL", "Oldest"),
            ("BRAINTRUST_QUEUE_DROP_LOGGING_PERIOD", "1"),
            ("BRAINTRUST_MAX_GENERATOR_ITEMS", "-1"),
            ("BRAINTRUST_DEBUG_LOG_LEVEL", "debug"),
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
        assert!(settings.process.legacy_ids);
        assert!(!settings.process.flush_at_exit);
        assert_eq!(settings.environment, Some(Environment { kind: Some("server".to_owned()), name: None }));
        assert_eq!((settings.project_id.as_deref(), settings.project.as_deref()), (Some("p-1"), Some("p")));
        assert_eq!(settings.num_retries, 0);
        assert!(settings.sync_flush && settings.durable && !settings.convert_attachments);
        assert_eq!(settings.failed_payloads_dir, Some(PathBuf::from("failed")));
        assert_eq!(settings.all_payloads_dir, Some(PathBuf::from("all")));
        assert_eq!((settings.spool_dir, settings.spool_bytes), (SpoolDir::Off, 5));
        assert_eq!(settings.max_attachment_bytes, 6);
        assert_eq!((settings.process.queue_spans, settings.process.queue_bytes), (15_000, 1000));
        assert_eq!(settings.process.when_full, WhenFull::DropOldest);
        assert_eq!(settings.process.queue_drop_logging_period, Duration::from_secs(1));
        assert_eq!(settings.process.max_generator_items, usize::MAX);
        assert_eq!(settings.process.verbosity, Verbosity::Debug);
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
        assert_eq!(settings.batch_rows, 4000);
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
        assert_eq!(settings.batch_rows, 4000);
        assert_eq!(settings.max_request_bytes, None);
        assert_eq!(settings.http_timeout, Duration::from_secs(60));
        assert!(!settings.process.legacy_ids);
        assert_eq!(settings.public_url(&settings.app_url), "https://www.braintrust.dev");
        assert_eq!(
            settings.warnings,
            [
                r#"BRAINTRUST_APP_PUBLIC_URL is "localhost:8000", expected a URL such as https://example.com, without a user name or password; using the default: the URL of the application"#,
                r#"BRAINTRUST_DEFAULT_BATCH_SIZE is "0", expected a whole number above 0; using the default: 4000"#,
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
                r#"BRAINTRUST_APP_URL is " localhost:8000 ", expected a URL such as https://example.com, without a user name or password; nothing is sent until it is set right"#,
                r#"BRAINTRUST_API_URL is "api.acme.com/", expected a URL such as https://example.com, without a user name or password; nothing is sent until it is set right"#,
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
    fn the_queue_has_the_names_and_meanings_of_other_sdks() {
        let when_full = |value| settings(&[("BRAINTRUST_QUEUE_DROP_WHEN_FULL", value)]).process.when_full;
        assert_eq!(when_full("1"), WhenFull::DropNewest);
        assert_eq!(when_full("0"), WhenFull::Block(Duration::from_secs(5)));
        let both = [("BRAINTRUST_QUEUE_SIZE", "7"), ("BRAINTRUST_QUEUE_DROP_EXCEEDING_MAXSIZE", "8")];
        assert_eq!(settings(&both).process.queue_spans, 7);
    }

    #[test]
    fn what_a_builder_says_goes_before_any_variable() {
        let settings = settings(&[("BRAINTRUST_NUM_RETRIES", "5"), ("BRAINTRUST_HTTP_TIMEOUT", "5")])
            .changed([Arc::new(|settings: &mut Settings| settings.num_retries = 1) as Change<Settings>]);
        assert_eq!((settings.num_retries, settings.http_timeout), (1, Duration::from_secs(5)));
    }

    #[test]
    fn the_key_is_in_no_text_wherever_it_was_pasted() {
        let key = "sk-secret-0123456789";
        let settings = settings(&[
            ("BRAINTRUST_API_KEY", key),
            ("BRAINTRUST_APP_URL", key),
            ("BRAINTRUST_NUM_RETRIES", key),
            ("BRAINTRUST_SYNC_FLUSH", key),
        ]);
        assert_eq!(settings.warnings.len(), 3);
        assert!(!format!("{:?}{:?}", settings.api_key, settings.warnings).contains("secret"), "{settings:?}");
    }
}
