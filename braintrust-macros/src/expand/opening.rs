//! What happens before the body: a span is opened, with its parent, name, input and metadata, in this order.

use proc_macro2::{Ident, TokenStream};
use syn::Pat;
use syn::visit::Visit;

use super::record::value;
use super::{hygienic, reference};
use crate::model::{Argument, Input, Opening, Plan};
use crate::params::Opened;
use crate::pattern::{Names, by_reference};

/// An expression of the type `Option<Context>`: the span's context, or nothing if no one listens.
/// `enabled` is an expression that says whether there may be one.
pub(super) fn expand(plan: &Plan, enabled: &TokenStream) -> TokenStream {
    let runtime = &plan.runtime;
    let callsite = callsite(plan);
    let started = match simple_arguments(&plan.opening) {
        Some(arguments) => {
            let arguments = list(plan, arguments);
            hygienic!(#runtime::start(&__BT_CALLSITE, #arguments))
        }
        None => step_by_step(plan),
    };
    let opened = opened(plan);
    hygienic!({
        use #runtime::by_reference::*;
        #callsite
        if #enabled { #opened #started } else { #runtime::None }
    })
}

/// Binds the arguments that are parts of a parameter which the body takes over as a whole.
fn opened(plan: &Plan) -> TokenStream {
    let Input::Arguments(arguments) = &plan.opening.input else { return TokenStream::new() };
    let is_wanted = |name: &Ident| arguments.iter().any(|argument| argument.value.as_ref() == Some(name));
    let is_wanted_of = |pattern: &Pat| {
        let mut names = Names::default();
        names.visit_pat(pattern);
        names.0.iter().any(is_wanted)
    };
    plan.parts
        .parameters
        .opened
        .iter()
        .filter(|opened| is_wanted_of(&opened.pattern))
        .map(|Opened { whole, pattern, conditions }| {
            let pattern = by_reference(pattern, is_wanted);
            hygienic!(#(#conditions)* let #pattern = &#whole;)
        })
        .collect()
}

/// The arguments, if they are all that the span is given: one call does it then.
fn simple_arguments(opening: &Opening) -> Option<&[Argument]> {
    let Opening { name: None, format: None, parent: None, logger: None, project: None, .. } = opening else {
        return None;
    };
    match &opening.input {
        _ if !opening.metadata.is_empty() || !opening.tags.is_empty() => None,
        Input::Nothing => Some(&[]),
        Input::Arguments(arguments) => Some(arguments),
        Input::Value(_) => None,
    }
}

fn callsite(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    let (name, function) = (&plan.callsite.name, &plan.callsite.function);
    let kind = proc_macro2::Ident::new(plan.callsite.kind, proc_macro2::Span::mixed_site());
    hygienic! {
        static __BT_CALLSITE: #runtime::Callsite = #runtime::Callsite::new(
            #name,
            #runtime::SpanType::#kind,
            ::core::file!(),
            ::core::line!(),
            ::core::concat!(::core::module_path!(), "::", #function),
        );
    }
}

/// Keys and values of arguments, erased.
fn list(plan: &Plan, arguments: &[Argument]) -> TokenStream {
    let entries = arguments.iter().map(|Argument { key, value: name, is_reference, conditions }| {
        let value = match name {
            Some(name) if *is_reference => value(plan, &hygienic!(#name)),
            Some(name) => value(plan, &hygienic!(&#name)),
            None => redacted(plan),
        };
        hygienic!(#(#conditions)* (#key, #value))
    });
    hygienic!(&[#(#entries),*])
}

fn redacted(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    hygienic!(#runtime::Captured::redacted())
}

/// One statement for each thing that the span is given. None of them runs when no one listens, and a panic in one of them
/// goes no further: they stand in a closure.
fn step_by_step(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    let opening = &plan.opening;
    let parent = parent(plan);
    let logger = logger(plan);
    let name = name(plan);
    let input = match &opening.input {
        Input::Nothing => None,
        Input::Value(expression) => {
            let value = value(plan, &reference(expression));
            Some(hygienic!(#runtime::set_input(__bt_opening, #value);))
        }
        Input::Arguments(arguments) => {
            let arguments = list(plan, arguments);
            Some(hygienic!(#runtime::set_arguments(__bt_opening, #arguments);))
        }
    };
    let metadata = (!opening.metadata.is_empty()).then(|| {
        let entries = opening.metadata.iter().map(|(key, expression)| {
            let value = value(plan, &reference(expression));
            hygienic!((#key, #value))
        });
        hygienic!(#runtime::set_metadata(__bt_opening, &[#(#entries),*]);)
    });
    let tags = (!opening.tags.is_empty()).then(|| {
        let tags = opening.tags.iter().map(|expression| value(plan, &reference(expression)));
        hygienic!(#runtime::set_tags(__bt_opening, &[#(#tags),*]);)
    });
    hygienic! {
        match #runtime::open(&__BT_CALLSITE, #parent, #logger) {
            #runtime::Some(mut __bt_opening) => {
                #runtime::prepare(&mut __bt_opening, |__bt_opening| { #name #input #metadata #tags });
                #runtime::Some(#runtime::Opening::start(__bt_opening))
            }
            #runtime::None => #runtime::None,
        }
    }
}

fn name(plan: &Plan) -> Option<TokenStream> {
    let runtime = &plan.runtime;
    let name = match (&plan.opening.format, &plan.opening.name) {
        (Some(format), _) => hygienic!(&#runtime::format!(#format)),
        (None, Some(expression)) => reference(expression),
        (None, None) => return None,
    };
    Some(hygienic!(#runtime::set_name(__bt_opening, #name);))
}

fn parent(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    match &plan.opening.parent {
        Some(expression) => {
            let parent = reference(expression);
            hygienic!(#runtime::place(|| #runtime::parent(#parent)))
        }
        None => hygienic!(#runtime::None),
    }
}

fn logger(plan: &Plan) -> TokenStream {
    let runtime = &plan.runtime;
    match (&plan.opening.logger, &plan.opening.project) {
        (Some(expression), _) => {
            let logger = reference(expression);
            hygienic!(#runtime::Some(#logger))
        }
        (None, Some(expression)) => {
            let key = reference(expression);
            hygienic!(#runtime::Option::as_ref(&#runtime::project(#key)))
        }
        (None, None) => hygienic!(#runtime::None),
    }
}
