//! Every shape of function in edition 2024.
#![deny(warnings, rust_2018_idioms, unused_qualifications, unused_lifetimes, single_use_lifetimes)]
#![deny(let_underscore_drop, unit_bindings, trivial_casts, trivial_numeric_casts, unreachable_pub)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

#[path = "../../hygiene.rs"]
pub mod hygiene;
#[path = "../../shapes.rs"]
pub mod shapes;
