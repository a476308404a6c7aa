//! Texts found in any case, fast where there are none of them.
//!
//! An automaton that minds no case reads some hundred megabytes in a second. So three letters of each text are looked for
//! first, in all their cases at once, by vectors; the automaton reads only what lies around these.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::needles::Needles;

/// From the commonest to the rarest, in English.
const LETTERS: &[u8] = b"etaoinshrdlcumwfgypbvkjxqz";
/// How many letters are looked for first.
const ANCHOR: usize = 3;
/// Vectors are good for 64 texts: so many anchors have as many cases.
const MOST_ANCHORS: usize = 8;

/// Texts in ASCII, whatever the case of their letters.
pub(super) struct AnyCase {
    automaton: AhoCorasick,
    /// Nothing if not every text has letters to look for.
    anchors: Option<Needles>,
    longest: usize,
}

impl AnyCase {
    /// The texts; none may be empty.
    pub(super) fn new(texts: &BTreeSet<String>) -> Self {
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(texts);
        Self {
            automaton: automaton.expect("texts don't add up to gigabytes"),
            anchors: anchors(texts).map(|anchors| Needles::new(anchors.iter().flat_map(all_cases))),
            longest: texts.iter().map(String::len).max().unwrap_or_default(),
        }
    }

    /// Whether one of them is in `text`.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        let Some(anchors) = &self.anchors else { return self.automaton.is_match(text) };
        // An anchor that overlaps another is in what lies around that one.
        anchors.find_iter(text).any(|(_, found)| {
            let around = found.start.saturating_sub(self.longest)..text.len().min(found.end + self.longest);
            self.automaton.is_match(&text[around])
        })
    }

    /// Where they are in `text`.
    pub(super) fn find_iter<'a>(&'a self, text: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        self.automaton.find_iter(text).map(|found| found.range())
    }
}

type Anchor = [u8; ANCHOR];

/// Letters of which some are in each of `texts`, if there are few enough.
fn anchors(texts: &BTreeSet<String>) -> Option<BTreeSet<Anchor>> {
    let mut chosen = BTreeSet::new();
    for text in texts {
        let text = text.to_ascii_lowercase();
        let runs = || text.as_bytes().windows(ANCHOR).filter_map(|run| Anchor::try_from(run).ok());
        if !runs().any(|run| chosen.contains(&run)) {
            let (_, rarest) = runs().filter_map(|run| Some((rarity(run)?, run))).max()?;
            chosen.insert(rarest);
        }
    }
    (chosen.len() <= MOST_ANCHORS).then_some(chosen)
}

/// How seldom letters are; nothing if they are not letters.
fn rarity(run: Anchor) -> Option<usize> {
    run.iter().map(|letter| LETTERS.iter().position(|known| known == letter)).sum()
}

fn all_cases(letters: &Anchor) -> impl Iterator<Item = Anchor> + use<> {
    let letters = *letters;
    (0..1u8 << ANCHOR).map(move |upper| {
        let mut place = 0;
        letters.map(|letter| {
            let is_upper = upper >> place & 1 == 1;
            place += 1;
            if is_upper { letter.to_ascii_uppercase() } else { letter }
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn anchors_miss_nothing(
            texts in prop::collection::btree_set("[a-c]{3,4}(-[abc]{1,2})?", 1..5),
            text in "[a-cA-C-]{0,60}",
        ) {
            let any = AnyCase::new(&texts);
            prop_assert_eq!(any.are_in(text.as_bytes()), any.automaton.is_match(&text));
        }
    }

    #[test]
    fn texts_without_three_letters_are_found_all_the_same() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        assert!(AnyCase::new(&texts(&["id"])).are_in(b"the Id"));
        assert!(AnyCase::new(&texts(&["größe", "id"])).are_in("größe".as_bytes()));
        assert!(!AnyCase::new(&texts(&[])).are_in(b"any"));
    }
}
