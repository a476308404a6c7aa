//! The user's body: its bindings, and the type that it must have.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Pat, PatIdent, PatReference, Type, TypeImplTrait};

use super::hygienic;
use crate::model::{Parts, Plan, Returned};
use crate::params::{BodyPattern, Moved};
use crate::tail::Tail;

/// The body within one `match` for each value that it takes over, which gives the body bindings of its own. They are
/// dropped as the parameters would be.
///
/// A `let` for each would be shorter, but temporaries of the body's last expression would outlive its bindings in
/// editions before 2024, and a statement after the body would be unreachable in functions that never return.
pub(super) fn rebound(parts: &Parts) -> TokenStream {
    rebound_around(parts, &parts.block)
}

/// The same for a body that stays in the function, and may end with a closure: that is returned from within, because an
/// expression within a `match` does not learn what the signature says of its type, and what is returned does.
pub(super) fn rebound_and_returned(parts: &Parts) -> TokenStream {
    let tail = Tail::of(&parts.block);
    if !tail.may_learn_its_type() {
        return rebound(parts);
    }
    let mut block = Group::new(Delimiter::Brace, tail.returned());
    block.set_span(parts.block.span());
    rebound_around(parts, &block)
}

fn rebound_around(parts: &Parts, block: &impl ToTokens) -> TokenStream {
    let receiver = parts.parameters.receiver.iter();
    let (innermost, others) = match parts.parameters.moved.split_last() {
        // Bare braces would be called unused.
        None => (hygienic!(match () { () => #block }), &[][..]),
        // Temporaries of a block would outlive its bindings.
        Some((last, _)) if !last.conditions.is_empty() => {
            (hygienic!(match () { () => #block }), &parts.parameters.moved[..])
        }
        Some((last, others)) => (arm(last, &block.to_token_stream()), others),
    };
    let body = others.iter().rev().fold(innermost, |body, moved| arm(moved, &body));
    // Naming `self` whole captures it whole, so that it is dropped when and where it would be otherwise.
    hygienic! {
        #(let _ = &#receiver;)*
        #body
    }
}

fn arm(moved: &Moved, body: &TokenStream) -> TokenStream {
    let Moved { outer, pattern, lints, conditions, is_mentioned } = moved;
    if !conditions.is_empty() {
        return conditional(moved, body);
    }
    match pattern {
        // What the attribute names is used, even if the body has no need of it.
        // A `match`, since braces around a body after a statement would be called unused.
        BodyPattern::Name(mutability, name) if *is_mentioned => {
            hygienic!(match #outer { #(#lints)* #mutability #name => match &#name { _ => #body } })
        }
        BodyPattern::Name(mutability, name) => hygienic!(match #outer { #(#lints)* #mutability #name => #body }),
        BodyPattern::Whole(pattern) => {
            let mutability = mutability_for(pattern);
            hygienic!(match #outer { #mutability #outer => match #outer { #(#lints)* #pattern => #body } })
        }
    }
}

/// A parameter that may be compiled out cannot have a `match` around the body, which would go with it.
fn conditional(moved: &Moved, body: &TokenStream) -> TokenStream {
    let Moved { outer, pattern, lints, conditions, is_mentioned } = moved;
    match pattern {
        BodyPattern::Name(mutability, name) => {
            let mentioned = is_mentioned.then(|| hygienic!(#(#conditions)* let _ = &#name;));
            hygienic!({
                #(#conditions)* #(#lints)* let #mutability #name = #outer;
                #mentioned
                #body
            })
        }
        BodyPattern::Whole(pattern) => {
            let mutability = mutability_for(pattern);
            hygienic!({
                #(#conditions)* let #mutability #outer = #outer;
                #(#conditions)* #(#lints)* let #pattern = #outer;
                #body
            })
        }
    }
}

/// `mut`, for what a pattern borrows mutably.
fn mutability_for(pattern: &Pat) -> Option<TokenStream> {
    struct Finds(bool);
    impl<'ast> Visit<'ast> for Finds {
        fn visit_pat_ident(&mut self, name: &'ast PatIdent) {
            self.0 |= name.by_ref.is_some() && name.mutability.is_some();
            visit::visit_pat_ident(self, name);
        }

        fn visit_pat_reference(&mut self, _: &'ast PatReference) {}
    }
    let mut finds = Finds(false);
    finds.visit_pat(pattern);
    finds.0.then(|| hygienic!(mut))
}

/// `future` with bindings of its own for the arguments that it takes over.
///
/// The compiler keeps room for a variable of the outer function across its `.await` if the variable was ever borrowed,
/// even if it has been moved since; recording an argument borrows it. These bindings end before the `.await`.
pub(super) fn in_short_bindings(parts: &Parts, future: &TokenStream) -> TokenStream {
    let unconditional = parts.parameters.moved.iter().filter(|moved| moved.conditions.is_empty());
    let names: Vec<_> = unconditional.map(|moved| &moved.outer).collect();
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

/// Whether there is an `impl Trait` in the type.
pub(super) fn has_impl(ty: &Type) -> bool {
    struct Finds(bool);
    impl<'ast> Visit<'ast> for Finds {
        fn visit_type_impl_trait(&mut self, _: &'ast TypeImplTrait) {
            self.0 = true;
        }

        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut finds = Finds(false);
    finds.visit_type(ty);
    finds.0
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
