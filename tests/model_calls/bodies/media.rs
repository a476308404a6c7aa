//! OpenAI's other endpoints.

use serde_json::{Value, json};

use super::{Case, named_sse};
use crate::Response;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "embeddings",
            address: ("api.openai.com", "/v1/embeddings"),
            request: json!({"model": "text-embedding-3-small", "input": ["a", "b"], "encoding_format": "float"}),
            response: Response::json(
                json!({"model": "text-embedding-3-small", "data": [{"embedding": [0.5, 1, -2]}, {"embedding": [1, 2, 3]}],
                    "usage": {"prompt_tokens": 2, "total_tokens": 2}})
                .to_string(),
            ),
            span: "Embedding",
            input: json!(["a", "b"]),
            output: json!({"embedding_length": 3}),
            metadata: json!({"provider": "openai", "model": "text-embedding-3-small"}),
            metrics: json!({"prompt_tokens": 2, "tokens": 2}),
            error: Value::Null,
        },
        Case {
            name: "an image",
            address: ("api.openai.com", "/v1/images/generations"),
            request: json!({"model": "gpt-image-1", "prompt": "A fjord", "size": "1024x1024"}),
            response: Response::json(
                json!({"created": 1, "data": [{"b64_json": "iVBORw0K"}], "output_format": "webp", "usage": {"input_tokens": 4,
                    "output_tokens": 9, "total_tokens": 13, "output_tokens_details": {"image_tokens": 9}}})
                .to_string(),
            ),
            span: "Image Generation",
            input: json!([{"role": "user", "content": "A fjord"}]),
            output: json!([{"type": "image_url", "image_url": {"url": "data:image/webp;base64,iVBORw0K"}}]),
            metadata: json!({"provider": "openai", "model": "gpt-image-1"}),
            metrics: json!({"prompt_tokens": 4, "completion_tokens": 9, "tokens": 13, "completion_image_tokens": 9}),
            error: Value::Null,
        },
        Case {
            name: "speech",
            address: ("api.openai.com", "/v1/audio/speech"),
            request: json!({"model": "tts-1", "input": "Hello", "voice": "alloy"}),
            response: Response { content_type: "audio/mpeg".to_owned(), ..Response::json(vec![0xff, 0xf3, 0, 1]) },
            span: "Speech",
            input: json!("Hello"),
            output: json!("<audio/mpeg, 4 bytes>"),
            metadata: json!({"provider": "openai", "model": "tts-1"}),
            metrics: json!({}),
            error: Value::Null,
        },
        Case {
            name: "a transcript as text, longer than what is shown of bodies that cannot be read",
            address: ("api.openai.com", "/v1/audio/transcriptions"),
            request: Value::Null,
            response: Response {
                content_type: "text/plain; charset=utf-8".to_owned(),
                ..Response::json("data: Hello there. ".repeat(2_000))
            },
            span: "Transcription",
            input: Value::Null,
            output: "data: Hello there. ".repeat(2_000).into(),
            metadata: json!({"provider": "openai"}),
            metrics: json!({}),
            error: Value::Null,
        },
        Case {
            name: "a transcript in pieces, with the kinds of tokens that it took",
            address: ("api.openai.com", "/v1/audio/transcriptions"),
            request: Value::Null,
            response: named_sse(&[
                json!({"type": "transcript.text.delta", "delta": "Hel"}),
                json!({"type": "transcript.text.delta", "delta": "lo"}),
                json!({"type": "transcript.text.done", "text": "Hello", "usage": {"type": "tokens", "input_tokens": 9,
                    "output_tokens": 2, "total_tokens": 11, "input_token_details": {"text_tokens": 1, "audio_tokens": 8}}}),
            ]),
            span: "Transcription",
            input: Value::Null,
            output: json!("Hello"),
            metadata: json!({"provider": "openai"}),
            metrics: json!({"prompt_tokens": 9, "completion_tokens": 2, "tokens": 11, "prompt_audio_tokens": 8,
                "time_to_first_token": true}),
            error: Value::Null,
        },
    ]
}

/// Documents in the order of their relevance, from all who speak alike but for some names.
pub(super) fn rerankings() -> Vec<Case> {
    let results = json!([{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]);
    let case = |name, address, provider: &str, response: Value, metrics: Value| Case {
        name,
        address,
        request: json!({"model": "rerank-x", "query": "Cold?", "documents": ["Sun", "Snow"], "top_n": 2}),
        response: Response::json(response.to_string()),
        span: "Rerank",
        input: json!({"query": "Cold?", "documents": ["Sun", "Snow"]}),
        output: results.clone(),
        metadata: json!({"provider": provider, "model": "rerank-x"}),
        metrics,
        error: Value::Null,
    };
    vec![
        case(
            "reranked by cohere, who bills searches",
            ("api.cohere.com", "/v2/rerank"),
            "cohere",
            json!({"id": "r", "results": results, "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}}),
            json!({}),
        ),
        case(
            "reranked by jina",
            ("api.jina.ai", "/v1/rerank"),
            "jina",
            json!({"model": "rerank-x", "results": results, "usage": {"prompt_tokens": 7, "total_tokens": 7}}),
            json!({"prompt_tokens": 7, "tokens": 7}),
        ),
        case(
            "reranked by voyage",
            ("api.voyageai.com", "/v1/rerank"),
            "voyage",
            json!({"object": "list", "model": "rerank-x", "data": results, "usage": {"total_tokens": 7}}),
            json!({"tokens": 7}),
        ),
        case(
            "reranked by a gateway that counts as cohere's chat does",
            ("gateway.example", "/v1/rerank"),
            "cohere",
            json!({"results": results, "meta": {"tokens": {"input_tokens": 7, "output_tokens": 0}}}),
            json!({"prompt_tokens": 7, "completion_tokens": 0, "tokens": 7}),
        ),
        Case {
            request: json!({"query": "Cold?", "texts": ["Sun", "Snow"]}),
            input: json!({"query": "Cold?", "texts": ["Sun", "Snow"]}),
            metadata: json!({"provider": "huggingface"}),
            ..case(
                "reranked without a frame",
                ("x.endpoints.huggingface.cloud", "/rerank"),
                "",
                results.clone(),
                json!({}),
            )
        },
        Case {
            response: Response { status: 422, ..Response::json(r#"{"message":"too many documents"}"#) },
            output: Value::Null,
            error: json!("422 Unprocessable Entity: too many documents"),
            ..case("refused to rerank", ("api.cohere.com", "/v1/rerank"), "cohere", Value::Null, json!({}))
        },
    ]
}
