//! What stands in the first place of the attribute: the name of the span, or an option.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::unknown;
use crate::options::{Form, NAMES, form, needed};

/// What the first tokens of an attribute are.
pub(super) enum First {
    /// A word that is the name.
    Word,
    /// Another expression that is the name.
    Expression,
    Option,
}

/// Looks at the first thing without taking it.
///
/// `skip_all`, `type = …` and `skip(…)` are options. `answer` is a name, unless it may have been meant as an option that
/// stands alone. `NAME` is a constant; `names::X` and `names::f(x)` are expressions. `f(x)` reads as an option, because
/// it looks like one: a function's name is `name = f(x)`.
///
/// # Errors
///
/// A lone word that is not safe to be taken as a name.
pub(super) fn look(input: ParseStream<'_>) -> syn::Result<First> {
    let ahead = input.fork();
    let Ok(word) = ahead.call(Ident::parse_any) else { return Ok(First::Expression) };
    let name = word.unraw().to_string();
    let is_lone = ahead.is_empty() || ahead.peek(Token![,]);
    let is_word = !["true", "false", "_"].contains(&name.as_str());
    if is_lone && is_word && !is_constant_name(&name) {
        return look_at_word(&word, &name, &ahead);
    }
    Ok(if starts_option(&name, input, &ahead) { First::Option } else { First::Expression })
}

fn look_at_word(word: &Ident, name: &str, rest: ParseStream<'_>) -> syn::Result<First> {
    let stands_alone = matches!(form(name), Form::Flag | Form::FlagOrValue);
    let refusal = if !NAMES.contains(&name) {
        unknown::instead_of_name(name, gives_type(rest))
    } else if stands_alone {
        return Ok(First::Option);
    } else {
        Some(format!("{}\n{}", needed(name), unknown::in_quotes(name)))
    };
    refusal.map_or(Ok(First::Word), |message| Err(syn::Error::new(word.span(), message)))
}

/// Whether something that is more than a word is an option; `rest` comes after its first word.
fn starts_option(name: &str, input: ParseStream<'_>, rest: ParseStream<'_>) -> bool {
    let is_assigned = rest.peek(Token![=]) && !rest.peek(Token![==]);
    let is_path_or_more = rest.peek(Token![::]) || rest.peek(Token![.]) || rest.peek(Token![!]);
    is_assigned
        || NAMES.contains(&name) && !is_path_or_more
        || is_call(rest) && !is_fragment(input)
        || rest.peek(Ident::peek_any)
}

/// Whether all that follows a word, up to a comma, is something in parentheses.
fn is_call(rest: ParseStream<'_>) -> bool {
    let Some((_, _, after)) = rest.cursor().group(Delimiter::Parenthesis) else { return false };
    after.punct().is_none_or(|(punct, _)| punct.as_char() == ',')
}

/// Whether an expression comes from a `macro_rules` macro, in invisible parentheses. It can be nothing but a name.
fn is_fragment(input: ParseStream<'_>) -> bool {
    input.cursor().group(Delimiter::None).is_some()
}

/// Whether one of the options is `type = …`.
fn gives_type(rest: ParseStream<'_>) -> bool {
    let tokens: Vec<TokenTree> = rest.fork().parse::<TokenStream>().unwrap_or_default().into_iter().collect();
    tokens.windows(2).any(|pair| match pair {
        [TokenTree::Ident(key), TokenTree::Punct(punct)] => key.unraw() == "type" && punct.as_char() == '=',
        _ => false,
    })
}

fn is_constant_name(word: &str) -> bool {
    word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase)
}
