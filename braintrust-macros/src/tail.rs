//! What a body ends with, as far as its tokens show.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The last statement of a body, or its last expression.
pub(crate) struct Tail {
    before: Vec<TokenTree>,
    tokens: Vec<TokenTree>,
    /// Whether a semicolon follows.
    is_statement: bool,
}

impl Tail {
    pub(crate) fn of(body: &Group) -> Self {
        let mut before: Vec<TokenTree> = body.stream().into_iter().collect();
        let is_semicolon = |token: &TokenTree| is_punct(token, ';');
        let end = before.iter().rposition(|token| !is_semicolon(token)).map_or(0, |last| last + 1);
        let is_statement = before.len() > end;
        before.truncate(end);
        let mut begin = before.iter().rposition(is_semicolon).map_or(0, |semicolon| semicolon + 1);
        // Blocks stand before it without a semicolon.
        while let Some(length) = length_of_block(&before[begin..]) {
            begin += length;
        }
        let tokens = before.split_off(begin);
        Self { before, tokens, is_statement }
    }

    /// The body's tokens, with `return` before the last expression.
    pub(crate) fn returned(self) -> TokenStream {
        let returned = TokenTree::Ident(Ident::new("return", Span::mixed_site()));
        self.before.into_iter().chain([returned]).chain(self.tokens).collect()
    }

    /// Whether it visibly leaves the function: whatever comes after such a body is unreachable.
    pub(crate) fn diverges(&self) -> bool {
        self.begins_with(&["return", "loop"])
            || self.macro_name().is_some_and(|name| {
                ["panic", "todo", "unimplemented", "unreachable"].iter().any(|diverging| name == *diverging)
            })
    }

    /// Whether it visibly is a closure, or another is returned before it.
    pub(crate) fn is_closure(&self) -> bool {
        self.is_closure_itself() || returns_closure(&self.before) || returns_closure(&self.tokens)
    }

    fn is_closure_itself(&self) -> bool {
        let is_before = |token: &TokenTree| is_word(token, &["async", "move", "return", "static"]);
        self.tokens.iter().find(|token| !is_before(token)).is_some_and(|first| is_punct(first, '|'))
    }

    /// Whether it may have a closure in it that learns its parameters from the function's signature. Those in a `match` or
    /// an `if` don't, and those after `return` do in any case.
    pub(crate) fn may_learn_its_type(&self) -> bool {
        if self.is_statement {
            return false;
        }
        let is_passed_on = !self.begins_with(&["return", "loop", "match", "if", "while", "for"]);
        self.is_closure_itself() && !self.begins_with(&["return"])
            || is_passed_on && !self.diverges() && (self.macro_name().is_some() || mentions_closure(&self.tokens))
    }

    fn begins_with(&self, words: &[&str]) -> bool {
        self.tokens.first().is_some_and(|first| is_word(first, words))
    }

    /// The name of the macro that it is a call of.
    fn macro_name(&self) -> Option<String> {
        match self.tokens.as_slice() {
            [.., TokenTree::Ident(name), bang, TokenTree::Group(_)] if is_punct(bang, '!') => Some(name.to_string()),
            _ => None,
        }
    }
}

/// How many tokens the first of some statements has, if it ends with a block, and another follows. (Within other
/// statements a block ends nothing: what follows it in `|a| match a { … } || b` belongs to the closure.)
fn length_of_block(statements: &[TokenTree]) -> Option<usize> {
    let is_end = |pair: &[TokenTree]| is_block(&pair[0]) && begins_statement(&pair[1]);
    begins_with_block(statements).then(|| statements.windows(2).position(is_end).map(|end| end + 1)).flatten()
}

/// Whether a statement that begins like this needs no semicolon.
fn begins_with_block(statement: &[TokenTree]) -> bool {
    let [first, others @ ..] = statement else { return false };
    if is_punct(first, '#') {
        return others.split_first().is_some_and(|(_attribute, others)| begins_with_block(others));
    }
    let is_followed_by = |words: &[&str]| others.first().is_some_and(|next| is_word(next, words));
    is_block(first)
        || is_punct(first, '\'')
        || is_word(first, &["if", "match", "loop", "while", "for", "unsafe", "const", "fn", "struct", "enum", "trait"])
        || is_word(first, &["impl", "mod", "extern", "pub"])
        || is_word(first, &["async"]) && is_followed_by(&["fn", "unsafe", "extern"])
        || is_macro_with_block(statement)
}

/// Whether it begins with `path::name! { … }`.
fn is_macro_with_block(statement: &[TokenTree]) -> bool {
    let Some(block) = statement.iter().position(is_block) else { return false };
    let is_path = |token: &TokenTree| {
        matches!(token, TokenTree::Ident(_)) && !is_word(token, &["return"]) || is_punct(token, ':')
    };
    let Some(bang) = statement[..block].iter().position(|token| !is_path(token)) else { return false };
    // `macro_rules! name { … }` has one more word.
    bang > 0 && is_punct(&statement[bang], '!') && block - bang <= 2
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn begins_statement(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => !is_word(token, &["as", "else"]),
        token => is_punct(token, '|'),
    }
}

fn is_word(token: &TokenTree, words: &[&str]) -> bool {
    matches!(token, TokenTree::Ident(ident) if words.iter().any(|word| ident == word))
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn returns_closure(tokens: &[TokenTree]) -> bool {
    let is_return = |token: &TokenTree| is_word(token, &["return"]);
    let is_closure = |rest: &[TokenTree]| {
        rest.iter().find(|token| !is_word(token, &["async", "move"])).is_some_and(|first| is_punct(first, '|'))
    };
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Group(group) => returns_closure(&group.stream().into_iter().collect::<Vec<_>>()),
        token => is_return(token) && is_closure(&tokens[index + 1..]),
    })
}

fn mentions_closure(tokens: &[TokenTree]) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Group(group) => mentions_closure(&group.stream().into_iter().collect::<Vec<_>>()),
        token => is_punct(token, '|'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn tail(body: TokenStream) -> Tail {
        Tail::of(&Group::new(Delimiter::Brace, body))
    }

    #[test]
    fn bodies_that_never_reach_their_end_are_seen() {
        for body in [
            quote!(let a = 1; std::panic!("{a}")),
            quote!(todo!();),
            quote!(return 1;),
            quote!(loop {}),
            quote!(if a { b() } return 1;),
        ] {
            assert!(tail(body.clone()).diverges(), "{body}");
        }
        for body in [
            quote!(if a { return 1; } 2),
            quote!(if a {
                return 1;
            } else {
                2
            }),
            quote!(),
            quote!(vec![1]),
        ] {
            assert!(!tail(body.clone()).diverges(), "{body}");
        }
    }

    #[test]
    fn closures_are_seen() {
        for body in [
            quote!(|a| a),
            quote!(let b = 1; move |a| a + b),
            quote!(
                if b {
                    return c;
                } | a
                    | a
            ),
            quote!(async move |a| a),
            quote!(return |a| a;),
            quote!(|| 1),
            quote!(if b { return move |a| a; } panic!()),
            quote!(move |a| match a {
                1 => true,
                _ => false,
            } || b),
            quote!(|a| unsafe { f(a) } | b),
            quote!(log! { "{}", b } | a | a),
            quote!(#[inline] fn f() {} if b { f() } 'l: loop { break 'l } |a| a),
        ] {
            assert!(tail(body.clone()).is_closure(), "{body}");
        }
        for body in [quote!(), quote!(a | b), quote!(f(|a| a)), quote!(let f = |a| a; f), quote!(a.map(|b| b))] {
            assert!(!tail(body.clone()).is_closure(), "{body}");
        }
    }

    #[test]
    fn expressions_that_learn_their_type_are_seen() {
        for body in [
            quote!(|a| a),
            quote!((|a| a, 1)),
            quote!(unsafe { |a| a }),
            quote!(function!()),
            quote!(
                if b {
                    return c;
                } | a
                    | a
            ),
        ] {
            assert!(tail(body.clone()).may_learn_its_type(), "{body}");
        }
        for body in [
            quote!(),
            quote!(a),
            quote!(return |a| a;),
            quote!(panic!()),
            quote!(match a {
                b => return |a| a,
            }),
        ] {
            assert!(!tail(body.clone()).may_learn_its_type(), "{body}");
        }
    }
}
