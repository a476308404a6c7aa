//! Second stage: options and function become a [`Plan`], in which every decision has been made.

use std::collections::BTreeSet;

use proc_macro2::{Group, Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound, Visibility};

use crate::item::Function;
use crate::options::{Boxing, Entry, ErrorPolicy, Given, Mapper, Name, Options};
use crate::params::{self, Binding, Parameters};
use crate::paths::Runtime;
use crate::shape::Shape;
use crate::{async_trait, kinds, mentioned};

/// Everything that the expansion needs.
pub(crate) struct Plan {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// With the outer function's parameters.
    pub(crate) signature: Signature,
    pub(crate) inner_attributes: TokenStream,
    /// Where the braces of the body are.
    pub(crate) braces: Span,
    pub(crate) parts: Parts,
    pub(crate) boxing: Option<Boxing>,
    pub(crate) callsite: Callsite,
    pub(crate) opening: Opening,
    pub(crate) record: Record,
}

/// The body and what it is given.
pub(crate) struct Parts {
    pub(crate) shape: Shape,
    pub(crate) parameters: Parameters,
    /// What the body returns: of an async function, what it resolves to.
    pub(crate) returned: Returned,
    /// What the future resolves to that a function returns, or what a stream yields.
    pub(crate) yielded: Option<Type>,
    pub(crate) block: Group,
    pub(crate) around: Option<Around>,
}

/// What another macro has put around an async body.
pub(crate) struct Around {
    /// The whole block of the function, in which the async block stands.
    pub(crate) outer: Group,
    /// Statements that must stay before the span, because they bind the arguments.
    pub(crate) prologue: TokenStream,
}

/// What the static beside the function says.
pub(crate) struct Callsite {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) function: String,
}

/// What is evaluated before the body.
pub(crate) struct Opening {
    pub(crate) name: Option<Expr>,
    /// A format string over the arguments.
    pub(crate) format: Option<syn::LitStr>,
    pub(crate) input: Input,
    pub(crate) metadata: Vec<(String, Expr)>,
    pub(crate) tags: Vec<Expr>,
    pub(crate) parent: Option<Expr>,
    pub(crate) logger: Option<Expr>,
    pub(crate) project: Option<Expr>,
}

/// What the span has as input.
pub(crate) enum Input {
    Nothing,
    Value(Expr),
    Arguments(Vec<Argument>),
}

/// One key of the input.
pub(crate) struct Argument {
    pub(crate) key: String,
    /// What is borrowed; `None` for an argument that is redacted.
    pub(crate) value: Option<Ident>,
    /// Whether `value` is a reference already.
    pub(crate) is_reference: bool,
    pub(crate) conditions: Vec<Attribute>,
}

/// What the body returns.
pub(crate) enum Returned {
    Unit,
    Never,
    Type(Box<Type>),
}

/// What is kept of the result.
pub(crate) struct Record {
    pub(crate) output: Output,
    pub(crate) err: ErrorPolicy,
    pub(crate) error_if: Option<Mapper>,
    pub(crate) aggregate: Option<Mapper>,
}

/// What the span has as output.
pub(crate) enum Output {
    Nothing,
    Value,
    Mapped(Mapper),
}

impl Plan {
    /// Decides everything. The options are known to fit the function.
    pub(crate) fn new(options: Options, function: Function) -> Self {
        let Function { attributes, visibility, mut signature, body } = function;
        let braces = body.block.span();
        let callsite = Callsite::of(&options, &signature);
        let shape = Shape::of(&signature, &body.block, &attributes, options.stream.is_some());
        let parts = Parts::of(shape, &mut signature, body.block, &mentioned::in_expressions(&options));
        let runtime = Runtime::new(options.facade.as_ref().map(|given| &given.value));
        let boxing = options.boxed.as_ref().map(|given| given.value);
        let (opening, record) = decide(options, &parts);
        let inner_attributes = body.inner_attributes;
        Self {
            runtime,
            attributes,
            visibility,
            signature,
            inner_attributes,
            braces,
            parts,
            boxing,
            callsite,
            opening,
            record,
        }
    }
}

impl Callsite {
    fn of(options: &Options, signature: &Signature) -> Self {
        let function = signature.ident.unraw().to_string();
        let name = match options.name.as_ref().map(|given| &given.value) {
            Some(Name::Literal(literal)) if !is_format(literal) => literal.value(),
            Some(Name::Word(word)) => word.unraw().to_string(),
            _ => function.clone(),
        };
        let kind = options.kind.as_ref().map_or(kinds::DEFAULT_VARIANT, |given| given.value);
        Self { name, kind, function }
    }
}

impl Parts {
    fn of(shape: Shape, signature: &mut Signature, block: Group, mentioned: &BTreeSet<String>) -> Self {
        if shape == Shape::AsyncTrait {
            if let Some(parts) = async_trait::unwrap(signature, &block, mentioned) {
                return parts;
            }
            // Not the work of the real `#[async_trait]`, or of one that has changed: the type of the value decides.
            return Self::of(Shape::Unclear, signature, block, mentioned);
        }
        let parameters = params::take_apart(&mut signature.inputs, mentioned);
        let returned = Returned::of(&signature.output);
        let yielded = match (&returned, shape) {
            (Returned::Type(ty), Shape::Future) => yielded(ty, "Output"),
            (Returned::Type(ty), Shape::Stream | Shape::SurelyStream) => yielded(ty, "Item"),
            _ => None,
        };
        Self { shape, parameters, returned, yielded, block, around: None }
    }
}

/// `T` in `impl Future<Output = T>`.
fn yielded(ty: &Type, name: &str) -> Option<Type> {
    let Type::ImplTrait(ty) = ty else { return None };
    ty.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == name => Some(assoc.ty.clone()),
            _ => None,
        })
    })
}

/// The decisions that options make.
fn decide(options: Options, parts: &Parts) -> (Opening, Record) {
    let (name, format) = match options.name.map(|given| given.value) {
        Some(Name::Literal(literal)) if is_format(&literal) => (None, Some(literal)),
        Some(Name::Expression(expression)) => (Some(expression), None),
        _ => (None, None),
    };
    let choice = Choice {
        input: options.input,
        no_input: options.no_input.is_some(),
        skip_all: options.skip_all.is_some(),
        skip: options.skip,
        capture: options.capture,
        redact: options.redact,
    };
    let opening = Opening {
        name,
        format,
        input: choice.input(&parts.parameters),
        metadata: metadata(options.metadata, &parts.parameters),
        tags: options.tags.map(|given| given.value).unwrap_or_default(),
        parent: options.parent.map(|given| given.value),
        logger: options.logger.map(|given| given.value),
        project: options.project.map(|given| given.value),
    };
    let record = Record {
        output: output(&parts.returned, options.no_output.is_some(), options.output),
        err: options.err.map_or(ErrorPolicy::Chain, |given| given.value),
        error_if: options.error_if.map(|given| given.value),
        aggregate: options.aggregate.map(|given| given.value),
    };
    (opening, record)
}

pub(crate) fn is_format(literal: &syn::LitStr) -> bool {
    literal.value().contains(['{', '}'])
}

fn output(returned: &Returned, no_output: bool, mapped: Option<Given<Mapper>>) -> Output {
    match (mapped, returned) {
        (Some(mapper), _) => Output::Mapped(mapper.value),
        (None, Returned::Unit | Returned::Never) => Output::Nothing,
        (None, Returned::Type(_)) if no_output => Output::Nothing,
        (None, Returned::Type(_)) => Output::Value,
    }
}

fn metadata(given: Option<Given<Vec<Entry>>>, parameters: &Parameters) -> Vec<(String, Expr)> {
    let entries = given.map(|given| given.value).unwrap_or_default();
    entries.into_iter().filter_map(|entry| entry.value_in(parameters).map(|value| (entry.key, value))).collect()
}

impl Entry {
    /// The value, or the argument that the key names.
    fn value_in(&self, parameters: &Parameters) -> Option<Expr> {
        if let Some(value) = &self.value {
            return Some(value.clone());
        }
        let binding = parameters.bindings.iter().find(|binding| binding.key() == self.key)?;
        let name = &binding.outer;
        Some(syn::parse_quote!(#name))
    }
}

/// Which arguments are shown.
struct Choice {
    input: Option<Given<Expr>>,
    no_input: bool,
    skip_all: bool,
    skip: Option<Given<Vec<Ident>>>,
    capture: Option<Given<Vec<Ident>>>,
    redact: Option<Given<Vec<Ident>>>,
}

impl Choice {
    fn input(self, parameters: &Parameters) -> Input {
        if let Some(input) = self.input {
            return Input::Value(input.value);
        }
        if self.no_input {
            return Input::Nothing;
        }
        let mut arguments = Vec::new();
        if let Some(receiver) = &parameters.receiver {
            arguments.extend(self.receiver(receiver));
        }
        arguments.extend(parameters.bindings.iter().filter_map(|binding| self.argument(binding)));
        if arguments.is_empty() { Input::Nothing } else { Input::Arguments(arguments) }
    }

    /// `self` is shown only when it is asked for.
    fn receiver(&self, receiver: &Ident) -> Option<Argument> {
        let is_redacted = lists(self.redact.as_ref(), "self");
        if !is_redacted && !lists(self.capture.as_ref(), "self") {
            return None;
        }
        let value = (!is_redacted).then(|| receiver.clone());
        Some(Argument { key: "self".to_owned(), value, is_reference: false, conditions: Vec::new() })
    }

    fn argument(&self, binding: &Binding) -> Option<Argument> {
        let key = binding.key();
        let is_redacted = lists(self.redact.as_ref(), &key);
        let is_chosen = match &self.capture {
            Some(_) => lists(self.capture.as_ref(), &key),
            None => !self.skip_all && !lists(self.skip.as_ref(), &key),
        };
        if !is_redacted && !is_chosen {
            return None;
        }
        let value = (!is_redacted).then(|| binding.outer.clone());
        Some(Argument { key, value, is_reference: binding.is_reference, conditions: binding.conditions.clone() })
    }
}

fn lists(list: Option<&Given<Vec<Ident>>>, name: &str) -> bool {
    list.is_some_and(|given| given.value.iter().any(|listed| listed.unraw() == name))
}

impl Returned {
    pub(crate) fn of(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self::Unit,
            ReturnType::Type(_, ty) => Self::of_type(ty),
        }
    }

    pub(crate) fn of_type(ty: &Type) -> Self {
        match ty {
            Type::Never(_) => Self::Never,
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Unit,
            Type::Group(group) => Self::of_type(&group.elem),
            Type::Paren(parenthesized) => Self::of_type(&parenthesized.elem),
            other => Self::Type(Box::new(other.clone())),
        }
    }
}
