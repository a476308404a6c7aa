//! Methods that `#[async_trait]` has rewritten before `#[traced]` sees them.
//!
//! What was `async fn m(&self, (a, b): Pair) -> R { BODY }` arrives as a plain function with the lifetime
//! `'async_trait`, whose body is `Box::pin(async move { PROLOGUE BODY })`. The prologue moves the arguments in
//! (`let __self = self; let (a, b) = { let __arg1 = __arg1; __arg1 };`), so of arguments with a pattern the names that
//! the user wrote are bound by its statements. Others keep their names.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{
    FnArg, GenericArgument, Ident, Local, Pat, PathArguments, ReturnType, Signature, Stmt, Token, Type, TypeParamBound,
};

use crate::model::{Around, Parts, Returned};
use crate::params::{self, Parameters};
use crate::pattern::Kept;
use crate::shape::Shape;

/// Finds the parts of the async function that this one was, or nothing if the body does not look as described.
///
/// The arguments are bound twice: by the prologue for what comes before the body, and anew for the body.
pub(crate) fn unwrap(signature: &Signature, outer: &Group, mentioned: &BTreeSet<String>) -> Option<Parts> {
    let returned = future_output(&signature.output)?;
    let inner = async_block(outer)?;
    let mut content = Content::parse.parse2(inner.stream()).ok()?;
    let parameters = content.take_parameters(signature, mentioned);
    let prologue = content.prologue.iter().map(ToTokens::to_token_stream).collect();
    Some(Parts {
        shape: Shape::AsyncTrait,
        parameters,
        returned: Returned::of_type(&returned),
        yielded: None,
        block: respanned(Group::new(Delimiter::Brace, content.rest), &inner),
        around: Some(Around { outer: outer.clone(), prologue }),
    })
}

/// `T` in `-> Pin<Box<dyn Future<Output = T> + …>>`.
fn future_output(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    let Type::TraitObject(object) = only_argument(&only_argument(ty)?)? else { return None };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        })
    })
}

fn only_argument(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    }
}

/// The block in `Box::pin(async move { … })`.
fn async_block(block: &Group) -> Option<Group> {
    let last = block.stream().into_iter().last()?;
    let TokenTree::Group(call) = last else { return None };
    let mut tokens = call.stream().into_iter();
    let is_word =
        |token: Option<TokenTree>, word: &str| matches!(token, Some(TokenTree::Ident(ident)) if ident == word);
    if !is_word(tokens.next(), "async") || !is_word(tokens.next(), "move") {
        return None;
    }
    match tokens.next()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

/// The async block in parts.
struct Content {
    /// The statements that move arguments in.
    prologue: Vec<Local>,
    rest: TokenStream,
}

impl Content {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `if let Some(__ret) = None::<R> { return __ret; }` fixes the block's type; ours does so too.
        if input.peek(Token![if]) {
            let _: Stmt = input.parse()?;
        }
        let mut prologue = Vec::new();
        while let Some(local) = next_move_in(input) {
            prologue.push(local);
        }
        Ok(Self { prologue, rest: input.parse()? })
    }

    /// The names that the user wrote, in the order of the signature.
    fn take_parameters(&mut self, signature: &Signature, mentioned: &BTreeSet<String>) -> Parameters {
        let kept = Kept::Only(mentioned);
        let mut parameters = Parameters::default();
        for input in &signature.inputs {
            match input {
                FnArg::Receiver(receiver) => match self.find("self").map(|local| &mut local.pat) {
                    Some(Pat::Ident(name)) => parameters.add_receiver(name.ident.clone(), name.mutability.take()),
                    _ => parameters.receiver = Some(Ident::new("self", receiver.self_token.span)),
                },
                FnArg::Typed(parameter) => {
                    let local = match &*parameter.pat {
                        Pat::Ident(name) => self.find(&name.ident.to_string()),
                        _ => None,
                    };
                    match local {
                        Some(local) => {
                            let bindings = params::take_names(&mut local.pat, &parameter.ty, kept, mentioned);
                            parameters.add_names(parameter, bindings);
                        }
                        None => parameters.bindings.extend(params::of_pattern(&parameter.pat)),
                    }
                }
            }
        }
        parameters
    }

    /// The statement that moves `argument` in.
    fn find(&mut self, argument: &str) -> Option<&mut Local> {
        self.prologue.iter_mut().find(|local| moved_in(local).is_some_and(|name| name == argument))
    }
}

/// The next statement, if it moves an argument in.
fn next_move_in(input: ParseStream<'_>) -> Option<Local> {
    match input.fork().parse::<Stmt>().ok()? {
        Stmt::Local(local) if moved_in(&local).is_some() => {
            input.parse::<Stmt>().ok()?;
            Some(local)
        }
        _ => None,
    }
}

/// The argument that a statement moves in: `let x = x;`, `let __self = self;`, or
/// `let PATTERN = { let __arg1 = __arg1; __arg1 };`.
fn moved_in(local: &Local) -> Option<Ident> {
    let source = only_word(local.init.as_ref()?.expr.to_token_stream())?;
    let is_same = matches!(&local.pat, Pat::Ident(bound) if bound.ident == source);
    (is_same || source == "self" || source.to_string().starts_with("__arg")).then_some(source)
}

/// The word that is all that the tokens consist of, but for assignments of it to itself.
fn only_word(tokens: TokenStream) -> Option<Ident> {
    let mut only: Option<Ident> = None;
    for token in tokens {
        let word = match token {
            TokenTree::Ident(word) if word == "let" => continue,
            TokenTree::Punct(punct) if matches!(punct.as_char(), '=' | ';') => continue,
            TokenTree::Ident(word) => word,
            TokenTree::Group(group) => only_word(group.stream())?,
            _ => return None,
        };
        if only.as_ref().is_some_and(|earlier| *earlier != word) {
            return None;
        }
        only = Some(word);
    }
    only
}

/// Puts `inner` in the place of the async block's content.
pub(crate) fn rewrap(block: &Group, inner: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = block.stream().into_iter().collect();
    if let Some(TokenTree::Group(call)) = tokens.last_mut() {
        let mut arguments: Vec<TokenTree> = call.stream().into_iter().collect();
        if let Some(TokenTree::Group(body)) = arguments.get_mut(2) {
            *body = respanned(Group::new(Delimiter::Brace, inner), body);
        }
        *call = respanned(Group::new(call.delimiter(), arguments.into_iter().collect()), call);
    }
    tokens.into_iter().collect()
}

fn respanned(mut group: Group, like: &Group) -> Group {
    group.set_span(like.span());
    group
}
