//! Every shape of function in edition 2021, with lints that nobody below can allow: an expansion that needed an
//! `allow` would not compile.
#![deny(warnings)]
#![forbid(unsafe_code, unreachable_code, unused_variables, unused_mut, unused_braces, unused_parens)]
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
    outcomes::compare(false);
}
