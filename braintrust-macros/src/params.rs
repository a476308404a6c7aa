//! Parameters: the pattern that the outer function keeps, and the bindings that are made anew around the body.
//!
//! The outer function loses `mut`, and its names get the macro's own hygiene: recording an argument then does not
//! count as a use of it, and the user's lints look at the inner bindings alone.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, FieldPat, FnArg, Member, Pat, PatIdent, Token, Type};

/// A name that a parameter's pattern binds.
pub(crate) struct Binding {
    /// The name in the signature that is emitted.
    pub(crate) outer: Ident,
    /// The name as the user wrote it.
    pub(crate) inner: Ident,
    pub(crate) mutability: Option<Token![mut]>,
    /// Lint attributes of the parameter.
    pub(crate) lints: Vec<Attribute>,
    /// `#[cfg(…)]` of the parameter.
    pub(crate) conditions: Vec<Attribute>,
    /// Whether the body sees it through a binding of its own.
    pub(crate) is_rebound: bool,
    /// Whether an expression of the attribute may name it, which counts as a use.
    pub(crate) is_mentioned: bool,
}

impl Binding {
    /// The key of the argument in the span's input.
    pub(crate) fn key(&self) -> String {
        self.inner.unraw().to_string()
    }
}

/// The parameters of a function.
#[derive(Default)]
pub(crate) struct Parameters {
    /// `self`, or the name that stands for it in the body.
    pub(crate) receiver: Option<Ident>,
    pub(crate) bindings: Vec<Binding>,
}

/// Takes the parameters apart, and leaves in `inputs` what the outer function keeps.
///
/// The names in `mentioned` stay the user's own in the outer function too: the attribute's expressions must see them.
pub(crate) fn take_apart(inputs: &mut Punctuated<FnArg, Token![,]>, mentioned: &BTreeSet<String>) -> Parameters {
    let kept = if has_equal_names(inputs) { Kept::All } else { Kept::Only(mentioned) };
    let mut parameters = Parameters::default();
    for input in inputs {
        match input {
            FnArg::Receiver(receiver) => parameters.receiver = Some(Ident::new("self", receiver.self_token.span)),
            FnArg::Typed(parameter) => {
                let conditions = with_names(&parameter.attrs, &["cfg"]);
                let lints = with_names(&parameter.attrs, &["allow", "expect", "warn", "deny", "forbid", "cfg_attr"]);
                // It would not be fulfilled out there.
                parameter.attrs.retain(|attribute| !attribute.path().is_ident("expect"));
                let mut outer = Outer { kept, unit_type: last_segment(&parameter.ty), found: Vec::new() };
                outer.visit_pat_mut(&mut parameter.pat);
                parameters.bindings.extend(outer.found.into_iter().map(|binding| Binding {
                    lints: lints.clone(),
                    conditions: conditions.clone(),
                    is_mentioned: mentioned.contains(&binding.key()),
                    ..binding
                }));
            }
        }
    }
    parameters
}

/// The bindings of a pattern that stays as it is.
pub(crate) fn of_pattern(pattern: &Pat) -> impl Iterator<Item = Binding> + use<> {
    let mut outer = Outer { kept: Kept::All, unit_type: None, found: Vec::new() };
    outer.visit_pat_mut(&mut pattern.clone());
    outer.found.into_iter().map(|binding| Binding { is_rebound: false, ..binding })
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

/// Whether two parameters differ in nothing but their hygiene, as those of a `macro_rules` macro may.
fn has_equal_names(inputs: &Punctuated<FnArg, Token![,]>) -> bool {
    let mut all = Vec::new();
    for input in inputs {
        if let FnArg::Typed(parameter) = input {
            let mut names = Names::default();
            names.visit_pat(&parameter.pat);
            all.extend(names.0);
        }
    }
    (1..all.len()).any(|index| all[..index].contains(&all[index]))
}

/// Collects the names that a pattern binds; each once, although an or-pattern repeats them.
#[derive(Default)]
struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        if !self.0.contains(&pattern.ident) {
            self.0.push(pattern.ident.clone());
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}

/// Which names the outer function keeps as the user's own.
#[derive(Clone, Copy)]
enum Kept<'a> {
    All,
    Only(&'a BTreeSet<String>),
}

impl Kept<'_> {
    fn has(self, name: &Ident) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(&name.unraw().to_string()),
        }
    }
}

/// Rewrites a pattern to its outer form, and collects its bindings.
struct Outer<'a> {
    kept: Kept<'a>,
    unit_type: Option<Ident>,
    found: Vec<Binding>,
}

impl Outer<'_> {
    fn outer_name(&self, name: &Ident) -> Ident {
        if self.kept.has(name) {
            return name.clone();
        }
        let mut name = name.clone();
        name.set_span(Span::mixed_site().located_at(name.span()));
        name
    }

    /// Whether the name may stand for a constant or a unit struct, which cannot be bound.
    fn may_be_constant(&self, pattern: &PatIdent) -> bool {
        pattern.by_ref.is_none()
            && pattern.mutability.is_none()
            && pattern.subpat.is_none()
            && pattern.ident.unraw().to_string().starts_with(char::is_uppercase)
    }

    fn add(&mut self, pattern: &PatIdent, outer: Ident, is_rebound: bool) {
        if self.found.iter().any(|binding| binding.inner == pattern.ident) {
            return;
        }
        self.found.push(Binding {
            outer,
            inner: pattern.ident.clone(),
            mutability: pattern.by_ref.is_none().then_some(pattern.mutability).flatten(),
            lints: Vec::new(),
            conditions: Vec::new(),
            is_rebound,
            is_mentioned: false,
        });
    }
}

impl VisitMut for Outer<'_> {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        if self.may_be_constant(pattern) {
            if self.unit_type.as_ref() != Some(&pattern.ident) {
                self.add(pattern, pattern.ident.clone(), false);
            }
            return;
        }
        let outer = self.outer_name(&pattern.ident);
        self.add(pattern, outer.clone(), true);
        pattern.ident = outer;
        if pattern.by_ref.is_none() {
            pattern.mutability = None;
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }

    fn visit_field_pat_mut(&mut self, field: &mut FieldPat) {
        // `Point { x }` becomes `Point { x: x }`: the field keeps its name, the binding gets another hygiene. The field's
        // place is the macro's own too, or the compiler would call the pattern redundant.
        if let (None, Member::Named(name)) = (field.colon_token, &mut field.member)
            && !self.kept.has(name)
        {
            name.set_span(Span::mixed_site().located_at(name.span()));
            field.colon_token = Some(Token![:](Span::mixed_site()));
        }
        visit_mut::visit_field_pat_mut(self, field);
    }

    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        visit_mut::visit_pat_mut(self, pattern);
        // `&(mut x)` has become `&(x)`, whose parentheses the compiler would call unused.
        if let Pat::Paren(parenthesized) = pattern
            && matches!(*parenthesized.pat, Pat::Ident(_))
        {
            *pattern = (*parenthesized.pat).clone();
        }
    }

    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}
