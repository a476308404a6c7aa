//! Patterns: the names that they bind, and the forms that they have in the outer function.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, FieldPat, Member, Pat, PatIdent, PatWild, Token};

use crate::params::Binding;

/// Collects the names that a pattern binds; each once, although an or-pattern repeats them.
#[derive(Default)]
pub(crate) struct Names(pub(crate) Vec<Ident>);

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
pub(crate) enum Kept<'a> {
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
pub(crate) struct Outer<'a> {
    pub(crate) kept: Kept<'a>,
    /// The last word of the parameter's type: a pattern of that name binds nothing.
    pub(crate) unit_type: Option<Ident>,
    pub(crate) found: Vec<Binding>,
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
            conditions: Vec::new(),
            is_reference: false,
            mutability: pattern.by_ref.is_none().then_some(pattern.mutability).flatten(),
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

/// The form of `pattern` that is matched with a reference to a value: every name that is wanted is one too, whatever the
/// pattern says itself, and the other names are not bound.
pub(crate) fn by_reference(pattern: &Pat, is_wanted: impl Fn(&Ident) -> bool) -> Pat {
    let mut pattern = pattern.clone();
    Referring { is_wanted }.visit_pat_mut(&mut pattern);
    pattern
}

struct Referring<F> {
    is_wanted: F,
}

impl<F: Fn(&Ident) -> bool> VisitMut for Referring<F> {
    fn visit_field_pat_mut(&mut self, field: &mut FieldPat) {
        field.colon_token.get_or_insert_with(|| Token![:](Span::mixed_site()));
        visit_mut::visit_field_pat_mut(self, field);
    }

    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        visit_mut::visit_pat_mut(self, pattern);
        let rest = match pattern {
            Pat::Ident(name) if (self.is_wanted)(&name.ident) => {
                name.by_ref = None;
                name.mutability = None;
                return;
            }
            // In upper case it may be a constant.
            Pat::Ident(name) if name.ident.unraw().to_string().starts_with(char::is_uppercase) => return,
            Pat::Ident(name) => name.subpat.take().map(|(_, pattern)| *pattern),
            // A reference is matched by what is behind it.
            Pat::Reference(reference) => Some((*reference.pat).clone()),
            Pat::Paren(parenthesized) if !matches!(*parenthesized.pat, Pat::Or(_)) => {
                Some((*parenthesized.pat).clone())
            }
            _ => return,
        };
        *pattern = rest.unwrap_or_else(|| {
            Pat::Wild(PatWild { attrs: Vec::new(), underscore_token: Token![_](Span::mixed_site()) })
        });
    }

    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}
