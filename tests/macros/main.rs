//! What `#[traced]` does, through the public API alone: a test for each acceptance case, named after it.
#![cfg(feature = "testing")]
#![deny(warnings)]
#![allow(dropping_copy_types, clippy::drop_non_drop, clippy::unnecessary_to_owned, clippy::allow_attributes)] // of the samples

mod async_trait;
mod attributes;
mod cancellation;
mod capture;
mod compiler;
mod context;
mod drop_order;
mod errors;
mod expressions;
mod futures;
mod generics;
mod options;
mod panics;
mod patterns;
mod returns;
mod shapes;
mod sizes;
mod streams;
