//! The API key as a type that cannot be printed.

use std::fmt;
use std::sync::Arc;

/// A key shorter than this is hidden as a whole: four of its characters would say too much.
const LEAST_LENGTH_TO_HINT: usize = 12;

/// A Braintrust API key.
///
/// It has no `Display`, and its `Debug` shows only the hint of [`ApiKey::hint`]; the text itself comes out of
/// [`ApiKey::expose`] alone, which only the `Authorization` header may call, and the mask that looks for it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ApiKey(Arc<str>);

impl ApiKey {
    /// The key in `text` without the whitespace around it (a key read from a file ends in a newline); `None` if nothing
    /// is left.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The key itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Enough of the key to tell it from another, and no more: `sk***9f`.
    pub(crate) fn hint(&self) -> String {
        let characters: Vec<char> = self.0.chars().collect();
        match characters.as_slice() {
            [first, second, .., last_but_one, last] if characters.len() >= LEAST_LENGTH_TO_HINT => {
                format!("{first}{second}***{last_but_one}{last}")
            }
            _ => "***".to_owned(),
        }
    }

    /// `text` with the key replaced by its hint, for texts that others wrote: some servers echo the key they refuse.
    pub(crate) fn scrub(&self, text: &str) -> String {
        text.replace(self.expose(), &self.hint())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ApiKey {
        ApiKey::new(text).expect("not blank")
    }

    #[test]
    fn whitespace_around_a_key_is_no_part_of_it() {
        assert_eq!(key(" sk-0123456789\r\n").expose(), "sk-0123456789");
        assert_eq!(ApiKey::new(" \n"), None);
    }

    #[test]
    fn debug_shows_the_ends_of_a_long_key_only() {
        assert_eq!(format!("{:?}", key("sk-secret-0123456789")), "ApiKey(sk***89)");
        assert_eq!(format!("{:?}", key("äöüäöüäöüßßß")), "ApiKey(äö***ßß)");
    }

    #[test]
    fn debug_hides_a_short_key_as_a_whole() {
        assert_eq!(format!("{:?}", key("hunter2hunt")), "ApiKey(***)");
    }

    #[test]
    fn scrubbing_replaces_every_mention() {
        let key = key("sk-secret-0123456789");
        assert_eq!(key.scrub("no sk-secret-0123456789, no sk-secret-0123456789!"), "no sk***89, no sk***89!");
    }
}
