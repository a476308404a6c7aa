//! The wire formats that are understood.

/// What requests and responses look like, whoever serves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireApi {
    /// OpenAI's chat completions, which most providers speak: `…/chat/completions`.
    ChatCompletions,
    /// OpenAI's responses: `…/responses`.
    Responses,
    /// OpenAI's older text completions: `…/completions`.
    Completions,
    /// OpenAI's embeddings: `…/embeddings`.
    Embeddings,
    /// OpenAI's image generation, edits and variations: `…/images/generations`.
    Images,
    /// OpenAI's text to speech: `…/audio/speech`.
    Speech,
    /// OpenAI's speech to text: `…/audio/transcriptions`, `…/audio/translations`.
    Transcriptions,
    /// OpenAI's moderation: `…/moderations`.
    Moderations,
    /// Documents ordered by a query, as Cohere, Jina, Voyage and servers of open models do it: `…/rerank`.
    Rerank,
    /// Anthropic's messages: `…/messages`, and by way of Bedrock `…/invoke`, `…/invoke-with-response-stream`.
    Messages,
    /// Google's Gemini: `…:generateContent`, `…:streamGenerateContent`.
    GenerateContent,
    /// Amazon Bedrock's Converse: `…/converse`, `…/converse-stream`.
    Converse,
    /// Cohere's own chat: `…/v2/chat`.
    CohereChat,
    /// Ollama's own chat: `…/api/chat`.
    OllamaChat,
    /// Ollama's own completion: `…/api/generate`.
    OllamaGenerate,
}

impl WireApi {
    /// The name of the span of a call.
    #[must_use]
    pub const fn span_name(self, streams: bool) -> &'static str {
        match (self, streams) {
            (Self::ChatCompletions, _) => "Chat Completion",
            (Self::Responses, _) => "openai.responses.create",
            (Self::Completions, _) => "Completion",
            (Self::Embeddings, _) => "Embedding",
            (Self::Images, _) => "Image Generation",
            (Self::Speech, _) => "Speech",
            (Self::Transcriptions, _) => "Transcription",
            (Self::Moderations, _) => "Moderation",
            (Self::Rerank, _) => "Rerank",
            (Self::Messages, false) => "anthropic.messages.create",
            (Self::Messages, true) => "anthropic.messages.stream",
            (Self::GenerateContent, _) => "generate_content",
            (Self::Converse, false) => "bedrock.converse",
            (Self::Converse, true) => "bedrock.converse-stream",
            (Self::CohereChat, false) => "cohere.chat",
            (Self::CohereChat, true) => "cohere.chatStream",
            (Self::OllamaChat, _) => "ollama.chat",
            (Self::OllamaGenerate, _) => "ollama.generate",
        }
    }

    /// The provider whose API this is, for hosts of which nothing else is known.
    #[must_use]
    pub const fn home_provider(self) -> &'static str {
        match self {
            Self::Messages => "anthropic",
            Self::GenerateContent => "google",
            Self::Converse => "bedrock",
            Self::CohereChat | Self::Rerank => "cohere",
            Self::OllamaChat | Self::OllamaGenerate => "ollama",
            _ => "openai",
        }
    }
}
