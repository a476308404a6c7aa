//! Every shape of function in edition 2024.
#![deny(warnings, rust_2018_idioms, unused_qualifications, unused_lifetimes, single_use_lifetimes)]
#![deny(let_underscore_drop, unit_bindings, trivial_casts, trivial_numeric_casts, unreachable_pub)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

#[path = "../../hygiene.rs"]
pub mod hygiene;
#[cfg(test)]
#[path = "../../outcomes.rs"]
pub mod outcomes;
#[path = "../../shapes.rs"]
pub mod shapes;

#[test]
fn ed_02_the_outcome_is_that_of_the_plain_function() {
    outcomes::compare(true);
}
