//! Parameters: the pattern that the outer function keeps, and the bindings that are made anew around the body.
//!
//! The outer function loses `mut`, and its names get the macro's own hygiene: recording an argument then does not
//! count as a use of it, and the user's lints look at the inner bindings alone.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, Token, Type};

use crate::leftover;
use crate::pattern::{Kept, Names, Outer};

/// A name that a parameter's pattern binds.
pub(crate) struct Binding {
    /// The name in the code before the body.
    pub(crate) outer: Ident,
    /// The name as the user wrote it.
    pub(crate) inner: Ident,
    /// `#[cfg(…)]` of the parameter.
    pub(crate) conditions: Vec<Attribute>,
    /// Whether `outer` is a reference to the value, within what [`Opened`] binds.
    pub(crate) is_reference: bool,
    pub(crate) mutability: Option<Token![mut]>,
    /// Not for what may be the name of a constant.
    pub(crate) is_rebound: bool,
    /// Whether an expression of the attribute may name it.
    pub(crate) is_mentioned: bool,
}

impl Binding {
    /// The key of the argument in the span's input.
    pub(crate) fn key(&self) -> String {
        self.inner.unraw().to_string()
    }
}

/// A value that the body takes over from the outer function.
pub(crate) struct Moved {
    /// Its name in the signature that is emitted.
    pub(crate) outer: Ident,
    pub(crate) pattern: BodyPattern,
    /// Lint attributes of the parameter.
    pub(crate) lints: Vec<Attribute>,
    /// `#[cfg(…)]` of the parameter.
    pub(crate) conditions: Vec<Attribute>,
    /// Whether an expression of the attribute may name it, which counts as a use.
    pub(crate) is_mentioned: bool,
}

/// What the body binds a value to.
pub(crate) enum BodyPattern {
    Name(Option<Token![mut]>, Ident),
    /// The pattern of a whole parameter, as the user wrote it, which leaves a part of the value where it is.
    Whole(Box<Pat>),
}

/// A whole parameter, in which the code before the body looks for names.
pub(crate) struct Opened {
    pub(crate) whole: Ident,
    /// To be matched with a reference to it.
    pub(crate) pattern: Pat,
    pub(crate) conditions: Vec<Attribute>,
}

/// The parameters of a function.
#[derive(Default)]
pub(crate) struct Parameters {
    /// `self`, or the name that stands for it in the body.
    pub(crate) receiver: Option<Ident>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) opened: Vec<Opened>,
}

/// Takes the parameters apart, and leaves in `inputs` what the outer function keeps.
///
/// The names in `mentioned` stay the user's own in the outer function too: the attribute's expressions must see them.
pub(crate) fn take_apart(inputs: &mut Punctuated<FnArg, Token![,]>, mentioned: &BTreeSet<String>) -> Parameters {
    let names = names_of(inputs);
    let kept = if has_equal_names(&names) { Kept::All } else { Kept::Only(mentioned) };
    let mut parameters = Parameters::default();
    for (index, input) in inputs.iter_mut().enumerate() {
        match input {
            FnArg::Receiver(receiver) => parameters.receiver = Some(Ident::new("self", receiver.self_token.span)),
            FnArg::Typed(parameter) => {
                let written = parameter.pat.clone();
                let bindings = take_names(&mut parameter.pat, &parameter.ty, kept, mentioned);
                let is_mentioned = bindings.iter().any(|binding| binding.is_mentioned);
                if leftover::is_left_by(&written, &parameter.ty) && !is_mentioned {
                    let whole = name_of_whole(index, &bindings, &names);
                    parameters.add_whole(parameter, whole, written, bindings);
                } else {
                    parameters.add_names(parameter, bindings);
                }
                // It would not be fulfilled out there.
                parameter.attrs.retain(|attribute| !attribute.path().is_ident("expect"));
            }
        }
    }
    parameters
}

/// Leaves in `pattern` what stands before the body, and says what it binds.
pub(crate) fn take_names(pattern: &mut Pat, ty: &Type, kept: Kept<'_>, mentioned: &BTreeSet<String>) -> Vec<Binding> {
    let mut outer = Outer { kept, unit_type: last_segment(ty), found: Vec::new() };
    outer.visit_pat_mut(pattern);
    let with_mention = |binding: Binding| Binding { is_mentioned: mentioned.contains(&binding.key()), ..binding };
    outer.found.into_iter().map(with_mention).collect()
}

impl Parameters {
    /// `self` under a name that may be bound anew.
    pub(crate) fn add_receiver(&mut self, name: Ident, mutability: Option<Token![mut]>) {
        self.moved.push(Moved {
            outer: name.clone(),
            pattern: BodyPattern::Name(mutability, name.clone()),
            lints: Vec::new(),
            conditions: Vec::new(),
            is_mentioned: false,
        });
        self.receiver = Some(name);
    }

    /// A parameter whose names the body takes over, each by itself.
    pub(crate) fn add_names(&mut self, parameter: &PatType, bindings: Vec<Binding>) {
        let conditions = conditions(parameter);
        for mut binding in bindings {
            if binding.is_rebound {
                self.moved.push(Moved {
                    outer: binding.outer.clone(),
                    pattern: BodyPattern::Name(binding.mutability, binding.inner.clone()),
                    lints: lints(parameter),
                    conditions: conditions.clone(),
                    is_mentioned: binding.is_mentioned,
                });
            }
            binding.conditions.clone_from(&conditions);
            self.bindings.push(binding);
        }
    }

    /// A parameter that the body takes over as it is, under the name `whole`. `written` is the user's pattern.
    fn add_whole(&mut self, parameter: &mut PatType, whole: Ident, written: Box<Pat>, bindings: Vec<Binding>) {
        let conditions = conditions(parameter);
        let pattern = std::mem::replace(&mut *parameter.pat, only_name(&whole));
        self.opened.push(Opened { whole: whole.clone(), pattern, conditions: conditions.clone() });
        self.moved.push(Moved {
            outer: whole,
            pattern: BodyPattern::Whole(written),
            lints: lints(parameter),
            conditions: conditions.clone(),
            is_mentioned: false,
        });
        self.bindings.extend(bindings.into_iter().map(|binding| Binding {
            is_reference: binding.is_rebound,
            conditions: conditions.clone(),
            ..binding
        }));
    }
}

/// The bindings of a pattern that stays as it is.
pub(crate) fn of_pattern(pattern: &Pat) -> Vec<Binding> {
    let mut outer = Outer { kept: Kept::All, unit_type: None, found: Vec::new() };
    outer.visit_pat_mut(&mut pattern.clone());
    outer.found
}

fn conditions(parameter: &PatType) -> Vec<Attribute> {
    with_names(&parameter.attrs, &["cfg"])
}

fn lints(parameter: &PatType) -> Vec<Attribute> {
    with_names(&parameter.attrs, &["allow", "expect", "warn", "deny", "forbid", "cfg_attr"])
}

fn with_names(attributes: &[Attribute], names: &[&str]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name))).cloned().collect()
}

fn last_segment(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        _ => None,
    }
}

/// Every name that a parameter binds.
fn names_of(inputs: &Punctuated<FnArg, Token![,]>) -> Vec<Ident> {
    let mut all = Vec::new();
    for input in inputs {
        if let FnArg::Typed(parameter) = input {
            let mut names = Names::default();
            names.visit_pat(&parameter.pat);
            all.extend(names.0);
        }
    }
    all
}

/// Whether two parameters differ in nothing but their hygiene, as those of a `macro_rules` macro may.
fn has_equal_names(names: &[Ident]) -> bool {
    (1..names.len()).any(|index| names[..index].contains(&names[index]))
}

/// A name for a whole parameter, which the docs show: made of those in its pattern.
fn name_of_whole(index: usize, bindings: &[Binding], taken: &[Ident]) -> Ident {
    let names: Vec<String> = bindings.iter().map(|binding| binding.key().trim_start_matches('_').to_owned()).collect();
    let mut name = if names.is_empty() { format!("_{index}") } else { format!("_{}", names.join("_")) };
    while taken.iter().any(|taken| *taken == name) {
        name.insert(0, '_');
    }
    Ident::new(&name, Span::mixed_site())
}

fn only_name(name: &Ident) -> Pat {
    Pat::Ident(PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident: name.clone(), subpat: None })
}
