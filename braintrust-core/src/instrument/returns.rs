//! The type of what a function returns, where its signature only says `impl Trait`.
//!
//! A body may rely on the signature for its type, as `Vec::new().into_iter()` does for `impl Iterator<Item = Page>`. What
//! is recorded of the value depends on the type, and is decided before the compiler compares body and signature. So
//! generated code first has a statement that would return a value of a type that is not known yet, and then says that the
//! body has that type.

use std::marker::PhantomData;

/// A type that is yet to be found.
#[derive(Debug)]
pub struct Returns<T>(PhantomData<fn() -> T>);

impl<T> Clone for Returns<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Returns<T> {}

impl<T> Returns<T> {
    /// Any type.
    #[inline]
    #[must_use]
    pub const fn any() -> Self {
        Self(PhantomData)
    }

    /// What the statement returns, which is never there.
    #[inline]
    #[must_use]
    pub const fn value(self) -> Option<T> {
        None
    }
}

/// `body`, which returns the type.
#[inline]
pub fn returning<T, F: FnOnce() -> T>(_returns: Returns<T>, body: F) -> F {
    body
}

/// `future`, which resolves to the type.
#[inline]
pub fn resolving<T, F: Future<Output = T>>(_returns: Returns<T>, future: F) -> F {
    future
}
