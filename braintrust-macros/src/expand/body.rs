//! The user's body: its bindings, and the type that it must have.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};

use super::hygienic;
use crate::model::{Parts, Plan, Returned};
use crate::params::Binding;

/// The body within one `match` for each argument, which gives the body bindings of its own.
///
/// A `let` for each would be shorter, but temporaries of the body's last expression would outlive its bindings in
/// editions before 2024, and a statement after the body would be unreachable in functions that never return.
pub(super) fn rebound(parts: &Parts) -> TokenStream {
    let block = &parts.block;
    let receiver = parts.parameters.receiver.iter();
    let (conditional, plain): (Vec<_>, Vec<_>) =
        parts.parameters.bindings.iter().filter(|binding| binding.is_rebound).partition(|b| !b.conditions.is_empty());
    let lets = conditional.iter().map(|binding| conditional_let(binding));
    let body = if plain.is_empty() {
        // Bare braces would be called unused.
        hygienic!(match () { () => #block })
    } else {
        plain.iter().rev().fold(block.to_token_stream(), |body, binding| arm(binding, &body))
    };
    // Naming `self` whole captures it whole, so that it is dropped when and where it would be otherwise.
    hygienic! {
        #(let _ = &#receiver;)*
        #(#lets)*
        #body
    }
}

/// The body after one `let` for each argument: within a `match`, a closure would not learn what the signature says of it.
pub(super) fn rebound_by_lets(parts: &Parts) -> TokenStream {
    let bindings = parts.parameters.bindings.iter().filter(|binding| binding.is_rebound);
    let lets = bindings.map(|binding| {
        let rebound = conditional_let(binding);
        let Binding { inner, conditions, .. } = binding;
        // What the attribute names is used, even if the body has no need of it.
        let mentioned = binding.is_mentioned.then(|| hygienic!(#(#conditions)* let _ = &#inner;));
        hygienic!(#rebound #mentioned)
    });
    let content = parts.block.stream();
    hygienic!(#(#lets)* #content)
}

fn arm(binding: &Binding, body: &TokenStream) -> TokenStream {
    let Binding { outer, inner, mutability, lints, .. } = binding;
    if binding.is_mentioned {
        // What the attribute names is used, even if the body has no need of it.
        // A `match`, since braces around a body after a statement would be called unused.
        return hygienic!(match #outer { #(#lints)* #mutability #inner => match &#inner { _ => #body } });
    }
    hygienic!(match #outer { #(#lints)* #mutability #inner => #body })
}

/// A parameter that may be compiled out cannot have a `match` around the body, which would go with it.
fn conditional_let(binding: &Binding) -> TokenStream {
    let Binding { outer, inner, mutability, lints, conditions, .. } = binding;
    hygienic!(#(#conditions)* #(#lints)* let #mutability #inner = #outer;)
}

/// `future` with bindings of its own for the arguments that it takes over.
///
/// The compiler keeps room for a variable of the outer function across its `.await` if the variable was ever borrowed,
/// even if it has been moved since; recording an argument borrows it. These bindings end before the `.await`.
pub(super) fn in_short_bindings(parts: &Parts, future: &TokenStream) -> TokenStream {
    let names: Vec<_> = parts
        .parameters
        .bindings
        .iter()
        .filter(|binding| binding.is_rebound && binding.conditions.is_empty())
        .map(|binding| &binding.outer)
        .collect();
    if names.is_empty() {
        return future.clone();
    }
    hygienic!(match (#(#names,)*) { (#(#names,)*) => #future })
}

/// A first statement that fixes what an async block returns, so that early returns, coercions and the compiler's
/// messages are those of the function as it was written.
pub(super) fn pinned_type(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    let (ty, place) = match &plan.parts.returned {
        Returned::Unit => (hygienic!(()), Span::mixed_site()),
        Returned::Never => (hygienic!(#runtime::Infallible), Span::mixed_site()),
        Returned::Type(ty) => (without_impl(ty).into_token_stream(), Span::mixed_site().located_at(ty.span())),
    };
    // The compiler says where it learnt the type from: from the signature, for all that the user knows.
    let pinned = quote_spanned!(place=> return __bt_never);
    hygienic! {
        if let #runtime::Some(__bt_never) = #runtime::None::<#ty> {
            #pinned;
        }
    }
}

/// The type with `_` for each `impl Trait`, which may not be written within a body.
pub(super) fn without_impl(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Inferred.visit_type_mut(&mut ty);
    ty
}

struct Inferred;

impl VisitMut for Inferred {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::ImplTrait(_) => *ty = Type::Infer(syn::parse_quote!(_)),
            // `fn() -> impl Trait` and the like are refused by the compiler, with its own message.
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }

    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
}

/// Whether the last statement visibly leaves the function: whatever comes after such a body is unreachable.
pub(super) fn ends_diverging(block: &Group) -> bool {
    let tokens: Vec<TokenTree> = block.stream().into_iter().collect();
    let mut statements = tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';')).rev();
    let last = statements.find(|statement| !statement.is_empty()).unwrap_or_default();
    match last {
        [TokenTree::Ident(word), ..] if word == "return" || word == "loop" => true,
        [.., TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(_)] if bang.as_char() == '!' => {
            ["panic", "todo", "unimplemented", "unreachable"].iter().any(|diverging| name == diverging)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn diverges(body: TokenStream) -> bool {
        ends_diverging(&syn::parse2(body).unwrap())
    }

    #[test]
    fn bodies_that_never_reach_their_end_are_seen() {
        assert!(diverges(quote!({
            let a = 1;
            std::panic!("{a}")
        })));
        assert!(diverges(quote!({
            todo!();
        })));
        assert!(diverges(quote!({
            return 1;
        })));
        assert!(!diverges(quote!({
            if a {
                return 1;
            }
            2
        })));
        assert!(!diverges(quote!({})));
        assert!(!diverges(quote!({ vec![1] })));
    }
}
