//! Which API an address belongs to: by the end of its path, so that gateways and compatible hosts are found too.

mod hosts;

use std::borrow::Cow;

use super::{Endpoint, WireApi};

/// A known path, by how it ends.
struct Path {
    end: &'static str,
    api: WireApi,
    proof: Proof,
}

/// What proves that a path is that of an API.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The path itself: no other kind of service is known to have such.
    Path,
    /// A host that serves models, or a request that names one.
    Model,
    /// The host of the API's own provider: the request of another would look the same, but be in another format.
    Provider,
    /// This entry of the request: the address leads to a model, but does not say to whose.
    Entry(&'static str),
}

const fn known(end: &'static str, api: WireApi) -> Path {
    Path { end, api, proof: Proof::Path }
}

/// A path that may as well belong to a survey, a messenger or a gallery.
const fn common(end: &'static str, api: WireApi) -> Path {
    Path { end, api, proof: Proof::Model }
}

/// The first that fits counts, so the longer ones come first.
const PATHS: [Path; 19] = [
    known("/chat/completions", WireApi::ChatCompletions),
    common("/completions", WireApi::Completions),
    common("/responses", WireApi::Responses),
    common("/embeddings", WireApi::Embeddings),
    known("/images/generations", WireApi::Images),
    common("/images/edits", WireApi::Images),
    common("/images/variations", WireApi::Images),
    known("/audio/speech", WireApi::Speech),
    known("/audio/transcriptions", WireApi::Transcriptions),
    known("/audio/translations", WireApi::Transcriptions),
    common("/moderations", WireApi::Moderations),
    common("/rerank", WireApi::Rerank),
    known("/anthropic/v1/messages", WireApi::Messages),
    known("/anthropic/messages", WireApi::Messages),
    common("/v1/messages", WireApi::Messages),
    known("/cohere/v2/chat", WireApi::CohereChat),
    Path { end: "/v2/chat", api: WireApi::CohereChat, proof: Proof::Provider },
    common("/api/chat", WireApi::OllamaChat),
    common("/api/generate", WireApi::OllamaGenerate),
];

/// Finds the API that a request to `host` (a name, with a port or without) and `path` speaks; `None` for what is no call
/// of a model, which a wrapper passes through untouched.
///
/// The API is told by the end of the path, so that Azure, gateways and compatible hosts are found too; the provider by
/// the host. A host that is not known is taken for the provider whose API it speaks.
///
/// ```
/// use braintrust::llm::{WireApi, detect};
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
    let (endpoint, proof) = by_path(path)?;
    let host = hosts::find(host);
    let is_at_home = host.is_some_and(|host| host.provider == endpoint.provider());
    if proof == Proof::Provider && !is_at_home {
        return None;
    }
    let proving_entry = match proof {
        Proof::Path => None,
        Proof::Entry(entry) => Some(entry),
        Proof::Model | Proof::Provider => (!host.is_some_and(|host| host.serves_only_models)).then_some("model"),
    };
    let endpoint = endpoint.with_proving_entry(proving_entry);
    Some(match host {
        Some(host) => endpoint.with_provider(host.provider),
        None => endpoint,
    })
}

/// The endpoint as if it were its API's own provider, and what proves that it is one.
fn by_path(path: &str) -> Option<(Endpoint, Proof)> {
    if let Some(known) = PATHS.iter().find(|known| path.ends_with(known.end)) {
        return Some((at_home(known.api), known.proof));
    }
    by_model_in_path(path)
}

fn at_home(api: WireApi) -> Endpoint {
    Endpoint::new(api.home_provider(), api)
}

/// Paths that name a model, and what is to be done with it.
fn by_model_in_path(path: &str) -> Option<(Endpoint, Proof)> {
    let last = path.rsplit('/').next()?;
    if let Some((model, verb)) = last.rsplit_once(':') {
        let (api, streams) = match verb {
            "generateContent" => (WireApi::GenerateContent, false),
            "streamGenerateContent" => (WireApi::GenerateContent, true),
            "rawPredict" if path.contains("/publishers/anthropic/") => (WireApi::Messages, false),
            "streamRawPredict" if path.contains("/publishers/anthropic/") => (WireApi::Messages, true),
            _ => return None,
        };
        return Some((at_home(api).with_model(decoded(model)).with_streaming(streams), Proof::Path));
    }
    // `/model/{id}/converse`, where the id may itself hold slashes, encoded or not.
    let (_, model) = path.strip_suffix(last)?.strip_suffix('/')?.split_once("/model/")?;
    let model = decoded(model);
    let (api, streams) = match last {
        "converse" => (WireApi::Converse, false),
        "converse-stream" => (WireApi::Converse, true),
        "invoke" => (WireApi::Messages, false),
        "invoke-with-response-stream" => (WireApi::Messages, true),
        _ => return None,
    };
    // What is invoked takes and gives what the model's own provider has its API take and give.
    let proof = match api {
        WireApi::Messages if model.contains("anthropic.") => Proof::Path,
        // That of a profile or of bought throughput, which may stand for any model.
        WireApi::Messages if model.starts_with("arn:") => Proof::Entry("anthropic_version"),
        WireApi::Messages => return None,
        _ => Proof::Path,
    };
    Some((Endpoint::new("bedrock", api).with_model(model).with_streaming(streams), proof))
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
            ("api.cohere.com", "/v2/chat", "cohere", CohereChat),
            ("api.cohere.com", "/v2/rerank", "cohere", Rerank),
            ("api.voyageai.com", "/v1/rerank", "voyage", Rerank),
            ("localhost:8000", "/rerank", "cohere", Rerank),
            ("localhost:8000", "/cohere/v2/chat", "cohere", CohereChat),
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
            (
                bedrock,
                "/model/eu.anthropic.claude-x/invoke-with-response-stream",
                "bedrock",
                Messages,
                "eu.anthropic.claude-x",
                true,
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
    fn an_address_is_proof_by_its_host_or_by_a_path_that_nothing_else_has() {
        let is_certain = |host, path| detect(host, path).unwrap().is_certain();
        for path in ["/v1/images/generations", "/v1/audio/transcriptions", "/x/chat/completions", "/model/m/converse"] {
            assert!(is_certain("gateway.example", path), "{path}");
        }
        for path in
            ["/v1/moderations", "/rerank", "/v1/images/variations", "/surveys/7/responses", "/v1/messages", "/api/chat"]
        {
            assert!(!is_certain("gateway.example", path), "{path}");
            assert!(!is_certain("x.execute-api.eu-west-1.amazonaws.com", path), "{path}");
            assert!(is_certain("api.openai.com", path), "{path}");
        }
    }

    #[test]
    fn what_an_arn_stands_for_is_proven_by_the_request() {
        let bedrock = "bedrock-runtime.us-east-2.amazonaws.com";
        let arn = "arn:aws:bedrock:us-east-2:1:application-inference-profile/abc";
        let encoded = "arn%3Aaws%3abedrock%3Aus-east-2%3A1%3Aapplication-inference-profile%2Fabc";
        for (id, host) in [(arn, bedrock), (encoded, bedrock), (encoded, "gateway.example")] {
            for (verb, streams) in [("invoke", false), ("invoke-with-response-stream", true)] {
                let path = format!("/model/{id}/{verb}");
                let expected = ("bedrock".to_owned(), WireApi::Messages, Some(arn.to_owned()), Some(streams));
                assert_eq!(found(host, &path), Some(expected), "{host}{path}");
                let endpoint = detect(host, &path).unwrap();
                assert_eq!(
                    (endpoint.proving_entry(), endpoint.is_certain()),
                    (Some("anthropic_version"), false),
                    "{path}"
                );
            }
            assert!(detect(host, &format!("/model/{id}/converse")).unwrap().is_certain(), "{host}");
        }
        let named = "/model/arn:aws:bedrock:us-east-2:1:inference-profile%2Fus.anthropic.claude-x/invoke";
        assert!(detect(bedrock, named).unwrap().is_certain());
    }

    #[test]
    fn all_else_is_no_model_call() {
        for path in
            ["", "/", "/v1/files", "/v1/chat", "/converse", "/v1/models/x:countTokens", "/v1/batches", "/%", "/a:%zz"]
        {
            assert_eq!(found("api.openai.com", path), None, "{path}");
        }
        for path in ["/v2/chat", "/model/amazon.titan-text/invoke", "/invoke"] {
            assert_eq!(found("bedrock-runtime.us-east-2.amazonaws.com", path), None, "{path}");
        }
        assert_eq!(decoded("%zz%3"), "%zz%3");
    }
}
