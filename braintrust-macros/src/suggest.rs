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
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of an error message: `; did you mean …?`, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|candidate| format!("; did you mean `{candidate}`?")).unwrap_or_default()
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to turn `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("skip", "skip"), 0);
        assert_eq!(edits("skp", "skip"), 1);
        assert_eq!(edits("ksip", "skip"), 1);
        assert_eq!(edits("", "skip"), 4);
        assert_eq!(edits("plan", "name"), 4);
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(nearest("ouput", ["input", "output"]), Some("output"));
        assert_eq!(nearest("answer", ["input", "output"]), None);
        assert_eq!(nearest("typ", ["type"]), Some("type"));
        assert_eq!(nearest("ret", ["err"]), None);
        assert_eq!(nearest("m", ["n"]), None);
    }
}
