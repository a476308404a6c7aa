//! Which API an address belongs to: by the end of its path, so that gateways and compatible hosts are found too.

use std::borrow::Cow;

use super::{Endpoint, WireApi};

/// Paths by how they end. The first that fits counts, so the longer ones come first.
const SUFFIXES: [(&str, WireApi); 14] = [
    ("/chat/completions", WireApi::ChatCompletions),
    ("/completions", WireApi::Completions),
    ("/responses", WireApi::Responses),
    ("/embeddings", WireApi::Embeddings),
    ("/images/generations", WireApi::Images),
    ("/images/edits", WireApi::Images),
    ("/audio/speech", WireApi::Speech),
    ("/audio/transcriptions", WireApi::Transcriptions),
    ("/audio/translations", WireApi::Transcriptions),
    ("/moderations", WireApi::Moderations),
    ("/v1/messages", WireApi::Messages),
    ("/anthropic/messages", WireApi::Messages),
    ("/api/chat", WireApi::OllamaChat),
    ("/api/generate", WireApi::OllamaGenerate),
];

/// Providers by how their hosts end. A name without a leading dot is the whole host.
const HOSTS: [(&str, &str); 48] = [
    ("api.openai.com", "openai"),
    (".api.openai.com", "openai"),
    (".openai.azure.com", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".services.ai.azure.com", "azure"),
    (".models.ai.azure.com", "azure"),
    ("models.inference.ai.azure.com", "github"),
    ("models.github.ai", "github"),
    ("api.githubcopilot.com", "github"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("aiplatform.googleapis.com", "google"),
    ("-aiplatform.googleapis.com", "google"),
    (".amazonaws.com", "bedrock"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("codestral.mistral.ai", "mistral"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    (".api.x.ai", "xai"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("openrouter.ai", "openrouter"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cerebras.ai", "cerebras"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.sambanova.ai", "sambanova"),
    ("api.studio.nebius.ai", "nebius"),
    ("api.studio.nebius.com", "nebius"),
    ("api.tokenfactory.nebius.com", "nebius"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("api.moonshot.ai", "moonshot"),
    ("api.moonshot.cn", "moonshot"),
    ("api.minimax.io", "minimax"),
    ("api.z.ai", "zai"),
    ("open.bigmodel.cn", "zai"),
    ("api.voyageai.com", "voyage"),
    (".huggingface.co", "huggingface"),
    (".huggingface.cloud", "huggingface"),
    (".aliyuncs.com", "alibaba"),
    ("gateway.ai.cloudflare.com", "cloudflare"),
    ("ai-gateway.vercel.sh", "vercel"),
    ("api.braintrust.dev", "braintrust"),
    ("ollama.com", "ollama"),
];

/// The port on which Ollama listens unless told otherwise.
const OLLAMA_PORT: &str = "11434";

/// Finds the API that a request to `host` (a name, with a port or without) and `path` speaks; `None` for what is no call
/// of a model, which a wrapper passes through untouched.
///
/// The API is told by the end of the path, so that Azure, gateways and compatible hosts are found too; the provider by
/// the host. A host that is not known is taken for the provider whose API it speaks.
///
/// ```
/// use braintrust_core::llm::{WireApi, detect};
///
/// let endpoint = detect("api.groq.com", "/openai/v1/chat/completions").unwrap();
/// assert_eq!((endpoint.provider(), endpoint.api()), ("groq", WireApi::ChatCompletions));
///
/// let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
/// let endpoint = detect("generativelanguage.googleapis.com", path).unwrap();
/// assert_eq!((endpoint.model(), endpoint.streams()), (Some("gemini-2.5-flash"), Some(true)));
///
/// assert!(detect("api.openai.com", "/v1/files").is_none());
/// ```
#[must_use]
pub fn detect(host: &str, path: &str) -> Option<Endpoint> {
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let endpoint = by_path(path)?;
    match provider_of(host) {
        Some(provider) => Some(endpoint.with_provider(provider)),
        None => Some(endpoint),
    }
}

fn by_path(path: &str) -> Option<Endpoint> {
    let at_home = |api: WireApi| Endpoint::new(api.home_provider(), api);
    if let Some((_, api)) = SUFFIXES.iter().find(|(suffix, _)| path.ends_with(suffix)) {
        return Some(at_home(*api));
    }
    let last = path.rsplit('/').next()?;
    if let Some((model, verb)) = last.rsplit_once(':') {
        let (api, streams) = match verb {
            "generateContent" => (WireApi::GenerateContent, false),
            "streamGenerateContent" => (WireApi::GenerateContent, true),
            "rawPredict" if path.contains("/publishers/anthropic/") => (WireApi::Messages, false),
            "streamRawPredict" if path.contains("/publishers/anthropic/") => (WireApi::Messages, true),
            _ => return None,
        };
        return Some(at_home(api).with_model(decoded(model)).with_streaming(streams));
    }
    let streams = match last {
        "converse" => false,
        "converse-stream" => true,
        _ => return None,
    };
    // `/model/{id}/converse`, where the id may itself hold slashes, encoded or not.
    let (_, model) = path.strip_suffix(last)?.strip_suffix('/')?.split_once("/model/")?;
    Some(at_home(WireApi::Converse).with_model(decoded(model)).with_streaming(streams))
}

fn provider_of(authority: &str) -> Option<&'static str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    if port == Some(OLLAMA_PORT) {
        return Some("ollama");
    }
    let known = HOSTS.iter().find(|(end, _)| match end.as_bytes()[0] {
        b'.' | b'-' => ends_with_ignoring_case(host, end),
        _ => host.eq_ignore_ascii_case(end),
    });
    known.map(|(_, provider)| *provider)
}

fn ends_with_ignoring_case(host: &str, end: &str) -> bool {
    let tail = host.len().checked_sub(end.len()).and_then(|start| host.get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Resolves percent-encoding, as in the `%3A` of Bedrock's model ids.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let encoded = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match encoded.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, path: &str) -> Option<(String, WireApi, Option<String>, Option<bool>)> {
        let endpoint = detect(host, path)?;
        let model = endpoint.model().map(str::to_owned);
        Some((endpoint.provider().to_owned(), endpoint.api(), model, endpoint.streams()))
    }

    #[test]
    fn addresses_of_providers_and_of_those_who_speak_like_them() {
        use WireApi::*;
        let bedrock = "bedrock-runtime.us-east-2.amazonaws.com";
        let vertex = "us-central1-aiplatform.googleapis.com";
        let claude = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4:streamRawPredict";
        let plain = [
            ("api.openai.com", "/v1/chat/completions", "openai", ChatCompletions),
            ("API.OpenAI.com:443", "/v1/responses?x=1", "openai", Responses),
            ("acme.openai.azure.com", "/openai/deployments/d/chat/completions?api-version=1", "azure", ChatCompletions),
            ("api.openai.com", "/v1/completions/", "openai", Completions),
            ("api.openai.com", "/v1/embeddings", "openai", Embeddings),
            ("127.0.0.1:8080", "/v1/chat/completions", "openai", ChatCompletions),
            ("localhost:11434", "/v1/chat/completions", "ollama", ChatCompletions),
            ("localhost:11434", "/api/chat", "ollama", OllamaChat),
            ("gateway.corp", "/anthropic/v1/messages", "anthropic", Messages),
            ("api.anthropic.com", "/v1/messages", "anthropic", Messages),
            ("[::1]:9000", "/api/generate", "ollama", OllamaGenerate),
        ];
        for (host, path, provider, api) in plain {
            assert_eq!(found(host, path), Some((provider.to_owned(), api, None, None)), "{host}{path}");
        }
        let named = [
            (
                bedrock,
                "/model/us.amazon.nova-lite-v1%3A0/converse",
                "bedrock",
                Converse,
                "us.amazon.nova-lite-v1:0",
                false,
            ),
            (bedrock, "/model/arn:aws:bedrock:x/y/converse-stream", "bedrock", Converse, "arn:aws:bedrock:x/y", true),
            (vertex, claude, "google", Messages, "claude-sonnet-4", true),
            (vertex, "/v1/models/gemini-3:generateContent", "google", GenerateContent, "gemini-3", false),
        ];
        for (host, path, provider, api, model, streams) in named {
            let expected = (provider.to_owned(), api, Some(model.to_owned()), Some(streams));
            assert_eq!(found(host, path), Some(expected), "{host}{path}");
        }
    }

    #[test]
    fn all_else_is_no_model_call() {
        for path in
            ["", "/", "/v1/files", "/v1/chat", "/converse", "/v1/models/x:countTokens", "/v1/batches", "/%", "/a:%zz"]
        {
            assert_eq!(found("api.openai.com", path), None, "{path}");
        }
        assert_eq!(decoded("%zz%3"), "%zz%3");
    }
}
