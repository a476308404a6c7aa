//! What is kept of a result: a closure that puts output or error into the span's fields.

use proc_macro2::TokenStream;
use quote::ToTokens;

use super::body::without_impl;
use super::{hygienic, is_hidden};
use crate::model::{Output, Plan, Returned};
use crate::options::{ErrorPolicy, Mapper};
use crate::tail::Tail;

/// A value of any type, erased by the runtime's probe. `reference` is an expression that borrows it.
pub(super) fn value(plan: &Plan, reference: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    hygienic!((&&&&&&&#runtime::Probe(#reference)).__bt_value())
}

/// An error of any type, erased likewise.
fn failure(plan: &Plan, reference: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    hygienic!((&&&&&#runtime::Failure(#reference)).__bt_error())
}

/// The last argument of the wrappers for functions and futures.
pub(super) fn of_result(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    if records_nothing(plan) {
        return plan.runtime.item("ignore");
    }
    let arms = Arms::new(plan);
    let (on_value, on_error) = (arms.on_value(), arms.on_error());
    let of_known_type = of_known_type(plan, &hygienic!(__bt_result));
    hygienic!(|__bt_result, __bt_fields| {
        use #runtime::by_reference::*;
        #of_known_type
        match #runtime::Split(__bt_result).__bt_split() {
            #runtime::Outcome::Value(__bt_value) => { #on_value }
            #runtime::Outcome::Error(__bt_error) => { #on_error }
            #runtime::Outcome::Absent => {}
        }
    })
}

/// What a future resolves to, or a stream yields, may have a type that only the signature says in full, as in
/// `async { Ok(1) }`; what can be done with it is decided here, before the compiler looks there.
fn of_known_type(plan: &Plan, name: &TokenStream) -> Option<TokenStream> {
    let ty = without_impl(plan.parts.yielded.as_ref()?);
    Some(hygienic!(let #name: &#ty = #name;))
}

/// Whether neither the value nor an error can leave anything in the span: for what returns `()` or never.
fn records_nothing(plan: &Plan) -> bool {
    // A body like `todo!()` leaves the type behind `impl Trait` open.
    if is_hidden(plan) && Tail::of(&plan.parts.block).diverges() {
        return true;
    }
    let is_plain = !matches!(plan.parts.returned, Returned::Type(_));
    is_plain && matches!(plan.record.output, Output::Nothing) && plan.record.error_if.is_none()
}

/// The last two arguments of the wrappers for streams that have one output for all items: what takes an item apart, and
/// what makes the output of all values.
pub(super) fn aggregated(plan: &Plan, aggregate: &Mapper) -> TokenStream {
    let runtime = &plan.runtime;
    let on_error = Arms::new(plan).on_error();
    let output = mapped(plan, aggregate, &hygienic!(__bt_values));
    let of_known_type = of_known_type(plan, &hygienic!(__bt_item));
    let shown = value(plan, &hygienic!(__bt_value));
    hygienic! {
        |__bt_item, __bt_fields| {
            use #runtime::by_reference::*;
            #of_known_type
            match #runtime::Split(__bt_item).__bt_split() {
                #runtime::Outcome::Value(__bt_value) => {
                    if #runtime::may_own_memory(__bt_value) {
                        #runtime::set_output(__bt_fields, #shown);
                    }
                    #runtime::Some(#runtime::Clone::clone(__bt_value))
                }
                #runtime::Outcome::Error(__bt_error) => { #on_error; #runtime::None }
                #runtime::Outcome::Absent => #runtime::None,
            }
        },
        |__bt_values, __bt_fields| {
            use #runtime::by_reference::*;
            #output
        }
    }
}

/// The two arms of a result.
struct Arms<'a> {
    plan: &'a Plan,
}

impl<'a> Arms<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self { plan }
    }

    fn on_value(&self) -> TokenStream {
        let plan = self.plan;
        let runtime = &plan.runtime;
        let output = match &plan.record.output {
            Output::Nothing => hygienic!(let _ = (__bt_value, &mut *__bt_fields)),
            Output::Value => {
                let value = value(plan, &hygienic!(__bt_value));
                hygienic!(#runtime::set_output(__bt_fields, #value))
            }
            Output::Mapped(mapper) => mapped(plan, mapper, &hygienic!(__bt_value)),
        };
        let error_if = plan.record.error_if.as_ref().map(|condition| {
            let text = source_text(condition);
            apply(
                plan,
                condition,
                &hygienic!(__bt_value),
                |result| hygienic!(#runtime::set_error_if(__bt_fields, #result, #text)),
            )
        });
        hygienic!(#output; #error_if)
    }

    fn on_error(&self) -> TokenStream {
        let plan = self.plan;
        let runtime = &plan.runtime;
        match &plan.record.err {
            ErrorPolicy::Chain => {
                let failure = failure(plan, &hygienic!(__bt_error));
                hygienic!(#runtime::set_error(__bt_fields, #failure))
            }
            ErrorPolicy::Display => {
                hygienic!(#runtime::set_error_text(__bt_fields, #runtime::format_args!("{}", __bt_error)))
            }
            ErrorPolicy::Debug => {
                hygienic!(#runtime::set_error_text(__bt_fields, #runtime::format_args!("{:?}", __bt_error)))
            }
            ErrorPolicy::None => {
                let value = value(plan, &hygienic!(__bt_error));
                hygienic!(#runtime::set_output_error(__bt_fields, #value))
            }
            ErrorPolicy::Mapped(mapper) => apply(plan, mapper, &hygienic!(__bt_error), |result| {
                let value = value(plan, &hygienic!(&(#result)));
                hygienic!(#runtime::set_error_value(__bt_fields, #value))
            }),
        }
    }
}

fn mapped(plan: &Plan, mapper: &Mapper, argument: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    apply(plan, mapper, argument, |result| {
        let value = value(plan, &hygienic!(&(#result)));
        hygienic!(#runtime::set_output(__bt_fields, #value))
    })
}

/// Code that computes `mapper(argument)` and uses it.
///
/// A closure is taken apart rather than called: a closure that is called on the spot cannot infer its parameter, and
/// one that is passed to a function cannot return a borrow of it. With a return type that it names, it can do both.
fn apply(
    plan: &Plan,
    mapper: &Mapper,
    argument: &TokenStream,
    used: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    match mapper {
        Mapper::Path(path) => used(&hygienic!(#path(#argument))),
        Mapper::Closure(closure) if matches!(closure.output, syn::ReturnType::Type(..)) => {
            let runtime = &plan.runtime;
            used(&hygienic!(#runtime::apply(#closure, #argument)))
        }
        Mapper::Closure(closure) => {
            let (pattern, body) = (&closure.inputs[0], &closure.body);
            let used = used(&body.to_token_stream());
            match pattern {
                syn::Pat::Type(typed) => {
                    let (pattern, ty) = (&typed.pat, &typed.ty);
                    hygienic!({ let #pattern: #ty = #argument; #used })
                }
                pattern => hygienic!(match #argument { #pattern => #used }),
            }
        }
    }
}

fn source_text(mapper: &Mapper) -> String {
    match mapper {
        Mapper::Path(path) => path.to_token_stream().to_string(),
        Mapper::Closure(closure) => closure.to_token_stream().to_string(),
    }
}
