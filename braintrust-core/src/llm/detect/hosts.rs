//! Who is behind a host.

/// Providers by how their hosts end, where the hosts serve models and nothing else. A name without a leading dot or dash
/// is the whole host.
const MODEL_HOSTS: [(&str, &str); 51] = [
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
    ("api.jina.ai", "jina"),
    ("api-inference.huggingface.co", "huggingface"),
    ("router.huggingface.co", "huggingface"),
    (".huggingface.cloud", "huggingface"),
    ("dashscope.aliyuncs.com", "alibaba"),
    ("dashscope-intl.aliyuncs.com", "alibaba"),
    ("dashscope-us.aliyuncs.com", "alibaba"),
    ("gateway.ai.cloudflare.com", "cloudflare"),
    ("ai-gateway.vercel.sh", "vercel"),
    ("api.braintrust.dev", "braintrust"),
    ("ollama.com", "ollama"),
];

/// Clouds by how their hosts end: behind one there may be a model, or anything else.
const CLOUDS: [(&str, &str); 5] = [
    (".amazonaws.com", "bedrock"),
    (".amazonaws.com.cn", "bedrock"),
    (".api.aws", "bedrock"),
    (".aliyuncs.com", "alibaba"),
    (".huggingface.co", "huggingface"),
];

/// How the names of Bedrock's hosts among Amazon's begin, or go on after a dot.
const BEDROCK: &str = "bedrock-";

/// The port on which Ollama listens unless told otherwise.
const OLLAMA_PORT: &str = "11434";

/// What a host tells of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// Whose prices apply.
    pub(super) provider: &'static str,
    /// Whether nothing but models is served there.
    pub(super) serves_only_models: bool,
}

/// Who is behind an authority, which is a host with a port or without; `None` if nobody knows.
pub(super) fn find(authority: &str) -> Option<Host> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    let is = |provider, serves_only_models| Some(Host { provider, serves_only_models });
    if port == Some(OLLAMA_PORT) {
        return is("ollama", true);
    }
    if let Some((_, provider)) = MODEL_HOSTS.iter().find(|(end, _)| fits(host, end)) {
        return is(provider, true);
    }
    let (_, provider) = CLOUDS.iter().find(|(end, _)| fits(host, end))?;
    let is_bedrock = *provider == "bedrock" && host.split('.').any(|label| starts_with_ignoring_case(label, BEDROCK));
    is(provider, is_bedrock)
}

fn fits(host: &str, end: &str) -> bool {
    match end.as_bytes()[0] {
        b'.' | b'-' => ends_with_ignoring_case(host, end),
        _ => host.eq_ignore_ascii_case(end),
    }
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let tail = text.len().checked_sub(end.len()).and_then(|start| text.get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_models_are_told_from_hosts_of_clouds() {
        let known = [
            ("API.OpenAI.com:443", "openai", true),
            ("eu.api.openai.com", "openai", true),
            ("us-central1-aiplatform.googleapis.com", "google", true),
            ("localhost:11434", "ollama", true),
            ("bedrock-runtime.us-east-2.amazonaws.com", "bedrock", true),
            ("vpce-1.Bedrock-Runtime.eu-west-1.vpce.amazonaws.com", "bedrock", true),
            ("bedrock-mantle.us-east-1.api.aws", "bedrock", true),
            ("x.execute-api.eu-west-1.amazonaws.com", "bedrock", false),
            ("dashscope-intl.aliyuncs.com", "alibaba", true),
            ("bucket.oss-cn.aliyuncs.com", "alibaba", false),
        ];
        for (authority, provider, serves_only_models) in known {
            assert_eq!(find(authority), Some(Host { provider, serves_only_models }), "{authority}");
        }
        for unknown in ["", "openai.com", "notapi.openai.com.evil.example", "[::1]:9000", "é:1"] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }
}
