//! The only spelling of paths into the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

/// The hidden module that generated code may call, however the user's crate reaches it.
#[derive(Clone)]
pub(crate) struct Runtime(TokenStream);

impl Runtime {
    /// Through the facade under its own name, or through the path of the `crate` option.
    pub(crate) fn new(facade: Option<&syn::Path>) -> Self {
        let span = Span::mixed_site();
        Self(match facade {
            Some(path) => quote_spanned!(span=> #path::__private),
            None => quote_spanned!(span=> ::braintrust::__private),
        })
    }

    /// Something that the module exports.
    pub(crate) fn item(&self, name: &str) -> TokenStream {
        let module = &self.0;
        let name = Ident::new(name, Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> #module::#name)
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
