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
const WORDS: [&str; 15] = [
    "disable", "false", "gdpr", "hipaa", "mask", "masked", "mute", "no", "none", "nothing", "off", "phi", "pii",
    "quiet", "silent",
];

/// How words begin, whatever comes after it.
const BEGINNINGS: [&str; 38] = [
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
    "sanitized",
    "scrubbed",
    "secret",
    "sensitive",
    "skip",
    "suppress",
    "uncaptured",
    "unlogged",
    "unrecorded",
    "untraced",
    "without",
];

/// How words end, whatever comes before it.
const ENDINGS: [&str; 19] = [
    "_anonymised",
    "_anonymized",
    "_censored",
    "_confidential",
    "_disabled",
    "_excluded",
    "_hidden",
    "_ignored",
    "_masked",
    "_obfuscated",
    "_omitted",
    "_private",
    "_redacted",
    "_sanitized",
    "_scrubbed",
    "_secret",
    "_sensitive",
    "_skipped",
    "_suppressed",
];

/// Verbs that hide something only where they are about arguments or results: `strip` is a fine name.
const VERBS: [&str; 12] = [
    "discard",
    "discarded",
    "drop",
    "dropped",
    "elide",
    "elided",
    "erase",
    "erased",
    "remove",
    "removed",
    "scrub",
    "strip",
];

/// Words that hide something where they are about anything that is recorded: `sign_off` is a fine name too.
const NEGATIONS: [&str; 5] = ["false", "no", "none", "off", "only"];

/// What a call has.
const VALUES: [&str; 22] = [
    "all",
    "arg",
    "args",
    "argument",
    "arguments",
    "body",
    "input",
    "inputs",
    "io",
    "output",
    "outputs",
    "param",
    "parameter",
    "parameters",
    "params",
    "payload",
    "result",
    "return",
    "self",
    "value",
    "values",
    "vars",
];

/// What else is recorded, and what that is called.
const OTHERS: [&str; 13] = [
    "capture",
    "capturing",
    "data",
    "duration",
    "errors",
    "logging",
    "metadata",
    "name",
    "record",
    "recording",
    "timing",
    "timings",
    "tracing",
];

/// Whether `word`, in snake case, looks like a wish to hide something.
pub(super) fn is_meant_by(word: &str) -> bool {
    WORDS.contains(&word)
        || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        || ENDINGS.iter().any(|ending| word.ends_with(ending))
        || is_about(word, &VERBS, |part| VALUES.contains(&part))
        || is_about(word, &NEGATIONS, |part| VALUES.contains(&part) || OTHERS.contains(&part))
}

/// Whether `word` is one of `words` beside a part of the call, in either order.
fn is_about(word: &str, words: &[&str], is_part: impl Fn(&str) -> bool) -> bool {
    words.iter().any(|hiding| {
        let before = word.strip_suffix(hiding).and_then(|part| part.strip_suffix('_'));
        let after = word.strip_prefix(hiding).map(|part| part.strip_prefix('_').unwrap_or(part));
        before.is_some_and(&is_part) || after.is_some_and(&is_part)
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
            "input_off",
            "args_off",
            "io_none",
            "output_only",
            "only_output",
            "name_only",
            "timing_only",
            "recording_off",
            "tracing_off",
            "capture_false",
            "args_dropped",
            "input_masked",
            "body_scrubbed",
            "unrecorded",
            "uncaptured",
            "sanitized",
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
            "log_off",
            "read_only",
            "sanitize",
            "record",
            "capture_image",
            "drop_table",
            "drop_record",
            "erase_data",
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
