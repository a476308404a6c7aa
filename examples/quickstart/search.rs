//! Finds the texts that have most to do with a question, by Okapi BM25.

use std::collections::HashMap;

/// The usual value: how soon more of the same word ceases to count.
const SATURATION: f64 = 1.2;
/// The usual value: how much long texts are held back.
const LENGTH_PENALTY: f64 = 0.75;

/// The `count` best of some texts, best first.
pub fn best<T: ToString>(question: &str, texts: Vec<T>, count: usize) -> Vec<T> {
    let counts: Vec<_> = texts.iter().map(|text| word_counts(&text.to_string())).collect();
    let mut scored: Vec<_> = scores(question, &counts).into_iter().zip(texts).collect();
    scored.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    scored.into_iter().map(|(_, text)| text).take(count).collect()
}

/// The words of a text in lower case, without punctuation, and without the `s` that tells plurals from singulars.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.filter(|word| !word.is_empty()).map(|word| word.trim_end_matches('s').to_lowercase())
}

fn word_counts(text: &str) -> HashMap<String, f64> {
    let mut counts = HashMap::new();
    for word in words(text) {
        *counts.entry(word).or_default() += 1.0;
    }
    counts
}

fn scores(question: &str, texts: &[HashMap<String, f64>]) -> Vec<f64> {
    let total = texts.len() as f64;
    let length = |text: &HashMap<String, f64>| text.values().sum::<f64>();
    let average_length = texts.iter().map(length).sum::<f64>() / total;
    let mut scores = vec![0.0; texts.len()];
    for word in words(question) {
        let having = texts.iter().filter(|text| text.contains_key(&word)).count() as f64;
        let rarity = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
        for (score, text) in scores.iter_mut().zip(texts) {
            let count = text.get(&word).copied().unwrap_or_default();
            let norm = 1.0 - LENGTH_PENALTY + LENGTH_PENALTY * length(text) / average_length;
            *score += rarity * count * (SATURATION + 1.0) / (count + SATURATION * norm);
        }
    }
    scores
}
