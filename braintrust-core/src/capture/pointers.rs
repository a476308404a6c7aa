//! Pointers that `serde` serializes only with its `rc` feature, which is not ours to switch on for a whole build.
//!
//! They are listed one by one: going through `Deref` would run code of the user's, or force a lazy value.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use super::json::write_json;

/// A pointer to something that is `Serialize`.
pub trait PointsToJson {
    /// Appends the JSON of what it points to.
    fn write_pointee(&self, out: &mut Vec<u8>);
}

/// One implementation for each pointer to a `Serialize`.
macro_rules! points_to_json {
    ($($pointer:ty),*) => {
        $(impl<T: Serialize + ?Sized> PointsToJson for $pointer {
            fn write_pointee(&self, out: &mut Vec<u8>) {
                write_json::<T>(self, out);
            }
        })*
    };
}

points_to_json!(Arc<T>, Rc<T>, Pin<Box<T>>, Pin<Arc<T>>, Pin<Rc<T>>, Pin<&T>, Pin<&mut T>);

/// One implementation for each pointer to such a pointer.
macro_rules! points_through {
    ($($pointer:ty),*) => {
        $(impl<T: PointsToJson + ?Sized> PointsToJson for $pointer {
            fn write_pointee(&self, out: &mut Vec<u8>) {
                (**self).write_pointee(out);
            }
        })*
    };
}

points_through!(&T, &mut T, Box<T>);

impl<T: PointsToJson> PointsToJson for Option<T> {
    fn write_pointee(&self, out: &mut Vec<u8>) {
        match self {
            Some(pointer) => pointer.write_pointee(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}
