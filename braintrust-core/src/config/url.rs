//! Which texts can be the address of a Braintrust deployment.

/// What such an address looks like, for messages.
pub(crate) const URL_EXPECTED: &str = "a URL such as https://example.com";

/// Whether requests can be made to `text`.
pub(crate) fn is_usable_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
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
        {
            assert!(!is_usable_url(unusable), "{unusable}");
        }
    }
}
