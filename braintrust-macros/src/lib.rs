//! The `#[traced]` attribute of the `braintrust` crate: parse → model → check → expand.

mod async_trait;
mod check;
mod errors;
mod expand;
mod item;
mod kinds;
mod mentioned;
mod model;
mod options;
mod params;
mod parse;
mod paths;
mod shape;
mod stages;
mod suggest;

use proc_macro::TokenStream;

/// Traces every call of a function.
#[proc_macro_attribute]
pub fn traced(attribute: TokenStream, item: TokenStream) -> TokenStream {
    stages::traced(attribute.into(), item.into()).into()
}
