//! Which texts can be the address of a Braintrust deployment.

/// What such an address looks like, for messages.
pub(crate) const URL_EXPECTED: &str = "a URL such as https://example.com, without a user name or password";

/// Whether requests can be made to `text`. The API key says who asks; a password beside it would only be shown somewhere.
pub(crate) fn is_usable_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && url.has_host() && is_anonymous
    })
}

/// `text` as messages may show it: whatever it is, without what may be a user name and a password in front of a host.
pub(crate) fn without_credentials(text: &str) -> String {
    let start = text.find("//").map_or(0, |slashes| slashes + 2);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |length| start + length);
    match text[start..end].rfind('@') {
        Some(at) => format!("{}…{}", &text[..start], &text[start + at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_web_scheme_and_a_host() {
        for usable in ["https://example.com", "http://localhost:8000/api", "http://[::1]:8000"] {
            assert!(is_usable_url(usable), "{usable}");
        }
        for unusable in ["localhost:8000", "www.braintrust.dev", "ftp://example.com", "http://", "https://a b", "/api"]
            .into_iter()
            .chain(["https://alice:hunter2@example.com", "https://token@example.com"])
        {
            assert!(!is_usable_url(unusable), "{unusable}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, shown) in [
            ("https://alice:hunter2@example.com/api", "https://…@example.com/api"),
            ("ftp://alice:hunter2@example.com", "ftp://…@example.com"),
            ("alice:hunter2@example.com", "…@example.com"),
            ("https://alice:hunt@er2@example.com?a=b@c", "https://…@example.com?a=b@c"),
            ("https://example.com/@alice", "https://example.com/@alice"),
            ("localhost:8000", "localhost:8000"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }
}
