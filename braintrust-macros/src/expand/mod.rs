//! Last stage: the plan becomes tokens. Nothing is decided here, and nothing can fail.
//!
//! Every name that is introduced has the macro's own hygiene, and everything of the runtime is reached by path, so the
//! function may name its arguments and modules as it likes.

mod body;
mod opening;
mod record;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::async_trait;
use crate::model::{Plan, Returned};
use crate::options::Boxing;
use crate::shape::Shape;
use crate::tail::Tail;

/// Writes the traced function.
pub(crate) fn expand(plan: &Plan) -> TokenStream {
    let Plan { attributes, visibility, signature, inner_attributes, .. } = plan;
    let content = content(plan);
    // In the braces of the user's, or the compiler would take the whole function for generated and keep lints to itself.
    let mut body = Group::new(Delimiter::Brace, quote!(#inner_attributes #content));
    body.set_span(plan.braces);
    quote!(#(#attributes)* #visibility #signature #body)
}

/// A reference to an expression of the user's, placed where the expression is: that is where the compiler will complain.
fn reference(expression: &syn::Expr) -> TokenStream {
    let span = Span::mixed_site().located_at(expression.span());
    quote_spanned!(span=> &(#expression))
}

/// Like `quote!`, with the macro's own hygiene for every name.
macro_rules! hygienic {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}
use hygienic;

fn content(plan: &Plan) -> TokenStream {
    let opening = match plan.parts.shape {
        Shape::Async | Shape::AsyncTrait => opening::expand(plan, &hygienic!(__bt_enabled)),
        _ => {
            let enabled = plan.runtime.item("enabled");
            opening::expand(plan, &hygienic!(#enabled()))
        }
    };
    let returns = returns(plan);
    let content = match plan.parts.shape {
        Shape::Sync => wrap_closure(plan, &plan.runtime.item("call"), &opening, &record::of_result(plan)),
        Shape::Future => by_value(plan, &opening, &finish(plan, &hygienic!(__bt_future))),
        Shape::Stream => by_value(plan, &opening, &finish(plan, &hygienic!(__bt_stream))),
        Shape::SurelyStream => stream(plan, &opening),
        Shape::Unclear => by_value(plan, &opening, &finish_unclear(plan)),
        Shape::Inline => inline(plan, &opening),
        Shape::InlineFunction => inline_function(plan, &opening),
        Shape::Async => traced_block(plan, &opening),
        Shape::AsyncTrait => around(plan, &opening),
    };
    quote!(#returns #content)
}

/// Gives a name to the type of the returned value where the signature hides it: what is recorded depends on it.
fn returns(plan: &Plan) -> Option<TokenStream> {
    let runtime = &plan.runtime;
    is_hidden(plan).then(|| {
        hygienic! {
            let __bt_returns = #runtime::Returns::any();
            if let #runtime::Some(__bt_never) = #runtime::Returns::value(__bt_returns) {
                return __bt_never;
            }
        }
    })
}

/// Whether the type of the value that is recorded has an `impl Trait` in it.
fn is_hidden(plan: &Plan) -> bool {
    let is_recorded = matches!(plan.parts.shape, Shape::Sync | Shape::Unclear | Shape::Async);
    is_recorded && matches!(&plan.parts.returned, Returned::Type(ty) if body::has_impl(ty))
}

/// The body as a closure that a function of the runtime calls. Nothing but a `FnOnce` parameter in the very same
/// expression makes the compiler allow a closure to return borrows of what it has captured.
fn wrap_closure(plan: &Plan, wrapper: &TokenStream, opening: &TokenStream, record: &TokenStream) -> TokenStream {
    let closure = closure(plan);
    hygienic!(#wrapper(#opening, #closure, #record))
}

fn closure(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    let body = body::rebound(&plan.parts);
    match &plan.parts.returned {
        Returned::Unit => hygienic!(move || { #body }),
        Returned::Never => hygienic!(move || -> ! { #body }),
        Returned::Type(ty) => {
            let ty = body::without_impl(ty);
            let closure = hygienic!(move || -> #ty { #body });
            if is_hidden(plan) { hygienic!(#runtime::returning(__bt_returns, #closure)) } else { closure }
        }
    }
}

fn stream(plan: &Plan, opening: &TokenStream) -> TokenStream {
    match &plan.record.aggregate {
        Some(aggregate) => {
            let record = record::aggregated(plan, aggregate);
            wrap_closure(plan, &plan.runtime.item("call_stream_aggregated"), opening, &record)
        }
        None => wrap_closure(plan, &plan.runtime.item("call_stream"), opening, &record::of_result(plan)),
    }
}

/// A function of which the type of the returned value decides what becomes of its span.
fn by_value(plan: &Plan, opening: &TokenStream, finished: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    let closure = closure(plan);
    hygienic!({
        use #runtime::by_value::*;
        #runtime::run(#opening, #closure).#finished
    })
}

fn finish(plan: &Plan, method: &TokenStream) -> TokenStream {
    let record = record::of_result(plan);
    hygienic!(#method(#record))
}

fn finish_unclear(plan: &Plan) -> TokenStream {
    match &plan.record.aggregate {
        Some(aggregate) => {
            let record = record::aggregated(plan, aggregate);
            hygienic!(__bt_aggregate(#record))
        }
        None => finish(plan, &hygienic!(__bt_finish)),
    }
}

/// The body stays in the function, so that `Location::caller()` is the function's caller.
fn inline(plan: &Plan, opening: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    let body = body::rebound(&plan.parts);
    let is_kept = matches!(plan.parts.returned, Returned::Type(_)) && !Tail::of(&plan.parts.block).diverges();
    if is_kept {
        let record = record::of_result(plan);
        return hygienic!(#runtime::Inline::enter(#opening).finish({ #body }, #record));
    }
    hygienic! {
        let __bt_guard = #runtime::Inline::enter(#opening);
        #body
    }
}

/// The same where the value is a function, of which there is nothing to say.
fn inline_function(plan: &Plan, opening: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    let body = body::rebound_and_returned(&plan.parts);
    hygienic! {
        let __bt_guard = #runtime::Inline::enter_function(#opening);
        #body
    }
}

/// The body as an async block: in the runtime's future, or as it is where no one listens.
///
/// The variables are moved as wholes and borrowed by nothing, so the compiler keeps no room for them across `.await`,
/// and the two futures share theirs. Between the beginning of the span and the `.await` nothing can panic, so nothing has
/// to be dropped there, and saying so spares the future its flags for it: that is a third of what a call costs where no one
/// listens.
fn traced_block(plan: &Plan, opening: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    let future = future(plan);
    let record = record::of_result(plan);
    let opened = body::in_short_bindings(
        &plan.parts,
        &hygienic!({
            __bt_span = #runtime::ManuallyDrop::new(#opening);
            #runtime::ManuallyDrop::new(#future)
        }),
    );
    let taken = |name: TokenStream| hygienic!(#runtime::ManuallyDrop::into_inner(#name));
    let (span, future) = (taken(hygienic!(__bt_span)), taken(hygienic!(__bt_future)));
    let awaited = hygienic! {
        if __bt_enabled { #runtime::Traced::new(#span, #future, #record).await } else { #future.await }
    };
    let awaited = match plan.parts.returned {
        // Nobody may name `!`, but a match without arms on a type without values has it.
        Returned::Never => hygienic!(match #awaited {}),
        Returned::Unit | Returned::Type(_) => awaited,
    };
    hygienic! {
        let __bt_enabled = #runtime::enabled();
        let __bt_span;
        let __bt_future = #opened;
        #awaited
    }
}

fn future(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    let body = body::rebound(&plan.parts);
    let pinned = body::pinned_type(plan);
    let block = hygienic!(async move { #pinned #body });
    let block = if is_hidden(plan) { hygienic!(#runtime::resolving(__bt_returns, #block)) } else { block };
    match plan.boxing {
        None => block,
        Some(Boxing::Typed) => hygienic!(#runtime::boxed(#block)),
        Some(Boxing::Send) => hygienic!(#runtime::boxed_send(#block)),
        Some(Boxing::Local) => hygienic!(#runtime::boxed_local(#block)),
    }
}

/// A method that `#[async_trait]` has rewritten: its async block is wrapped, the box stays.
fn around(plan: &Plan, opening: &TokenStream) -> TokenStream {
    let traced = traced_block(plan, opening);
    match &plan.parts.around {
        Some(around) => {
            let prologue = &around.prologue;
            async_trait::rewrap(&around.outer, quote_spanned!(Span::mixed_site()=> #prologue #traced))
        }
        None => traced.into_token_stream(),
    }
}
