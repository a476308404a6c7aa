//! The hidden door: everything that generated code may name, and nothing but re-exports.

pub use std::convert::Infallible;
pub use std::mem::ManuallyDrop;
pub use std::option::Option::{self, None, Some};
pub use std::{clone::Clone, format, format_args};

pub use crate::SpanType;
pub use crate::active::any_logger as enabled;
pub use crate::callsite::Callsite;
pub use crate::capture::{Captured, Failed, Failure, Probe};
pub use crate::context::Context;
pub use crate::fields::Fields;
pub use crate::instrument::*;
pub use crate::span::Opening;

/// Traits whose methods generated code calls on borrowed values: what the type is able to do decides which.
pub mod by_reference {
    pub use crate::capture::{
        ByDebug as _, ByDebugError as _, ByDerefError as _, ByDisplay as _, ByDisplayError as _, ByError as _,
        ByJson as _, ByLock as _, ByOpaqueError as _, ByOwnWay as _, ByPointer as _, ByTypeName as _,
    };
    pub use crate::instrument::SplitPlain as _;
}

/// Traits whose methods generated code calls on a returned value that may be a future or stream.
pub mod by_value {
    pub use crate::instrument::{FinishOther as _, FinishPlain as _};
}
