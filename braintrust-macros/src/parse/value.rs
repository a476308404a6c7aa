//! The values of the options: one function for each kind of value.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitStr, Path, Token, parenthesized};

use crate::kinds;
use crate::options::{Boxing, Entry, ErrorPolicy, Mapper};
use crate::suggest::did_you_mean;

/// The words that `err` understands besides a function.
const POLICIES: [&str; 4] = ["chain", "display", "debug", "none"];

pub(super) fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse()
}

/// The path of the facade.
pub(super) fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    if let Ok(literal) = input.fork().parse::<LitStr>() {
        let path = literal.value();
        return Err(syn::Error::new(literal.span(), format!("`crate` takes a path without quotes: `crate = {path}`")));
    }
    input.call(Path::parse_mod_style)
}

/// A span type: its variant in the runtime.
pub(super) fn kind(input: ParseStream<'_>) -> syn::Result<&'static str> {
    let word = input.fork().call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
    let literal: LitStr = input.parse().map_err(|error| {
        let example = kinds::names().find(|kind| word.eq_ignore_ascii_case(kind)).unwrap_or("llm");
        let message = format!("`type` must be a string literal, for example `type = \"{example}\"`");
        syn::Error::new(error.span(), message)
    })?;
    let name = literal.value();
    kinds::variant(&name).ok_or_else(|| {
        let hint = did_you_mean(&name, kinds::names());
        let all = kinds::names().collect::<Vec<_>>().join("`, `");
        syn::Error::new(literal.span(), format!("unknown span type `{name}`{hint}\nknown are `{all}`"))
    })
}

/// A list of parameters.
pub(super) fn parameters(name: &str, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let content;
    let parentheses = parenthesized!(content in input);
    if content.is_empty() {
        return Err(syn::Error::new(parentheses.span.join(), format!("`{name}()` lists no parameter")));
    }
    drained(&content, |content| Punctuated::<Ident, Token![,]>::parse_terminated_with(content, Ident::parse_any))
        .map(|list| list.into_iter().collect())
        .map_err(|error| {
            syn::Error::new(
                error.span(),
                format!("`{name}(...)` lists parameters by their plain names: `{name}(a, b)`"),
            )
        })
}

/// A list of expressions.
pub(super) fn expressions(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let content;
    parenthesized!(content in input);
    drained(&content, Punctuated::<Expr, Token![,]>::parse_terminated).map(|list| list.into_iter().collect())
}

/// A list of keys, with or without a value.
pub(super) fn entries(input: ParseStream<'_>) -> syn::Result<Vec<Entry>> {
    let content;
    parenthesized!(content in input);
    let list = drained(&content, |content| Punctuated::<Entry, Token![,]>::parse_terminated_with(content, entry))?;
    let mut entries: Vec<Entry> = Vec::new();
    for entry in list {
        if entries.iter().any(|earlier| earlier.key == entry.key) {
            return Err(syn::Error::new(entry.span, format!("duplicate metadata key `{}`", entry.key)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
    refuse_format(input)?;
    let (key, span, is_word) = if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        (literal.value(), literal.span(), false)
    } else {
        let word = input.call(Ident::parse_any)?;
        (word.unraw().to_string(), word.span(), true)
    };
    if !is_word && !input.peek(Token![=]) {
        return Err(syn::Error::new(span, format!("metadata key `{key}` needs a value: `\"{key}\" = ...`")));
    }
    let value = if input.parse::<Option<Token![=]>>()?.is_some() {
        refuse_format(input)?;
        Some(input.parse()?)
    } else {
        None
    };
    Ok(Entry { key, span, value })
}

/// `%value` and `?value` are what fields of `tracing` look like.
fn refuse_format(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![%]) || input.peek(Token![?]) {
        return Err(input.error(
            "`metadata` needs no `%` or `?`: a value is shown as JSON, or by its `Debug` or `Display` text; leave it out",
        ));
    }
    Ok(())
}

/// Reads the content of a group, and drops what is left of it after a mistake: the parser would complain about that a
/// second time.
fn drained<'a, T>(content: ParseStream<'a>, read: impl FnOnce(ParseStream<'a>) -> syn::Result<T>) -> syn::Result<T> {
    let done = read(content);
    if done.is_err() {
        let _ = content.parse::<proc_macro2::TokenStream>();
    }
    done
}

/// A closure with one parameter, or the path of a function.
pub(super) fn mapper(name: &str, input: ParseStream<'_>) -> syn::Result<Mapper> {
    mapper_from(name, input.parse()?)
}

fn mapper_from(name: &str, expression: Expr) -> syn::Result<Mapper> {
    match expression {
        Expr::Closure(closure) if closure.inputs.len() == 1 && closure.asyncness.is_none() => {
            Ok(Mapper::Closure(closure))
        }
        Expr::Path(_) => Ok(Mapper::Path(expression)),
        // A fragment of a `macro_rules` macro comes in invisible parentheses.
        Expr::Group(group) => mapper_from(name, *group.expr),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{name}` takes a closure with one parameter, or the path of a function{}", nothing_by(name)),
        )),
    }
}

/// The end of an error message: how the option says "nothing".
fn nothing_by(name: &str) -> &'static str {
    if name == "output" { "; `no_output` leaves the result out" } else { "" }
}

/// A policy's word, a closure, or the path of a function.
pub(super) fn error_policy(input: ParseStream<'_>) -> syn::Result<ErrorPolicy> {
    let ahead = input.fork();
    let word = ahead.parse::<Ident>().ok().filter(|_| ahead.is_empty() || ahead.peek(Token![,]));
    let policy = match word.as_ref().map(Ident::to_string).as_deref() {
        Some("chain") => ErrorPolicy::Chain,
        Some("display") => ErrorPolicy::Display,
        Some("debug") => ErrorPolicy::Debug,
        Some("none") => ErrorPolicy::None,
        Some(other) if let Some(policy) = POLICIES.iter().find(|policy| other.eq_ignore_ascii_case(policy)) => {
            let message = format!("`err = {other}` is written `err = {policy}`");
            return Err(syn::Error::new_spanned(word, message));
        }
        _ => return mapper("err", input).map(ErrorPolicy::Mapped).map_err(|error| with_policies(&error)),
    };
    input.parse::<Ident>()?;
    Ok(policy)
}

fn with_policies(error: &syn::Error) -> syn::Error {
    syn::Error::new(error.span(), format!("{error}, or one of `{}`", POLICIES.join("`, `")))
}

/// The kind of box, if one is named.
pub(super) fn boxing(input: ParseStream<'_>) -> syn::Result<Boxing> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(Boxing::Typed);
    }
    let literal: LitStr = input.parse()?;
    match literal.value().as_str() {
        "send" => Ok(Boxing::Send),
        "local" => Ok(Boxing::Local),
        other => {
            Err(syn::Error::new(literal.span(), format!("unknown `boxed` kind `{other}`; it is `send` or `local`")))
        }
    }
}
