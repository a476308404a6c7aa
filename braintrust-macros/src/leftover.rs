//! Which parameters leave a part of their value where no name is bound to it.
//!
//! Such a part is dropped after the names of its own parameter and before those of the parameters to its left. So that it
//! is in a traced function too, the body takes over the whole parameter, and matches it with the pattern.

use syn::visit::{self, Visit};
use syn::{Expr, Pat, Type};

/// Whether `pattern` leaves something of a value of the type `ty` that may have to be dropped.
pub(crate) fn is_left_by(pattern: &Pat, ty: &Type) -> bool {
    let mut left = Left { anything: false, is_unknown: false };
    if owns_nothing(ty) {
        return false;
    }
    left.visit_pat(pattern);
    left.anything && !left.is_unknown
}

/// Whether there is nothing to drop in a value of the type, by the type's syntax alone.
fn owns_nothing(ty: &Type) -> bool {
    match ty {
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => true,
        Type::Array(array) => owns_nothing(&array.elem),
        Type::Group(group) => owns_nothing(&group.elem),
        Type::Paren(parenthesized) => owns_nothing(&parenthesized.elem),
        Type::Path(path) => path.path.get_ident().is_some_and(|name| COPIED.iter().any(|copied| name == copied)),
        Type::Tuple(tuple) => tuple.elems.iter().all(owns_nothing),
        _ => false,
    }
}

const COPIED: [&str; 16] = [
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "u128", "u16", "u32", "u64", "u8",
    "usize",
];

struct Left {
    anything: bool,
    /// Whether there is a macro in the pattern, of which nobody knows what it binds.
    is_unknown: bool,
}

impl<'ast> Visit<'ast> for Left {
    fn visit_pat(&mut self, pattern: &'ast Pat) {
        match pattern {
            Pat::Wild(_) | Pat::Rest(_) => self.anything = true,
            Pat::Macro(_) | Pat::Verbatim(_) => self.is_unknown = true,
            Pat::Struct(of) if of.rest.is_some() => self.anything = true,
            // A name takes the whole value, whatever is matched within it; a `ref` takes none of it.
            Pat::Ident(name) if name.by_ref.is_none() => return,
            Pat::Ident(_) => self.anything = true,
            // What is behind a reference is dropped elsewhere.
            Pat::Reference(_) => return,
            _ => {}
        }
        visit::visit_pat(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::FnArg;

    fn is_left(parameter: &str) -> bool {
        let FnArg::Typed(parameter) = syn::parse_str(parameter).unwrap() else { panic!("a receiver") };
        is_left_by(&parameter.pat, &parameter.ty)
    }

    #[test]
    fn patterns_that_take_all_of_a_value_leave_nothing() {
        for parameter in [
            "a: A",
            "mut a: A",
            "(a, mut b): (A, B)",
            "State(state): State<A>",
            "Point { x, y: z }: Point",
            "[a, rest @ ..]: [A; 3]",
            "all @ (a, _): (A, B)",
            "&(a, _): &(A, B)",
            "(a, _): &(A, B)",
            "_: &mut A",
            "_: (u8, &str)",
            "(A(a) | B(a)): E",
        ] {
            assert!(!is_left(parameter), "{parameter}");
        }
    }

    #[test]
    fn other_patterns_leave_something() {
        for parameter in [
            "_: A",
            "ref a: A",
            "(a, _): (A, B)",
            "(a, ..): (A, B)",
            "(a, ref mut b): (A, B)",
            "Point { x, .. }: Point",
            "Point { x, y: (_, z) }: Point",
            "[a, .., b]: [A; 3]",
            "ref all @ (..): (A, B)",
            "(A(a, _) | B(a)): E",
        ] {
            assert!(is_left(parameter), "{parameter}");
        }
    }
}
