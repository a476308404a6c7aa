//! Every shape of function in edition 2018, where no lint may come out of an expansion: not even those that prepare for
//! later editions.
#![deny(warnings, rust_2018_idioms, rust_2021_compatibility, rust_2024_compatibility)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(edition_2024_expr_fragment_specifier)] // of the sample code

#[path = "../../hygiene.rs"]
pub mod hygiene;
#[path = "../../shapes.rs"]
pub mod shapes;
