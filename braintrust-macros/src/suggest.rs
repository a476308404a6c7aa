//! "Did you mean …": the nearest known word.

/// The known word nearest to `word`, if `word` looks like a misspelling of it.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(word, known, |characters| match characters {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    })
}

/// The known word nearest to `word`, if it is within the edits that `allowed` gives a known word of so many characters.
pub(crate) fn nearest_within<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    allowed: impl Fn(usize) -> usize,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of an error message: `; did you mean …?`, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|candidate| format!("; did you mean `{candidate}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(nearest("ouput", ["input", "output"]), Some("output"));
        assert_eq!(nearest("answer", ["input", "output"]), None);
        assert_eq!(nearest("typ", ["type"]), Some("type"));
        assert_eq!(nearest("ret", ["err"]), None);
        assert_eq!(nearest("m", ["n"]), None);
    }
}
