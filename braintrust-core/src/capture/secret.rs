//! A value that never shows itself.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::handle::REDACTED;

/// A value that is never written anywhere: not to a span, not to a log, not in a `Debug` text.
///
/// ```
/// use braintrust::Secret;
///
/// #[derive(Debug, serde::Serialize)]
/// struct Login {
///     user: String,
///     password: Secret<String>,
/// }
///
/// let login = Login { user: "ada".into(), password: Secret::new("hunter2".into()) };
/// assert_eq!(serde_json::to_string(&login).unwrap(), r#"{"user":"ada","password":"[REDACTED]"}"#);
/// assert_eq!(login.password.expose(), "hunter2");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, no longer hidden.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
