//! OpenAI's other endpoints.

use serde_json::{Value, json};

use super::Case;
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
    ]
}
