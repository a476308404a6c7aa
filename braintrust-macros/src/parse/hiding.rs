//! Words that somebody may have written to keep something out of a span.
//!
//! Such a word must never be taken as a span's name: what it was to hide would be recorded without a word. A name that
//! is refused for it costs two quotes.

/// What does hide something.
pub(super) const WAYS: &str = "these hide something:
  `no_input`: no argument is recorded
  `no_output`: the result is not recorded
  `skip(a, b)`: these arguments are not recorded; `skip_all`: none is
  `capture(a, b)`: only these arguments are recorded
  `redact(a)`: `\"[REDACTED]\"` is recorded in the place of this argument";

/// Whole words.
const WORDS: [&str; 12] =
    ["disable", "false", "mask", "masked", "mute", "no", "none", "nothing", "off", "pii", "quiet", "silent"];

/// How words begin, whatever comes after it.
const BEGINNINGS: [&str; 33] = [
    "anonym",
    "censor",
    "conceal",
    "confidential",
    "disable_",
    "disabled",
    "do_not",
    "dont",
    "exclud",
    "hidden",
    "hide",
    "hiding",
    "ignor",
    "leave_out",
    "mask_",
    "never_",
    "no_",
    "nocapture",
    "nolog",
    "norecord",
    "not_",
    "notrace",
    "obfuscat",
    "omit",
    "opaque",
    "private",
    "redact",
    "secret",
    "sensitive",
    "skip",
    "suppress",
    "untraced",
    "without",
];

/// How words end, whatever comes before it.
const ENDINGS: [&str; 9] =
    ["_confidential", "_hidden", "_ignored", "_omitted", "_private", "_redacted", "_secret", "_sensitive", "_skipped"];

/// Verbs that hide something only where they are about arguments or results: `strip` is a fine name.
const VERBS: [&str; 8] = ["discard", "drop", "elide", "erase", "no", "remove", "scrub", "strip"];

/// What a call has.
const PARTS: [&str; 16] = [
    "all",
    "args",
    "arguments",
    "body",
    "input",
    "inputs",
    "io",
    "output",
    "outputs",
    "params",
    "parameters",
    "payload",
    "result",
    "return",
    "self",
    "values",
];

/// Whether `word`, in snake case, looks like a wish to hide something.
pub(super) fn is_meant_by(word: &str) -> bool {
    WORDS.contains(&word)
        || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        || ENDINGS.iter().any(|ending| word.ends_with(ending))
        || VERBS.iter().any(|verb| {
            word.strip_prefix(verb).is_some_and(|rest| PARTS.contains(&rest.strip_prefix('_').unwrap_or(rest)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_to_hide_are_told_from_names() {
        for wish in [
            "skip_input",
            "skip_args",
            "no_args",
            "no_capture",
            "noargs",
            "hide",
            "hide_input",
            "hidden",
            "redacted",
            "ignore",
            "ignore_args",
            "sensitive",
            "is_sensitive",
            "secret",
            "secrets",
            "omit_input",
            "without_args",
            "private",
            "exclude",
            "excluded",
            "mask",
            "mask_input",
            "masked",
            "suppress",
            "disabled",
            "off",
            "none",
            "no_trace_i_o",
            "notrace_io",
            "drop_args",
            "strip_input",
            "do_not_log",
            "input_hidden",
            "not_recorded",
        ] {
            assert!(is_meant_by(wish), "{wish}");
        }
        for name in [
            "answer",
            "page",
            "game",
            "make",
            "ship",
            "strip",
            "stage",
            "node",
            "note",
            "notify",
            "novel",
            "now",
            "drop",
            "remove_page",
            "search",
            "login",
            "load_token",
            "masking",
            "sign_off",
            "yes_no",
            "offer",
            "normalize",
            "kiss",
            "task_queue",
            "summarize_input",
            "noise",
        ] {
            assert!(!is_meant_by(name), "{name}");
        }
    }
}
