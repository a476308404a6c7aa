//! Errors of the transport as text.

use std::error::Error;
use std::fmt::Display;

/// An error with its causes. What addresses in it hold after a `?` is left out: some providers take their key there.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors repeat their cause.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    without_queries(&text)
}

/// An error of which only its text is known.
pub(super) fn shown(error: &impl Display) -> String {
    without_queries(&error.to_string())
}

fn without_queries(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, address)) = rest.split_once("://") {
        let end = address.find([' ', '\n', ')', '"', '\'', '>']).unwrap_or(address.len());
        let (address, after) = address.split_at(end);
        kept.push_str(before);
        kept.push_str("://");
        match address.split_once('?') {
            Some((place, _)) => kept.extend([place, "?..."]),
            None => kept.push_str(address),
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (https://host/v1/m:generateContent?key=AIzaSecret)")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_told_and_keys_in_addresses_are_not() {
        let text = describe(&Outer(std::io::Error::other("connection refused")));
        assert_eq!(text, "error sending request for url (https://host/v1/m:generateContent?...): connection refused");
        assert_eq!(without_queries("a://b?c d?e f://g"), "a://b?... d?e f://g");
    }
}
