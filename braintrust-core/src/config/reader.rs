//! Reads typed values of variables, and notes those that are malformed.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use super::url::{URL_EXPECTED, is_usable_url, without_credentials};
use crate::secret::ApiKey;

/// Reads through `lookup`, which gives a variable's value, and nothing for a blank one.
pub(super) struct Reader<'a, L> {
    lookup: &'a L,
    /// What no warning may show, whichever variable it was pasted into.
    secret: Option<ApiKey>,
    pub(super) warnings: Vec<String>,
}

impl<'a, L: Fn(&str) -> Option<String>> Reader<'a, L> {
    pub(super) fn new(lookup: &'a L, secret: Option<ApiKey>) -> Self {
        Self { lookup, secret, warnings: Vec::new() }
    }

    /// The value of `variable` as `parse` understands it; a warning and nothing if it does not.
    fn read<T>(
        &mut self,
        variable: &str,
        expected: &str,
        default: &dyn Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = (self.lookup)(variable)?;
        let parsed = parse(value.trim());
        if parsed.is_none() {
            let value = without_credentials(&value);
            self.warn(format!("{variable} is {value:?}, expected {expected}; using the default: {default}"));
        }
        parsed
    }

    pub(super) fn warn(&mut self, text: String) {
        self.warnings.push(match &self.secret {
            Some(key) => key.scrub(&text),
            None => text,
        });
    }

    pub(super) fn text(&mut self, variable: &str) -> Option<String> {
        (self.lookup)(variable).map(|value| value.trim().to_owned())
    }

    /// A whole number above 0.
    pub(super) fn count(&mut self, variable: &str, default: &dyn Display) -> Option<usize> {
        self.read(variable, "a whole number above 0", default, |text| text.parse().ok().filter(|count| *count > 0))
    }

    pub(super) fn count_or(&mut self, variable: &str, default: usize) -> usize {
        self.count(variable, &default).unwrap_or(default)
    }

    /// A whole number, 0 too.
    pub(super) fn number_or(&mut self, variable: &str, default: u32) -> u32 {
        self.read(variable, "a whole number", &default, |text| text.parse().ok()).unwrap_or(default)
    }

    /// A whole number; -1 means that there is no limit.
    pub(super) fn limit_or(&mut self, variable: &str, default: usize) -> usize {
        let parse = |text: &str| if text == "-1" { Some(usize::MAX) } else { text.parse().ok() };
        self.read(variable, "a whole number, or -1 for no limit", &default, parse).unwrap_or(default)
    }

    pub(super) fn seconds_or(&mut self, variable: &str, default: Duration) -> Duration {
        let text = format!("{} s", default.as_secs());
        self.read(variable, "a number of seconds above 0", &text, |text| {
            let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
            (!seconds.is_zero()).then_some(seconds)
        })
        .unwrap_or(default)
    }

    pub(super) fn switch_or(&mut self, variable: &str, default: bool) -> bool {
        self.read(variable, "true or false", &default, parse_switch).unwrap_or(default)
    }

    /// One of several words; `parse` is given them in lower case.
    pub(super) fn choice_or<T>(
        &mut self,
        variable: &str,
        expected: &str,
        default: (T, &str),
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let (value, name) = default;
        self.read(variable, expected, &name, |text| parse(&text.to_ascii_lowercase())).unwrap_or(value)
    }

    pub(super) fn folder(&mut self, variable: &str) -> Option<PathBuf> {
        self.text(variable).map(PathBuf::from)
    }

    pub(super) fn url(&mut self, variable: &str, default: &dyn Display) -> Option<String> {
        self.read(variable, URL_EXPECTED, default, |text| is_usable_url(text).then(|| without_slash(text)))
    }

    /// An address that the key is sent to: a malformed one stays, for the default could be a host that is not to have
    /// the key.
    pub(super) fn destination(&mut self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?;
        if !is_usable_url(value.trim()) {
            self.warn(format!(
                "{variable} is {:?}, expected {URL_EXPECTED}; nothing is sent until it is set right",
                without_credentials(&value)
            ));
        }
        Some(without_slash(value.trim()))
    }
}

/// What the words for yes and no say.
pub(super) fn parse_switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
