//! The metrics of a call: only those that the provider counted, under the names that Braintrust knows.

use serde_json::Value;

use super::json::Object;
use super::notes::Notes;

/// More tokens than any call has: a number beyond is an error, which must not reach a bill.
const MAX_TOKENS: u64 = 10_000_000_000;

/// Every metric that a call of a model may have, beside its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    PromptTokens,
    CompletionTokens,
    Tokens,
    PromptCached,
    PromptCacheCreation,
    PromptCacheCreation5m,
    PromptCacheCreation1h,
    PromptAudio,
    CompletionReasoning,
    CompletionAudio,
    CompletionImage,
}

impl Metric {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PromptTokens => "prompt_tokens",
            Self::CompletionTokens => "completion_tokens",
            Self::Tokens => "tokens",
            Self::PromptCached => "prompt_cached_tokens",
            Self::PromptCacheCreation => "prompt_cache_creation_tokens",
            Self::PromptCacheCreation5m => "prompt_cache_creation_5m_tokens",
            Self::PromptCacheCreation1h => "prompt_cache_creation_1h_tokens",
            Self::PromptAudio => "prompt_audio_tokens",
            Self::CompletionReasoning => "completion_reasoning_tokens",
            Self::CompletionAudio => "completion_audio_tokens",
            Self::CompletionImage => "completion_image_tokens",
        }
    }
}

/// The metrics found so far.
#[derive(Debug, Default)]
pub(super) struct Metrics(Object);

impl Metrics {
    /// Sets a metric to a count that was reported, and is sound.
    pub(super) fn set(&mut self, metric: Metric, count: Count) {
        if let Count::Of(count) = count {
            self.0.insert(metric.as_str().to_owned(), count.into());
        }
    }

    /// Sets prompt, completion and total, the latter to the sum where the provider gives none.
    pub(super) fn set_totals(&mut self, prompt: Count, completion: Count, total: Count) {
        self.set(Metric::PromptTokens, prompt);
        self.set(Metric::CompletionTokens, completion);
        self.set(Metric::Tokens, if total == Count::Absent { prompt.plus(completion) } else { total });
    }

    pub(super) fn into_object(self) -> Object {
        self.0
    }
}

/// A number of tokens as a provider reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Not reported.
    Absent,
    /// Reported, but no number of tokens.
    Unsound,
    Of(u64),
}

impl Count {
    /// The first of `names` that `usage` reports.
    pub(super) fn read(usage: &Value, names: &[&str], notes: &mut Notes) -> Self {
        let Some((name, value)) = names.iter().find_map(|name| Some((name, super::json::get(usage, name)?))) else {
            return Self::Absent;
        };
        match sound(value) {
            Some(count) => Self::Of(count),
            None => {
                let shown: String = value.to_string().chars().take(40).collect();
                notes.add(format!("`{name}` is {shown}, which is no number of tokens"));
                Self::Unsound
            }
        }
    }

    /// The sum of two parts, both of which must be known.
    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Of(one), Self::Of(other)) => Self::Of(one.saturating_add(other)),
            (Self::Unsound, _) | (_, Self::Unsound) => Self::Unsound,
            _ => Self::Absent,
        }
    }

    /// The sum with a part that is zero where it is not reported.
    pub(super) fn plus_if_any(self, part: Self) -> Self {
        if part == Self::Absent { self } else { self.plus(part) }
    }

    /// This count, or another where this one is not reported.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Absent { other } else { self }
    }
}

fn sound(value: &Value) -> Option<u64> {
    let count = match value.as_u64() {
        Some(count) => count,
        // Some providers write whole numbers as `12.0`.
        None => value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e18).contains(number))? as u64,
    };
    (count <= MAX_TOKENS).then_some(count)
}

/// Merges what a later event of a stream reports of the usage into what is known of it. Counts are totals so far, not
/// increments; what a later report leaves out stays.
pub(super) fn merge_usage(known: &mut Value, later: Value) {
    match (known, later) {
        (_, Value::Null) => {}
        (Value::Object(known), Value::Object(later)) => {
            for (key, value) in later {
                merge_usage(known.entry(key).or_insert(Value::Null), value);
            }
        }
        (known, later) => *known = later,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_count_no_tokens_are_left_out_and_noted() {
        let usage = json!({"a": -1, "b": 1.5, "c": "12", "d": 1e30, "e": 99_999_999_999_u64, "f": [], "g": 7.0, "h": 0, "i": null});
        let mut notes = Notes::default();
        let mut read = |name| Count::read(&usage, &[name], &mut notes);
        for name in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(read(name), Count::Unsound, "{name}");
        }
        assert_eq!((read("g"), read("h")), (Count::Of(7), Count::Of(0)));
        assert_eq!((read("i"), read("j")), (Count::Absent, Count::Absent));
        assert_eq!(notes.as_slice().len(), 6);
        assert_eq!(notes.as_slice()[0], "`a` is -1, which is no number of tokens");
    }

    #[test]
    fn a_sum_is_known_only_if_its_parts_are() {
        use Count::*;
        assert_eq!((Of(1).plus(Of(2)), Of(1).plus(Absent), Of(1).plus(Unsound)), (Of(3), Absent, Unsound));
        assert_eq!(
            (Of(1).plus_if_any(Absent), Absent.plus_if_any(Of(1)), Of(1).plus_if_any(Unsound)),
            (Of(1), Absent, Unsound)
        );
    }
}
