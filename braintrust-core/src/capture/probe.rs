//! The best way that a type has to show itself, found by the compiler and without asking for any bound.
//!
//! Generated code calls `(&&&&&&&Probe(&value)).__bt_value()`. Method lookup takes off one reference after the other
//! and stops at the first trait below whose bound the type meets, so the number of references is the precedence:
//!
//! | references | trait | for types that are |
//! |---|---|---|
//! | 7 | [`ByOwnWay`] | [`Capture`], which all locks of something with `Debug` are |
//! | 6 | [`ByLock`] | locks of anything else: named, never locked |
//! | 5 | [`ByJson`] | `Serialize` |
//! | 4 | [`ByPointer`] | `Arc`, `Rc` or `Pin` of something `Serialize` |
//! | 3 | [`ByDebug`] | `Debug` |
//! | 2 | [`ByDisplay`] | `Display` |
//! | 1 | [`ByTypeName`] | anything |

use std::any::type_name;
use std::fmt::{Debug, Display};

use serde::Serialize;

use super::custom::Capture;
use super::handle::{Captured, Way};
use super::locks::Lock;
use super::pointers::PointsToJson;

/// A borrowed value whose type is looked into.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// One trait of the chain: its place, its bound, and how it shows the value.
macro_rules! step {
    ($(#[$doc:meta])* $step:ident, $probe:ty, [$($bound:tt)*], |$value:ident| $way:expr) => {
        $(#[$doc])*
        pub trait $step {
            /// The value, and how it is shown.
            fn __bt_value(&self) -> Captured<'_>;
        }

        impl<T: $($bound)*> $step for $probe {
            #[inline]
            fn __bt_value(&self) -> Captured<'_> {
                let $value = &self.0;
                Captured($way)
            }
        }
    };
}

step!(
    /// Types that decide themselves.
    ByOwnWay, &&&&&&Probe<'_, T>, [Capture + ?Sized], |value| Way::Own(value)
);
step!(
    /// Locks whose content cannot be shown.
    ByLock, &&&&&Probe<'_, T>, [Lock + ?Sized], |_value| Way::TypeName(type_name::<T>())
);
step!(
    /// Types that are `Serialize`.
    ByJson, &&&&Probe<'_, T>, [Serialize + ?Sized], |value| Way::Json(value)
);
step!(
    /// Pointers to types that are `Serialize`.
    ByPointer, &&&Probe<'_, T>, [PointsToJson + ?Sized], |value| Way::Pointer(value)
);
step!(
    /// Types that are `Debug`.
    ByDebug, &&Probe<'_, T>, [Debug + ?Sized], |value| Way::Debug(value)
);
step!(
    /// Types that are `Display`.
    ByDisplay, &Probe<'_, T>, [Display + ?Sized], |value| Way::Display(value)
);
step!(
    /// All types.
    ByTypeName, Probe<'_, T>, [?Sized], |_value| Way::TypeName(type_name::<T>())
);
