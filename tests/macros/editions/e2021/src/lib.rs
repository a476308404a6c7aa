//! Every shape of function in edition 2021, with lints that nobody below can allow: an expansion that needed an
//! `allow` would not compile.
#![deny(warnings)]
#![forbid(unsafe_code, unreachable_code, unused_variables, unused_mut, unused_braces, unused_parens)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

#[path = "../../hygiene.rs"]
pub mod hygiene;
#[path = "../../shapes.rs"]
pub mod shapes;
