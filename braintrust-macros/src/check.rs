//! Third stage: every rule about options, and about options and functions. All violations are reported at once.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Signature};

use crate::errors::Errors;
use crate::item::Function;
use crate::options::{Given, Name, Options};
use crate::params;
use crate::shape::Shape;
use crate::suggest::nearest;

/// Adds what is wrong with the options by themselves.
pub(crate) fn check_options(options: &Options, errors: &mut Errors) {
    if let (Some(_), Some(all)) = (&options.skip, &options.skip_all) {
        errors.at(&all.key, "`skip(...)` has no effect together with `skip_all`; remove one of them");
    }
    conflict(
        options.no_input.as_ref(),
        options.input.as_ref(),
        "`no_input` conflicts with `input = ...`; remove one of them",
        errors,
    );
    conflict(
        options.no_output.as_ref(),
        options.output.as_ref(),
        "`no_output` conflicts with `output = ...`; remove one of them",
        errors,
    );
    conflict(
        options.parent.as_ref(),
        options.logger.as_ref(),
        "`logger` is only used without a parent; remove one of them",
        errors,
    );
    conflict(
        options.project.as_ref(),
        options.logger.as_ref(),
        "`logger` and `project` both say where the span goes; remove one of them",
        errors,
    );
    conflict(
        options.capture.as_ref(),
        options.skip.as_ref(),
        "`capture(...)` lists what is shown, so `skip(...)` has no effect; remove one of them",
        errors,
    );
    conflict(
        options.capture.as_ref(),
        options.skip_all.as_ref(),
        "`capture(...)` conflicts with `skip_all`; remove one of them",
        errors,
    );
    for (list, name) in [(&options.skip, "skip"), (&options.capture, "capture"), (&options.redact, "redact")] {
        conflict(
            options.no_input.as_ref(),
            list.as_ref(),
            format!("`no_input` leaves `{name}(...)` nothing to do; remove one of them"),
            errors,
        );
        conflict(
            options.input.as_ref(),
            list.as_ref(),
            format!("`input = ...` leaves `{name}(...)` nothing to do; remove one of them"),
            errors,
        );
    }
    if let (Some(aggregate), None) = (&options.aggregate, &options.stream) {
        errors.at(&aggregate.key, "`aggregate` needs the `stream` flag: `stream, aggregate = ...`");
    }
    conflict(
        options.output.as_ref(),
        options.aggregate.as_ref(),
        "`aggregate` makes the output of a stream; `output = ...` has no effect beside it; remove one of them",
        errors,
    );
    both_skipped_and_redacted(options, errors);
}

/// Two options that exclude each other; the mistake is shown at the second.
fn conflict<A, B>(
    first: Option<&Given<A>>,
    second: Option<&Given<B>>,
    message: impl std::fmt::Display,
    errors: &mut Errors,
) {
    if let (Some(_), Some(second)) = (first, second) {
        errors.at(&second.key, message);
    }
}

fn both_skipped_and_redacted(options: &Options, errors: &mut Errors) {
    let (Some(skip), Some(redact)) = (&options.skip, &options.redact) else { return };
    for name in &redact.value {
        if skip.value.contains(name) {
            errors.at(name, format!("`{name}` is both skipped and redacted; remove it from one of them"));
        }
    }
}

/// Adds what is wrong with the function, and with the options for this function.
pub(crate) fn check_function(options: &Options, function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.at(
            constness,
            "`const fn` cannot be traced: a span needs the clock and the allocator; remove `const`, or trace a function \
             that calls this one",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic.dots,
            "a C-variadic function cannot be traced: its arguments cannot be passed on; trace a function that calls this one",
        );
    }
    check_names(options, signature, errors);
    let shape = Shape::of(signature, &function.body.block, &function.attributes, options.stream.is_some());
    if let Some(boxed) = &options.boxed
        && shape != Shape::Async
    {
        errors.at(&boxed.key, "`boxed` applies to async functions only");
    }
    if let Some(stream) = &options.stream {
        check_stream(&stream.key, shape, errors);
    }
    if let Shape::Inline | Shape::InlineFunction = shape {
        check_inline(options, shape, errors);
    }
    check_second_attribute(&function.attributes, errors);
}

fn check_stream(key: &Ident, shape: Shape, errors: &mut Errors) {
    match shape {
        Shape::Async | Shape::AsyncTrait => {
            errors.at(key, "`stream` applies to functions that return a stream, not to `async fn`");
        }
        Shape::Sync | Shape::Future | Shape::InlineFunction => {
            errors.at(key, "`stream` applies to functions that return a stream; this return type is none");
        }
        Shape::Inline | Shape::Stream | Shape::SurelyStream | Shape::Unclear => {}
    }
}

/// The body of such a function stays where it is, and an early return passes by whatever comes after it.
fn check_inline(options: &Options, shape: Shape, errors: &mut Errors) {
    let (what, why) = if shape == Shape::Inline {
        (
            "a `#[track_caller]` function",
            "what it returns early is not seen; use it on a function without that attribute, which this one calls",
        )
    } else {
        ("a function that returns a function", "nothing is recorded of that; leave it out")
    };
    let keys = [
        options.output.as_ref().map(|given| &given.key),
        options.err.as_ref().map(|given| &given.key),
        options.error_if.as_ref().map(|given| &given.key),
        options.stream.as_ref().map(|given| &given.key),
    ];
    for key in keys.into_iter().flatten() {
        errors.at(key, format!("`{key}` cannot be used on {what}: {why}"));
    }
}

/// `#[traced]` twice without a name makes two spans of the same name, which nobody wants; with names it is fine.
fn check_second_attribute(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        let is_bare = matches!(attribute.meta, syn::Meta::Path(_));
        if is_bare && attribute.path().segments.last().is_some_and(|segment| segment.ident == "traced") {
            errors.at(attribute, "`#[traced]` is already on this function; give each a name, or remove one of them");
        }
    }
}

/// Checks that every name in a list is one of a parameter.
fn check_names(options: &Options, signature: &Signature, errors: &mut Errors) {
    let mut inputs = signature.inputs.clone();
    let parameters = params::take_apart(&mut inputs, &BTreeSet::new());
    let mut known: Vec<String> = parameters.bindings.iter().map(params::Binding::key).collect();
    if parameters.receiver.is_some() {
        known.push("self".to_owned());
    }
    let function = signature.ident.unraw().to_string();
    let mut check = |list: &str, name: &str, span: Span| {
        if !known.iter().any(|parameter| parameter == name) && !is_hidden(&signature.inputs) {
            let hint = nearest(name, known.iter().map(String::as_str))
                .map_or_else(|| listed(&known), |parameter| format!("; did you mean `{parameter}`?"));
            let message = format!("`{list}` names `{name}`, which is not a parameter of `{function}`{hint}");
            errors.add(syn::Error::new(span, message));
        }
    };
    for (list, name) in [(&options.skip, "skip"), (&options.capture, "capture"), (&options.redact, "redact")] {
        for listed in list.iter().flat_map(|given| &given.value) {
            check(name, &listed.unraw().to_string(), listed.span());
        }
    }
    for entry in options.metadata.iter().flat_map(|given| &given.value) {
        if entry.value.is_none() {
            check("metadata", &entry.key, entry.span);
        }
    }
    if let Some(Name::Word(word)) = options.name.as_ref().map(|given| &given.value) {
        check_word(word, &known, &function, errors);
    }
}

/// A parameter's name alone may be meant in several ways, one of which is to hide it.
fn check_word(word: &Ident, parameters: &[String], function: &str, errors: &mut Errors) {
    let name = word.unraw().to_string();
    if parameters.contains(&name) {
        let message = format!(
            "`{name}` is a parameter of `{function}`: write `\"{name}\"` for a span of that name, `\"{{{name}}}\"` for a \
             name with its value, and `skip({name})` to leave it out of the input"
        );
        errors.add(syn::Error::new(word.span(), message));
    }
}

/// The end of an error message: what parameters there are.
fn listed(parameters: &[String]) -> String {
    match parameters {
        [] => "; it has none".to_owned(),
        [only] => format!("; its only one is `{only}`"),
        several => format!("; its parameters are `{}`", several.join("`, `")),
    }
}

/// Whether another macro has moved patterns from the parameters into the body, as `#[async_trait]` does.
fn is_hidden(inputs: &syn::punctuated::Punctuated<FnArg, syn::Token![,]>) -> bool {
    inputs.iter().any(|input| match input {
        FnArg::Typed(parameter) => {
            matches!(&*parameter.pat, syn::Pat::Ident(name) if name.ident.to_string().starts_with("__"))
        }
        FnArg::Receiver(_) => false,
    })
}
