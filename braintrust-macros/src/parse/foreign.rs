//! Options that other libraries have, and those of our own builders, with what stands for them here.

/// Words, and what to write instead of each.
struct Foreign {
    words: &'static [&'static str],
    instead: &'static str,
}

const FOREIGN: [Foreign; 20] = [
    Foreign {
        words: &["as_type", "category", "kind", "op", "run_type", "span_kind", "span_type", "ty"],
        instead: "the type of a span is `type = ...`, for example `type = \"llm\"`",
    },
    Foreign {
        words: &[
            "call_display_name",
            "display_name",
            "label",
            "msg",
            "msg_template",
            "rename",
            "short_name",
            "span_name",
            "title",
        ],
        instead: "the name of a span is `name = \"...\"`",
    },
    Foreign {
        words: &[
            "attribute",
            "attributes",
            "attrs",
            "extra",
            "field",
            "fields",
            "labels",
            "meta",
            "properties",
            "property",
            "props",
        ],
        instead: "other facts about a call are `metadata(key = value)`",
    },
    Foreign {
        words: &["model", "service", "session", "session_id", "temperature", "user", "user_id", "version"],
        instead: "facts of that kind are `metadata(key = value)`",
    },
    Foreign { words: &["tag"], instead: "tags are a list: `tags(\"a\", \"b\")`" },
    Foreign { words: &["level", "log_level", "severity"], instead: "spans have no level; leave it out" },
    Foreign {
        words: &["module", "target"],
        instead: "spans have no target; leave it out, the place in the code is recorded already",
    },
    Foreign {
        words: &["follows_from", "link", "links"],
        instead: "spans have no links to others; a parent is `parent = ...`",
    },
    Foreign {
        words: &["is_root", "new_root", "root"],
        instead: "a span without a parent has `parent = braintrust::Parent::root()`",
    },
    Foreign {
        words: &[
            "capture_output",
            "capture_result",
            "log_output",
            "record_output",
            "record_return",
            "result",
            "ret",
            "return",
            "returns",
        ],
        instead: "the result is recorded already; `no_output` leaves it out, and `output = |value| ...` says what to record",
    },
    Foreign {
        words: &[
            "args",
            "arguments",
            "capture_args",
            "capture_input",
            "extract_args",
            "inputs",
            "log_args",
            "params",
            "parameters",
            "record_args",
            "record_input",
        ],
        instead: "the arguments are recorded already; `no_input` leaves them out, `skip(a)` one of them, and `capture(a, b)` \
                  all but these",
    },
    Foreign {
        words: &["capture_error", "error", "errors", "record_error", "record_exception"],
        instead: "errors are recorded already; `err = ...` says how",
    },
    Foreign {
        words: &["allow", "include", "keep", "only", "record", "show"],
        instead: "`capture(a, b)` records only these arguments",
    },
    Foreign { words: &["self"], instead: "`capture(self)` records `self`" },
    Foreign {
        words: &["map_input", "postprocess_inputs", "process_input", "process_inputs"],
        instead: "`input = ...` takes an expression over the arguments",
    },
    Foreign {
        words: &["map_output", "output_reducer", "postprocess_output", "process_output", "process_outputs"],
        instead: "`output = |value| ...` says what to record of the result",
    },
    Foreign {
        words: &["accumulate", "aggregator", "reduce", "reduce_fn", "reducer"],
        instead: "the output of a stream is made by `stream, aggregate = |items| ...`",
    },
    Foreign {
        words: &["client", "exporter", "project_name", "tracer"],
        instead: "where a span goes is `project = \"...\"` or `logger = ...`",
    },
    Foreign {
        words: &["enter_on_poll"],
        instead: "one span covers all polls, and is current during each; leave it out",
    },
    Foreign {
        words: &["end_time", "event", "expected", "metric", "metrics", "score", "scores", "start_time"],
        instead: "this is said in the body, by `braintrust::current_span()`, or of a span made by hand, with \
                  `braintrust::start_span`",
    },
];

/// Those that stand alone elsewhere, and are no likely names.
const FLAGS: [&str; 11] = [
    "capture_args",
    "capture_error",
    "capture_input",
    "capture_output",
    "capture_result",
    "enter_on_poll",
    "record_args",
    "record_error",
    "record_return",
    "ret",
    "self",
];

/// What to write instead of `word`, which is in snake case.
pub(super) fn instead_of(word: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|foreign| foreign.words.contains(&word)).map(|foreign| foreign.instead)
}

/// What to write instead of `word`, if it would stand alone in another library.
pub(super) fn instead_of_flag(word: &str) -> Option<&'static str> {
    instead_of(word).filter(|_| FLAGS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::NAMES;

    #[test]
    fn every_foreign_word_is_answered_once() {
        let words: Vec<&str> = FOREIGN.iter().flat_map(|foreign| foreign.words).copied().collect();
        let mut once = words.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), words.len());
        assert!(NAMES.iter().all(|name| instead_of(name).is_none()));
        assert!(FLAGS.iter().all(|flag| instead_of_flag(flag).is_some()));
    }
}
