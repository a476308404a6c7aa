//! The item below the attribute: a function's signature in full, its body as tokens.
//!
//! The body is never parsed, so code that is half typed, or newer than the parser, passes through as it is.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

use crate::errors::Errors;

/// A function that can be traced.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// A function's body.
pub(crate) struct Body {
    /// Attributes like `#![allow(…)]`, which must stay at the top of the outermost block.
    pub(crate) inner_attributes: TokenStream,
    /// What remains, in its own braces.
    pub(crate) block: Group,
}

/// What the attribute was put on.
pub(crate) enum Item {
    Function(Box<Function>),
    /// Not something that can be traced; the reason was added to the errors.
    Refused,
    /// Not something that can be understood. The compiler will say why, better than a macro could.
    Unknown,
}

/// Looks at the item below the attribute.
pub(crate) fn read(item: TokenStream, errors: &mut Errors) -> Item {
    match syn::parse2::<Head>(item) {
        Ok(Head::Function(function)) => Item::Function(function),
        Ok(Head::Refused(error)) => {
            errors.add(error);
            Item::Refused
        }
        Err(_) => Item::Unknown,
    }
}

enum Head {
    Function(Box<Function>),
    Refused(syn::Error),
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        if let Some(error) = refusal(input) {
            // The rest is not looked at, but the parser insists on an empty stream.
            input.parse::<TokenStream>()?;
            return Ok(Self::Refused(error));
        }
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let _: Token![;] = input.parse()?;
            return Ok(Self::Refused(without_body(&signature)));
        }
        let body = Body::new(input.parse::<Group>()?);
        input.parse::<syn::parse::Nothing>()?;
        Ok(Self::Function(Box::new(Function { attributes, visibility, signature, body })))
    }
}

/// Why the item that `input` stands at cannot be traced, if it is no function at all.
fn refusal(input: ParseStream<'_>) -> Option<syn::Error> {
    let ahead = input.fork();
    // `unsafe impl`, `unsafe trait`, `unsafe mod`; an `unsafe fn` falls through.
    let _: Option<Token![unsafe]> = ahead.parse().ok()?;
    let message = if ahead.peek(Token![impl]) {
        "`#[traced]` goes on individual methods, not on the `impl` block"
    } else if ahead.peek(Token![mod]) {
        "`#[traced]` goes on functions, not on modules"
    } else if ahead.peek(Token![trait]) {
        "`#[traced]` goes on methods that have a body, not on the trait"
    } else if ahead.peek(Token![struct]) || ahead.peek(Token![enum]) || ahead.peek(Token![type]) {
        "`#[traced]` goes on functions, not on types"
    } else {
        return None;
    };
    Some(ahead.error(message))
}

fn without_body(signature: &Signature) -> syn::Error {
    syn::Error::new_spanned(
        &signature.ident,
        "`#[traced]` needs a function body; put it on the implementation, or give this trait method a default body",
    )
}

impl Body {
    fn new(group: Group) -> Self {
        let mut inner_attributes = TokenStream::new();
        let mut tokens = group.stream().into_iter().peekable();
        let mut block = TokenStream::new();
        while let Some(token) = tokens.next() {
            match attribute_after(&token, &mut tokens) {
                Ok(attribute) => inner_attributes.extend(attribute),
                Err(rest) => {
                    token.to_tokens(&mut block);
                    block.extend(rest);
                    block.extend(tokens.by_ref());
                }
            }
        }
        let mut braced = Group::new(Delimiter::Brace, block);
        braced.set_span(group.span());
        Self { inner_attributes, block: braced }
    }
}

/// The whole inner attribute (`#`, `!`, `[…]`) that `first` begins, or what was taken while looking for one.
fn attribute_after(
    first: &TokenTree,
    tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
) -> Result<Vec<TokenTree>, Vec<TokenTree>> {
    let is_punct =
        |token: Option<&TokenTree>, wanted| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == wanted);
    if !is_punct(Some(first), '#') || !is_punct(tokens.peek(), '!') {
        return Err(Vec::new());
    }
    let bang: Vec<TokenTree> = tokens.next().into_iter().collect();
    match tokens.peek() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            Ok([first.clone()].into_iter().chain(bang).chain(tokens.next()).collect())
        }
        _ => Err(bang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn function(item: TokenStream) -> Function {
        match read(item, &mut Errors::default()) {
            Item::Function(function) => *function,
            _ => panic!("not a function"),
        }
    }

    #[test]
    fn inner_attributes_are_taken_off_the_body() {
        let body = function(quote!(
            fn f() {
                #![allow(unused)]
                #[cfg(x)]
                let y = !1;
            }
        ))
        .body;
        assert_eq!(body.inner_attributes.to_string(), quote!(#![allow(unused)]).to_string());
        assert_eq!(
            body.block.to_string(),
            quote!({
                #[cfg(x)]
                let y = !1;
            })
            .to_string()
        );
    }

    #[test]
    fn a_body_that_does_not_parse_is_kept() {
        let body = function(quote!(fn f(a: u8) { a. })).body;
        assert_eq!(body.block.to_string(), quote!({ a. }).to_string());
    }

    #[test]
    fn a_signature_that_does_not_parse_is_left_to_the_compiler() {
        assert!(matches!(read(quote!(fn f(a:) {}), &mut Errors::default()), Item::Unknown));
    }
}
