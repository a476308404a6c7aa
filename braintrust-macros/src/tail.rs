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
        let begin = before.iter().rposition(is_semicolon).map_or(0, |semicolon| semicolon + 1);
        // Blocks stand before it without a semicolon.
        let block = before[begin..].windows(2).rposition(|pair| ends_statement(&pair[0]) && begins_statement(&pair[1]));
        let tokens = before.split_off(begin + block.map_or(0, |block| block + 1));
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

fn ends_statement(token: &TokenTree) -> bool {
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
