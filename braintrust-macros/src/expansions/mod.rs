//! What the macro writes, for a function of each shape.

mod functions;
mod futures;
mod options;

use proc_macro2::TokenStream;

fn expanded(attribute: TokenStream, item: TokenStream) -> String {
    let tokens = crate::stages::traced(attribute, item);
    prettyplease::unparse(&syn::parse2(tokens).expect("the expansion is an item"))
}
