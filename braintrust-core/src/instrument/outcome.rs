//! Whether a result is a value or an error: decided by its type, whatever its alias.

use std::convert::Infallible;

/// A borrowed result, taken apart.
#[derive(Debug)]
pub enum Outcome<'a, T: ?Sized, E: ?Sized> {
    /// What is shown as output.
    Value(&'a T),
    /// What is shown as error.
    Error(&'a E),
    /// Neither: `None` of an `Option<Result<…>>`.
    Absent,
}

/// A borrowed result whose type is looked into.
///
/// Methods of the type itself take precedence over those of a trait: the two below are for what may be an error, and
/// [`SplitPlain`] is for all the rest.
#[derive(Debug)]
pub struct Split<'a, R: ?Sized>(pub &'a R);

impl<'a, T, E> Split<'a, Result<T, E>> {
    /// The value or the error.
    #[inline]
    pub fn __bt_split(self) -> Outcome<'a, T, E> {
        match self.0 {
            Ok(value) => Outcome::Value(value),
            Err(error) => Outcome::Error(error),
        }
    }
}

impl<'a, T, E> Split<'a, Option<Result<T, E>>> {
    /// The value or the error, if there is either.
    #[inline]
    pub fn __bt_split(self) -> Outcome<'a, T, E> {
        match self.0 {
            Some(result) => Split(result).__bt_split(),
            None => Outcome::Absent,
        }
    }
}

/// Everything that cannot be an error.
pub trait SplitPlain<'a> {
    /// The type of the value.
    type Value: ?Sized;

    /// The value.
    fn __bt_split(self) -> Outcome<'a, Self::Value, Infallible>;
}

impl<'a, R: ?Sized> SplitPlain<'a> for Split<'a, R> {
    type Value = R;

    #[inline]
    fn __bt_split(self) -> Outcome<'a, R, Infallible> {
        Outcome::Value(self.0)
    }
}
