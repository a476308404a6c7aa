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
    let decorated = length_of_decoration(statements);
    let statement = &statements[decorated..];
    if !begins_with_block(statement) {
        return None;
    }
    let has_head = statement.first().is_some_and(|first| is_word(first, &["if", "match", "while", "for"]));
    let mut blocks = (0..statement.len()).filter(|place| {
        is_block(&statement[*place]) && !(has_head && statement[..*place].last().is_some_and(expects_value))
    });
    let block = blocks.find(|block| !statement.get(block + 1).is_some_and(|next| is_word(next, &["else"])))?;
    let next = statement.get(block + 1)?;
    (!is_punct(next, '.') && !is_punct(next, '?')).then_some(decorated + block + 1)
}

/// How many tokens are attributes and the label of a statement.
fn length_of_decoration(statement: &[TokenTree]) -> usize {
    match statement {
        [hash, TokenTree::Group(_), others @ ..] if is_punct(hash, '#') => 2 + length_of_decoration(others),
        [quote, TokenTree::Ident(_), colon, ..] if is_punct(quote, '\'') && is_punct(colon, ':') => 3,
        _ => 0,
    }
}

/// Whether a block after this token is a value, as in `if unsafe { … } == { … } { … }`, where only the last is the body.
fn expects_value(token: &TokenTree) -> bool {
    const WORDS: [&str; 11] =
        ["if", "match", "while", "in", "unsafe", "const", "async", "move", "loop", "return", "break"];
    is_word(token, &WORDS) || matches!(token, TokenTree::Punct(_)) && !is_punct(token, '?')
}

/// Whether a statement that begins like this needs no semicolon.
fn begins_with_block(statement: &[TokenTree]) -> bool {
    let [first, others @ ..] = statement else { return false };
    let is_followed_by = |words: &[&str]| others.first().is_some_and(|next| is_word(next, words));
    is_block(first)
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

    #[test]
    fn what_is_returned_is_the_last_expression() {
        for (before, last) in [
            (
                quote!(),
                quote!(|a| match a {
                    _ => b,
                } || c),
            ),
            (quote!(f();), quote!(unsafe { b() }.map(|a| a))),
            (quote!({ b() }), quote!((|a| a, 1))),
            (
                quote!(
                    #[inline]
                    fn f() -> Vec<u8> {}
                    struct A {}
                ),
                quote!((|a| a, 1)),
            ),
            (
                quote!(if b {
                    c()
                } else if unsafe { d() } == { e } {
                    f()
                } else {
                }),
                quote!(&|a| a),
            ),
            (quote!('a: loop {} for a in { b } {}), quote!([|a| a])),
            (quote!(log::info! { "b" } macro_rules! c { () => {} }), quote!(|a| a)),
        ] {
            let returned = tail(quote!(#before #last)).returned().to_string();
            assert_eq!(returned, quote!(#before return #last).to_string());
        }
    }
}
