//! The span types that `type = "…"` accepts: the names on the wire, and the variants of the runtime's `SpanType`.

/// Name on the wire and variant, in the order of the runtime's own list.
pub(crate) const KINDS: [(&str, &str); 11] = [
    ("llm", "Llm"),
    ("score", "Score"),
    ("function", "Function"),
    ("eval", "Eval"),
    ("task", "Task"),
    ("tool", "Tool"),
    ("automation", "Automation"),
    ("facet", "Facet"),
    ("preprocessor", "Preprocessor"),
    ("classifier", "Classifier"),
    ("review", "Review"),
];

/// The variant of a function whose attribute names no type.
pub(crate) const DEFAULT_VARIANT: &str = "Function";

/// The variant that stands for a name.
pub(crate) fn variant(name: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, variant)| *variant)
}

/// Every name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}
