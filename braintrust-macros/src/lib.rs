//! The `#[traced]` attribute of the `braintrust` crate, which re-exports it.
//!
//! An expansion goes through stages, each a plain function over `proc_macro2` tokens: `parse` reads the attribute,
//! `item` the function, `check` adds what is wrong with them, `model` decides everything, and `expand` writes it.

mod async_trait;
mod check;
mod errors;
mod expand;
#[cfg(test)]
mod expansions;
mod item;
mod kinds;
mod leftover;
mod mentioned;
mod model;
mod options;
mod params;
mod parse;
mod paths;
mod pattern;
mod shape;
mod stages;
mod suggest;
mod tail;

use proc_macro::TokenStream;

/// Makes every call of a function a span: with its arguments as input, its return value as output, its error if there
/// is one, and whatever span is current as its parent.
///
/// ```
/// use braintrust::traced;
///
/// #[traced]
/// async fn answer(question: &str) -> Result<String, std::io::Error> {
///     let pages = search(&["rust", "python"], question);
///     Ok(pages.join(", "))
/// }
///
/// #[traced("search the index", type = "tool", skip(index))]
/// fn search<'a>(index: &[&'a str], query: &str) -> Vec<&'a str> {
///     index.iter().copied().filter(|page| query.contains(page)).collect()
/// }
/// ```
///
/// A request's headers as parent, clients left out, and of the answer what matters:
///
/// ```
/// use std::collections::HashMap;
///
/// use braintrust::traced;
/// # struct Client;
/// # struct Reply { text: String, cached: bool }
///
/// #[traced("answer {user}", type = "task", parent = headers, skip(client, headers),
///          output = |reply| &reply.text, metadata(user, cached = false), tags("beta"))]
/// async fn answer(client: &Client, headers: &HashMap<String, String>, user: u64, question: &str) -> Result<Reply, String> {
///     # let _ = (client, headers, user);
///     Ok(Reply { text: format!("{question}? Yes."), cached: false })
/// }
/// ```
///
/// It goes on functions and methods of every kind: sync or `async`, with any `self`, generic, in traits with a body,
/// under `#[async_trait]`, and on functions that return `impl Future`, `impl Stream` or a box of either. It changes
/// neither the signature nor what the function does, and asks for no bound. A `const fn` cannot be traced.
///
/// # What is recorded
///
/// * **Input**: an object with a key for each argument, or for each name that a pattern binds. `self` is left out
///   unless it is asked for.
/// * **Output**: the returned value; what a future resolves to; the items of a stream.
/// * **Error**: of a `Result`, under whatever alias, the message and the chain of sources. Also panics, which go on as
///   they were, and futures and streams that are dropped before they are done.
///
/// A value is shown as JSON if its type is `Serialize`, else by its `Debug` text, else by its `Display` text, else by
/// the name of its type. In a generic function the bounds in scope decide. A type may decide itself by implementing
/// `braintrust::Capture`, and `braintrust::Secret` hides what is in it. Locks are never waited for. Long values are cut,
/// and say so. Leave out what is no data, such as clients and pools (`skip(client)`): their `Debug` texts tell little, and
/// take time.
///
/// While no logger is installed, nothing of all this happens.
///
/// # Options
///
/// The name comes first, without a key: a string literal, a word that is no option, or an expression. A literal with
/// braces is a format string over the arguments. All other options may come in any order.
///
/// A word without quotes is refused where it may have been meant as something else: as a span type (`tool`), as a
/// parameter, or to hide something (`skip_input`, `no_args`, `sensitive`), because then what was to be hidden would be
/// recorded. In quotes, any text is a name. A name that a function makes is `name = f(a)`, or begins with a path.
///
/// | option | what it does |
/// |---|---|
/// | `name = …` | the same as the name in the first place |
/// | `type = "…"` | `llm`, `score`, `function` (unless said otherwise), `eval`, `task`, `tool`, `automation`, `facet`, `preprocessor`, `classifier` or `review` |
/// | `skip(a, b)`, `skip_all` | leaves arguments out of the input |
/// | `capture(a, self)` | puts only these into the input |
/// | `redact(a)` | puts `"[REDACTED]"` in the place of an argument, which is not looked at |
/// | `input = …`, `no_input` | takes an expression over the arguments as input, or nothing |
/// | `output = …`, `no_output` | takes what a closure or function makes of the value as output, or nothing |
/// | `metadata(a, key = …, "x.y" = …)` | adds metadata: an argument by its name, or expressions over the arguments |
/// | `tags("a", …)` | adds tags |
/// | `parent = …` | a span, a `Parent`, a slug, headers of a request, or an `Option` of one, where `None` means the current span as usual |
/// | `logger = …` | an expression for the logger whose span it is |
/// | `project = "…"` | a registered project whose span it is |
/// | `err = …` | what becomes of an error: `chain` (unless said otherwise), `display`, `debug`, `none`, or a closure or function |
/// | `error_if = …` | a condition on the value under which it is an error |
/// | `stream` | says that the function returns a stream, where the return type does not |
/// | `aggregate = …` | with `stream`: what a closure or function makes of all values, as a slice, is the output. The values are cloned, and looked at for how much memory they take; of a very long stream the first ones are given |
/// | `boxed`, `boxed = "send"`, `boxed = "local"` | moves the body of an `async fn` to the heap, which keeps its future small; the latter two also hide its type |
/// | `crate = …` | the path of the `braintrust` crate, where it goes by another name |
///
/// Expressions are evaluated once, before the body, in the order parent, name, input, metadata, tags, and only if the
/// span is recorded. Functions of the result get a reference to it; of a `Result`, to the value or the error.
///
/// # Limits
///
/// * An implementation of `Serialize` or `Debug` for one particular lifetime (`impl Serialize for Borrowed<'static>`)
///   is found, and then does not fit the argument: skip the argument, or say `input = …`.
/// * Where the return type is a type parameter, an error cannot be told from a value: say `err = …` on a function that
///   knows its type.
/// * A `#[track_caller]` function keeps its body where it is, so a value that leaves it by `return` or `?` is not seen.
/// * An `async fn` that resolves to a stream ends its span when the stream is there, before its first item. Return the
///   stream from a function that is not `async`, or keep a span by hand, as `braintrust::Instrument` shows.
/// * An `impl` block cannot be traced as a whole: the attribute goes on its methods.
/// * A closure that an `async fn` returns as `impl Fn(…)` must say the types of its parameters: `|text: &str| …`.
/// * A part of an argument that its pattern leaves without a name, as in `(a, _): Pair`, is dropped with its argument, as
///   in any function; but after all the others where an expression of the attribute uses a name of that pattern.
/// * A closure cannot have attributes: use `Span::in_scope`.
#[proc_macro_attribute]
pub fn traced(attribute: TokenStream, item: TokenStream) -> TokenStream {
    stages::traced(attribute.into(), item.into()).into()
}
