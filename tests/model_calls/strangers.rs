//! What bodies from strangers are read as, and what a span may say whatever they hold. The fuzz target includes this file
//! too, so that both try the same.

use super::WireApi;

/// Every wire format. The seeds of the fuzz target count on the order.
pub const APIS: [WireApi; 15] = [
    WireApi::ChatCompletions,
    WireApi::Responses,
    WireApi::Completions,
    WireApi::Embeddings,
    WireApi::Images,
    WireApi::Speech,
    WireApi::Transcriptions,
    WireApi::Moderations,
    WireApi::Messages,
    WireApi::GenerateContent,
    WireApi::Converse,
    WireApi::OllamaChat,
    WireApi::OllamaGenerate,
    WireApi::CohereChat,
    WireApi::Rerank,
];

/// A content type for each framing, and none.
pub const CONTENT_TYPES: [Option<&str>; 6] = [
    Some("text/event-stream"),
    Some("application/json"),
    Some("application/vnd.amazon.eventstream"),
    Some("application/x-ndjson"),
    Some("audio/mpeg"),
    None,
];

/// The entries that the metadata of a model's call may have.
pub const METADATA: [&str; 13] = [
    "model",
    "provider",
    "temperature",
    "top_p",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "stop",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_tool_calls",
];
