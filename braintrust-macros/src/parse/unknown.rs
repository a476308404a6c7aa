//! What to say to a word that is no option.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::{foreign, hiding};
use crate::kinds;
use crate::options::{NAMES, flags, usage};
use crate::suggest::{nearest, nearest_within};

/// The mistake of an option `key` that there is none of; `rest` is what follows it.
pub(super) fn option(key: &Ident, rest: ParseStream<'_>, is_first: bool) -> syn::Error {
    let name = key.unraw().to_string();
    let is_assigned = rest.peek(Token![=]);
    let is_list = rest.peek(syn::token::Paren);
    let instead = instead_of_option(&name, !is_assigned && !is_list).unwrap_or_else(|| all_options(&name, is_assigned));
    let mut message = format!("unknown option `{name}`{instead}");
    if message.contains('\n') && is_list && is_first {
        message += &format!("\na name that a function makes is written `name = {name}(...)`");
    }
    syn::Error::new(key.span(), message)
}

/// What to write instead of the option `name`, where that can be guessed.
fn instead_of_option(name: &str, is_lone: bool) -> Option<String> {
    let word = snake_case(name);
    let foreign = foreign::instead_of(&word);
    if let Some(kind) = kind(name).filter(|_| is_lone || foreign.is_none()) {
        return Some(format!(": the type of a span is `type = \"{kind}\"`"));
    }
    if let Some(instead) = foreign {
        return Some(format!(": {instead}"));
    }
    if let Some(option) = nearest(name, NAMES) {
        return Some(format!("; did you mean `{option}`?"));
    }
    hiding::is_meant_by(&word).then(|| format!("; {}", hiding::WAYS))
}

fn all_options(name: &str, is_assigned: bool) -> String {
    let all = NAMES.map(usage).join(", ");
    let own = if is_assigned { format!("\na value of your own is `metadata({name} = ...)`") } else { String::new() };
    format!("\noptions are {all}{own}")
}

/// What to say to a lone word in the first place that may not have been meant as a name, if it is one.
///
/// It can only have been meant as something that stands alone, or as the span's type.
pub(super) fn instead_of_name(name: &str, has_type: bool) -> Option<String> {
    if let Some(kind) = kind(name).filter(|_| !has_type) {
        return Some(format!(
            "`{name}` is a span type: write `type = \"{kind}\"` for a span of that type, and `\"{name}\"` or \
             `name = \"{name}\"` for a span of that name"
        ));
    }
    let word = snake_case(name);
    let instead = if let Some(instead) = foreign::instead_of_flag(&word) {
        format!(": {instead}")
    } else if let Some(flag) = nearest_within(name, flags(), edits_of_flag) {
        format!("; did you mean `{flag}`?")
    } else if hiding::is_meant_by(&word) {
        format!("; {}", hiding::WAYS)
    } else {
        return None;
    };
    Some(format!("unknown option `{name}`{instead}\n{}", in_quotes(name)))
}

/// How a word that is no name becomes one.
pub(super) fn in_quotes(name: &str) -> String {
    format!("a span of that name is written in quotes: `\"{name}\"`")
}

/// How many edits a lone word may be away from a flag with so many characters: none from `stream`, for `steam` is a name,
/// and some from those that hide something.
fn edits_of_flag(characters: usize) -> usize {
    if characters < "no_input".len() { 0 } else { 2 }
}

fn kind(word: &str) -> Option<&'static str> {
    kinds::names().find(|kind| word.eq_ignore_ascii_case(kind))
}

/// `skipInput` is `skip_input`, as other languages write it.
fn snake_case(word: &str) -> String {
    let mut snake = String::new();
    for c in word.chars() {
        if c.is_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_near_no_flag_are_names() {
        for name in ["page", "game", "make", "ship", "strip", "stage", "steam", "answer", "agent", "outptu", "kind"] {
            assert_eq!(instead_of_name(name, false), None);
        }
        assert_eq!(instead_of_name("tool", true), None);
    }

    #[test]
    fn words_that_may_be_meant_as_flags_are_no_names() {
        for (word, says) in [
            ("skp_all", "did you mean `skip_all`?"),
            ("noinput", "did you mean `no_input`?"),
            ("o_output", "did you mean `no_output`?"),
            ("skipInput", "`no_input`: no argument is recorded"),
            ("Sensitive", "`redact(a)`"),
            ("ret", "the result is recorded already"),
            ("Tool", "write `type = \"tool\"`"),
        ] {
            let message = instead_of_name(word, false).unwrap();
            assert!(message.contains(says), "{message}");
            assert!(message.contains(&format!("`\"{word}\"`")), "{message}");
        }
    }

    #[test]
    fn other_languages_write_words_in_one() {
        assert_eq!(snake_case("skipInput"), "skip_input");
        assert_eq!(snake_case("SpanType"), "span_type");
        assert_eq!(snake_case("no_input"), "no_input");
    }
}
