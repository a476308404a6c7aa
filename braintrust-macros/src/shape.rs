//! What kind of function it is, decided once from its signature.

use proc_macro2::Group;
use syn::{Attribute, GenericParam, PathArguments, ReturnType, Signature, Type, TypeImplTrait, TypeParamBound};

use crate::tail::Tail;

/// How a call of the function is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The span ends when the function returns.
    Sync,
    /// The same, but the body stays where it is, so that `Location::caller()` is the caller.
    Inline,
    /// `-> impl Fn(..)`, alone or in a tuple, or another `impl Trait` where the body ends with a closure: the body stays
    /// too, because the closure learns its parameters from the signature.
    InlineFunction,
    /// An `async fn`.
    Async,
    /// A function that `#[async_trait]` has rewritten: it returns a box of one async block.
    AsyncTrait,
    /// `-> impl Future<Output = …>`, if the value is one: the trait may be another of that name.
    Future,
    /// `-> impl Stream<Item = …>`, likewise.
    Stream,
    /// The attribute says that it returns a stream.
    SurelyStream,
    /// The return type may be a boxed future or stream, or an alias of one; the type of the value decides.
    Unclear,
}

impl Shape {
    pub(crate) fn of(signature: &Signature, body: &Group, attributes: &[Attribute], is_stream: bool) -> Self {
        if signature.asyncness.is_some() {
            return Self::Async;
        }
        let shape = match &signature.output {
            _ if has_async_trait_lifetime(signature) => Self::AsyncTrait,
            ReturnType::Type(_, ty) => Self::of_returned(ty, body, is_stream),
            ReturnType::Default => Self::Sync,
        };
        let is_tracked = attributes.iter().any(|attribute| attribute.path().is_ident("track_caller"));
        if is_tracked && shape != Self::InlineFunction { Self::Inline } else { shape }
    }

    fn of_returned(ty: &Type, body: &Group, is_stream: bool) -> Self {
        match ty {
            Type::ImplTrait(_) if is_stream => Self::SurelyStream,
            Type::ImplTrait(ty) if names_trait(ty, &["Stream", "FusedStream"]) => Self::Stream,
            Type::ImplTrait(ty) if names_trait(ty, &["Future", "FusedFuture"]) => Self::Future,
            Type::ImplTrait(ty) if names_function(ty) || Tail::of(body).is_closure() => Self::InlineFunction,
            Type::Tuple(tuple) if tuple.elems.iter().any(is_function) => Self::InlineFunction,
            Type::Paren(ty) => Self::of_returned(&ty.elem, body, is_stream),
            Type::Group(ty) => Self::of_returned(&ty.elem, body, is_stream),
            Type::Path(ty) if ty.qself.is_some() || !is_surely_plain(&ty.path) => Self::Unclear,
            _ => Self::Sync,
        }
    }
}

/// `#[async_trait]` gives the boxed future a lifetime of this name.
fn has_async_trait_lifetime(signature: &Signature) -> bool {
    signature.generics.params.iter().any(
        |parameter| matches!(parameter, GenericParam::Lifetime(lifetime) if lifetime.lifetime.ident == "async_trait"),
    )
}

/// Whether one of the bounds is a trait of one of these names, with the type of what it yields, and all the others are such
/// as the wrapper meets too.
fn names_trait(ty: &TypeImplTrait, names: &[&str]) -> bool {
    let mut is_named = false;
    for bound in &ty.bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(segment) = bound.path.segments.last() else { return false };
        let is_any_of = |names: &[&str]| names.iter().any(|name| segment.ident == name);
        if is_any_of(names) {
            is_named |= !segment.arguments.is_none();
        } else if !is_any_of(&["Send", "Sync", "Unpin", "Sized", "UnwindSafe", "RefUnwindSafe", "Captures"]) {
            return false;
        }
    }
    is_named
}

/// Whether one of the bounds is a trait of closures.
fn names_function(ty: &TypeImplTrait) -> bool {
    ty.bounds.iter().any(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return false };
        let name = bound.path.segments.last().map(|segment| &segment.ident);
        name.is_some_and(|name| FUNCTIONS.iter().any(|function| name == function))
    })
}

const FUNCTIONS: [&str; 6] = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];

fn is_function(ty: &Type) -> bool {
    matches!(ty, Type::ImplTrait(ty) if names_function(ty))
}

/// Names of types that nobody gives to an alias of a boxed future.
const PLAIN: [&str; 29] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f32", "f64", "String", "Vec", "Option", "Result", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "Arc", "Rc",
    "Cow", "Value",
];

fn is_surely_plain(path: &syn::Path) -> bool {
    let Some(last) = path.segments.last() else { return true };
    // `Self` cannot be a boxed future in an `impl` that anyone writes; `Self::Out` may be.
    let is_self = path.is_ident("Self");
    let is_box_of_concrete = last.ident == "Box" && !mentions_dyn(&last.arguments);
    is_self || is_box_of_concrete || PLAIN.iter().any(|plain| last.ident == plain)
}

fn mentions_dyn(arguments: &PathArguments) -> bool {
    match arguments {
        PathArguments::AngleBracketed(list) => {
            list.args.iter().any(|argument| matches!(argument, syn::GenericArgument::Type(Type::TraitObject(_))))
        }
        _ => false,
    }
}
