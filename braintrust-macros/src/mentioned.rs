//! Which words the attribute's expressions mention: any of them may be an argument.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use crate::model::is_format;
use crate::options::{Name, Options};

/// Every word in the expressions that are evaluated before the body, and in the placeholders of format strings.
pub(crate) fn in_expressions(options: &Options) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    match options.name.as_ref().map(|given| &given.value) {
        Some(Name::Literal(literal)) if is_format(literal) => collect(literal.to_token_stream(), &mut words),
        Some(Name::Expression(expression)) => collect(expression.to_token_stream(), &mut words),
        _ => {}
    }
    let expressions = [&options.input, &options.parent, &options.logger, &options.project];
    for expression in expressions.into_iter().flatten() {
        collect(expression.value.to_token_stream(), &mut words);
    }
    for entry in options.metadata.iter().flat_map(|given| &given.value) {
        match &entry.value {
            Some(expression) => collect(expression.to_token_stream(), &mut words),
            None => drop(words.insert(entry.key.clone())),
        }
    }
    for expression in options.tags.iter().flat_map(|given| &given.value) {
        collect(expression.to_token_stream(), &mut words);
    }
    words
}

fn collect(tokens: TokenStream, words: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => drop(words.insert(syn::ext::IdentExt::unraw(&word).to_string())),
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Literal(literal) => words.extend(placeholders(&literal.to_string())),
            TokenTree::Punct(_) => {}
        }
    }
}

/// The words after opening braces, and after the dollar-terminated widths and precisions, in case this is a format
/// string.
fn placeholders(literal: &str) -> Vec<String> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut words = Vec::new();
    for part in literal.split('{').skip(1) {
        let inside = part.split('}').next().unwrap_or_default();
        words.extend(inside.split(|character| !is_word(character)).filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found() {
        assert_eq!(placeholders(r#""a {b:>width$} {c} d""#), ["b", "width", "c"]);
        assert!(placeholders(r#""plain""#).is_empty());
    }
}
