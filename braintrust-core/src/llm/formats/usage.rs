//! The usage that OpenAI's APIs report, and those who speak like them.

use serde_json::Value;

use crate::llm::json;
use crate::llm::metrics::{Count, Metric, Metrics};
use crate::llm::notes::Notes;

/// Reads a `usage` object of any of OpenAI's APIs: chat counts `prompt_tokens`, the later ones `input_tokens`.
pub(super) fn read(usage: &Value, metrics: &mut Metrics, notes: &mut Notes) {
    let prompt = Count::read(usage, &["prompt_tokens", "input_tokens"], notes);
    let completion = Count::read(usage, &["completion_tokens", "output_tokens"], notes);
    let total = Count::read(usage, &["total_tokens"], notes);

    // Transcriptions are counted in details of a name of their own.
    let of_prompt = details(usage, ["prompt_tokens_details", "input_tokens_details", "input_token_details"]);
    let of_completion = details(usage, ["completion_tokens_details", "output_tokens_details", "output_token_details"]);
    let cached = Count::read(of_prompt, &["cached_tokens"], notes)
        // DeepSeek's name, Moonshot's place, and what gateways to Anthropic leave as it was.
        .or(Count::read(usage, &["prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"], notes));
    metrics.set(Metric::PromptCached, cached);
    let written = Count::read(of_prompt, &["cache_write_tokens", "cache_creation_input_tokens"], notes)
        .or(Count::read(usage, &["cache_creation_input_tokens"], notes));
    metrics.set(Metric::PromptCacheCreation, written);
    metrics.set(Metric::PromptAudio, Count::read(of_prompt, &["audio_tokens"], notes));
    let reasoning =
        Count::read(of_completion, &["reasoning_tokens"], notes).or(Count::read(usage, &["reasoning_tokens"], notes));
    metrics.set_totals(prompt, all_generated(prompt, completion, reasoning, total), total);
    metrics.set(Metric::CompletionReasoning, reasoning);
    metrics.set(Metric::CompletionAudio, Count::read(of_completion, &["audio_tokens"], notes));
    metrics.set(Metric::CompletionImage, Count::read(of_completion, &["image_tokens"], notes));
}

/// What was generated, with the reasoning. xAI counts that beside the completion, not in it, as its total tells.
fn all_generated(prompt: Count, completion: Count, reasoning: Count, total: Count) -> Count {
    let with_reasoning = completion.plus(reasoning);
    let is_known = matches!(total, Count::Of(_)) && reasoning != Count::Of(0);
    let is_apart = is_known && total == prompt.plus(with_reasoning);
    if is_apart { with_reasoning } else { completion }
}

fn details<'a>(usage: &'a Value, names: [&str; 3]) -> &'a Value {
    names.iter().find_map(|name| json::get(usage, name)).unwrap_or(&Value::Null)
}
