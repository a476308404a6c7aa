//! Several texts looked for at once.

use std::ops::Range;

use aho_corasick::packed::{self, Searcher};
use aho_corasick::{AhoCorasick, Input, MatchKind, Span};

/// Texts to be found in others: of those that begin at one place, the longest.
pub(crate) enum Needles {
    /// By vectors: several times as fast as the automaton, which stops at every quote in JSON, and at every common letter.
    Packed(Searcher),
    /// For more texts than vectors are good for, and for processors without them.
    Automaton(AhoCorasick),
}

impl Needles {
    /// The texts, each of which is known by its number later. None may be empty.
    pub(crate) fn new(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let texts: Vec<_> = texts.into_iter().collect();
        let longest = packed::MatchKind::LeftmostLongest;
        match packed::Config::new().match_kind(longest).builder().extend(&texts).build() {
            Some(searcher) => Self::Packed(searcher),
            None => {
                let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
                Self::Automaton(automaton.expect("texts don't add up to gigabytes"))
            }
        }
    }

    /// Whether one of them is in `text`.
    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        self.find_in(text, 0).is_some()
    }

    /// Which of them are in `text`, and where, without those that overlap an earlier one.
    pub(crate) fn find_iter<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let (number, place) = self.find_in(text, from)?;
            from = place.end;
            Some((number, place))
        })
    }

    fn find_in(&self, text: &[u8], from: usize) -> Option<(usize, Range<usize>)> {
        let found = match self {
            Self::Packed(searcher) => searcher.find_in(text, Span { start: from, end: text.len() }),
            Self::Automaton(automaton) => automaton.find(Input::new(text).range(from..)),
        }?;
        Some((found.pattern().as_usize(), found.range()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ways_find_the_same(
            texts in prop::collection::vec("[ab]{1,4}", 1..6),
            text in "[abc]{0,80}",
        ) {
            let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts).unwrap();
            let automaton = Needles::Automaton(automaton);
            let any = Needles::new(&texts);
            let places = |needles: &Needles| needles.find_iter(text.as_bytes()).map(|found| found.1).collect::<Vec<_>>();
            prop_assert_eq!(places(&any), places(&automaton));
            prop_assert_eq!(any.are_in(text.as_bytes()), !places(&any).is_empty());
        }
    }
}
