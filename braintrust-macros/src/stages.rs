//! The stages in their order. After a mistake the item is emitted as it was, so that all that uses it still compiles.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::errors::Errors;
use crate::item::Item;
use crate::model::Plan;
use crate::{check, expand, item, parse};

/// The whole macro, on tokens that need no compiler around them.
pub(crate) fn traced(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = parse::parse(attribute, &mut errors);
    check::check_options(&options, &mut errors);
    let function = match item::read(item.clone(), &mut errors) {
        Item::Function(function) => function,
        Item::Refused | Item::Unknown => return with_item(errors, item),
    };
    check::check_function(&options, &function, &mut errors);
    if !errors.is_empty() {
        return with_item(errors, item);
    }
    expand::expand(&Plan::new(options, *function)).into_token_stream()
}

fn with_item(errors: Errors, item: TokenStream) -> TokenStream {
    let mut tokens = errors.into_compile_errors();
    tokens.extend(item);
    tokens
}
