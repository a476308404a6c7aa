//! First stage: the attribute's tokens become [`Options`]. After a mistake it goes on with the next option.

mod first;
mod foreign;
mod hiding;
mod unknown;
mod value;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token};

use crate::errors::Errors;
use crate::options::{Form, Given, NAMES, Name, Options, form, needed};
use first::First;

/// Reads the tokens between the attribute's parentheses.
pub(crate) fn parse(attribute: TokenStream, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    let read_all = |input: ParseStream<'_>| {
        read_options(input, &mut options, errors);
        Ok(())
    };
    if let Err(error) = read_all.parse2(attribute) {
        errors.add(error);
    }
    options
}

fn read_options(input: ParseStream<'_>, options: &mut Options, errors: &mut Errors) {
    let mut is_first = true;
    while !input.is_empty() {
        let read = if is_first { read_first(input, options) } else { read_option(input, options, false) };
        is_first = false;
        let separated =
            read.and_then(|()| if input.is_empty() { Ok(()) } else { input.parse::<Token![,]>().map(drop) });
        if let Err(error) = separated {
            errors.add(error);
            skip_to_next_option(input);
        }
    }
}

/// Drops what is left of an option that could not be read, and the comma after it.
fn skip_to_next_option(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.parse::<Option<Token![,]>>().is_ok_and(|comma| comma.is_some()) {
            return;
        }
        // Any token tree will do; a group counts as one, with all that is in it.
        let _ = input.parse::<proc_macro2::TokenTree>();
    }
}

fn read_first(input: ParseStream<'_>, options: &mut Options) -> syn::Result<()> {
    let name = match first::look(input)? {
        First::Option => return read_option(input, options, true),
        First::Word => Name::Word(input.call(Ident::parse_any)?),
        First::Expression => read_name(input)?,
    };
    let key = Ident::new("name", proc_macro2::Span::call_site());
    options.name = Some(Given { key, value: name });
    Ok(())
}

/// A name that was written as a literal or an expression.
fn read_name(input: ParseStream<'_>) -> syn::Result<Name> {
    match input.parse::<Expr>()? {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) if literal.value().is_empty() => {
            Err(syn::Error::new(literal.span(), "span name must not be empty"))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Ok(Name::Literal(literal)),
        Expr::Lit(other) => {
            Err(syn::Error::new_spanned(other, "span name must be a string literal or a `&str`/`String` expression"))
        }
        expression => Ok(Name::Expression(expression)),
    }
}

fn read_option(input: ParseStream<'_>, options: &mut Options, is_first: bool) -> syn::Result<()> {
    if input.peek(LitStr) {
        return Err(input.error("the span name must come first; write it as `name = ...` here"));
    }
    let key = input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), "expected an option"))?;
    let name = key.unraw().to_string();
    if !NAMES.contains(&name.as_str()) {
        return Err(unknown::option(&key, input, is_first));
    }
    check_form(&name, &key, input)?;
    read_value(&name, key, input, options)
}

/// Checks that what follows the option's name is what this option wants.
fn check_form(name: &str, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let has_value = input.peek(Token![=]);
    let has_list = input.peek(syn::token::Paren);
    let problem = match form(name) {
        Form::Flag if has_value || has_list => {
            format!("`{name}` is a flag and takes no value; write `{name}` alone, or leave it out")
        }
        Form::Value if !has_value => needed(name),
        Form::List if !has_list => needed(name),
        Form::FlagOrValue if has_list => format!("`{name}` takes no list: `{name}` or `{name} = ...`"),
        _ => return Ok(()),
    };
    Err(syn::Error::new(key.span(), problem))
}

fn read_value(name: &str, key: Ident, input: ParseStream<'_>, options: &mut Options) -> syn::Result<()> {
    match name {
        "name" => set(&mut options.name, key, after_equals(input, read_name)?),
        "type" => set(&mut options.kind, key, after_equals(input, value::kind)?),
        "input" => set(&mut options.input, key, after_equals(input, value::expression)?),
        "no_input" => set(&mut options.no_input, key, ()),
        "skip" => set(&mut options.skip, key, value::parameters(name, input)?),
        "skip_all" => set(&mut options.skip_all, key, ()),
        "capture" => set(&mut options.capture, key, value::parameters(name, input)?),
        "redact" => set(&mut options.redact, key, value::parameters(name, input)?),
        "output" => set(&mut options.output, key, after_equals(input, |input| value::mapper(name, input))?),
        "no_output" => set(&mut options.no_output, key, ()),
        "metadata" => set(&mut options.metadata, key, value::entries(input)?),
        "tags" => set(&mut options.tags, key, value::expressions(input)?),
        "parent" => set(&mut options.parent, key, after_equals(input, value::expression)?),
        "logger" => set(&mut options.logger, key, after_equals(input, value::expression)?),
        "project" => set(&mut options.project, key, after_equals(input, value::expression)?),
        "err" => set(&mut options.err, key, after_equals(input, value::error_policy)?),
        "error_if" => set(&mut options.error_if, key, after_equals(input, |input| value::mapper(name, input))?),
        "stream" => set(&mut options.stream, key, ()),
        "aggregate" => set(&mut options.aggregate, key, after_equals(input, |input| value::mapper(name, input))?),
        "boxed" => set(&mut options.boxed, key, value::boxing(input)?),
        _ => set(&mut options.facade, key, after_equals(input, value::path)?),
    }
}

fn after_equals<T>(input: ParseStream<'_>, read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    read(input)
}

fn set<T>(slot: &mut Option<Given<T>>, key: Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        let name = key.unraw();
        return Err(syn::Error::new(key.span(), format!("duplicate `{name}`; it may be given only once")));
    }
    *slot = Some(Given { key, value });
    Ok(())
}
