//! The options of one attribute, as they were written: every value keeps its place in the source.

use proc_macro2::Span;
use syn::{Expr, ExprClosure, Ident, LitStr, Path};

/// Every option by its name, for messages and for telling a name from a misspelt option.
pub(crate) const NAMES: [&str; 21] = [
    "name",
    "type",
    "input",
    "no_input",
    "skip",
    "skip_all",
    "capture",
    "redact",
    "output",
    "no_output",
    "metadata",
    "tags",
    "parent",
    "logger",
    "project",
    "err",
    "error_if",
    "stream",
    "aggregate",
    "boxed",
    "crate",
];

/// What follows an option's name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing: `no_input`.
    Flag,
    /// A value: `input = …`.
    Value,
    /// A list: `skip(…)`.
    List,
    /// Nothing, or a value: `boxed`, `boxed = "send"`.
    FlagOrValue,
}

/// What must follow the option `name`.
pub(crate) fn form(name: &str) -> Form {
    match name {
        "no_input" | "no_output" | "skip_all" | "stream" => Form::Flag,
        "skip" | "capture" | "redact" | "metadata" | "tags" => Form::List,
        "boxed" => Form::FlagOrValue,
        _ => Form::Value,
    }
}

/// The options that may stand alone.
pub(crate) fn flags() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(|name| matches!(form(name), Form::Flag | Form::FlagOrValue))
}

/// The option `name` as it is written.
pub(crate) fn usage(name: &str) -> String {
    match form(name) {
        Form::Value if name == "type" => "`type = \"...\"`".to_owned(),
        Form::Flag | Form::FlagOrValue => format!("`{name}`"),
        Form::Value => format!("`{name} = ...`"),
        Form::List => format!("`{name}(...)`"),
    }
}

/// What is said of an option `name` without its value or list.
pub(crate) fn needed(name: &str) -> String {
    let what = if form(name) == Form::List { "list" } else { "value" };
    let note =
        if name == "err" { "; errors are recorded without it, and `err = debug` takes their `Debug` text" } else { "" };
    format!("`{name}` needs a {what}: {}{note}", usage(name))
}

/// A value and the option that it was given to.
pub(crate) struct Given<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

/// What the span is called.
pub(crate) enum Name {
    /// A literal, which is a format string if it has braces.
    Literal(LitStr),
    /// A lone word in the first place.
    Word(Ident),
    /// Anything else.
    Expression(Expr),
}

/// A function from a result to something.
pub(crate) enum Mapper {
    Closure(ExprClosure),
    Path(Expr),
}

/// What `err` makes of an error.
pub(crate) enum ErrorPolicy {
    /// The message with the chain of sources.
    Chain,
    /// The `Display` text alone.
    Display,
    /// The `Debug` text.
    Debug,
    /// An `Err` is a value like any other.
    None,
    /// What a function makes of it.
    Mapped(Mapper),
}

/// What kind of box an async function's body goes into.
#[derive(Clone, Copy)]
pub(crate) enum Boxing {
    /// A box of the very type.
    Typed,
    /// A trait object that is `Send`.
    Send,
    /// A trait object that is not.
    Local,
}

/// One entry of `metadata(…)`.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Span,
    /// Without a value, the key names an argument.
    pub(crate) value: Option<Expr>,
}

/// Everything that one attribute says.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<Given<Name>>,
    /// A variant of the runtime's `SpanType`.
    pub(crate) kind: Option<Given<&'static str>>,
    pub(crate) input: Option<Given<Expr>>,
    pub(crate) no_input: Option<Given<()>>,
    pub(crate) skip: Option<Given<Vec<Ident>>>,
    pub(crate) skip_all: Option<Given<()>>,
    pub(crate) capture: Option<Given<Vec<Ident>>>,
    pub(crate) redact: Option<Given<Vec<Ident>>>,
    pub(crate) output: Option<Given<Mapper>>,
    pub(crate) no_output: Option<Given<()>>,
    pub(crate) metadata: Option<Given<Vec<Entry>>>,
    pub(crate) tags: Option<Given<Vec<Expr>>>,
    pub(crate) parent: Option<Given<Expr>>,
    pub(crate) logger: Option<Given<Expr>>,
    pub(crate) project: Option<Given<Expr>>,
    pub(crate) err: Option<Given<ErrorPolicy>>,
    pub(crate) error_if: Option<Given<Mapper>>,
    pub(crate) stream: Option<Given<()>>,
    pub(crate) aggregate: Option<Given<Mapper>>,
    pub(crate) boxed: Option<Given<Boxing>>,
    pub(crate) facade: Option<Given<Path>>,
}
