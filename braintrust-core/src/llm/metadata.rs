//! The metadata of a call: a closed list of keys, with the names and shapes of OpenAI's chat completions whatever the
//! provider's own are.

use serde_json::{Value, json};

use super::json::{self, Object};

/// Every key that the metadata of a call may have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Model,
    Provider,
    Temperature,
    TopP,
    MaxTokens,
    FrequencyPenalty,
    PresencePenalty,
    Stop,
    ResponseFormat,
    Tools,
    ToolChoice,
    ParallelToolCalls,
    MaxToolCalls,
}

impl Key {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::MaxTokens => "max_tokens",
            Self::FrequencyPenalty => "frequency_penalty",
            Self::PresencePenalty => "presence_penalty",
            Self::Stop => "stop",
            Self::ResponseFormat => "response_format",
            Self::Tools => "tools",
            Self::ToolChoice => "tool_choice",
            Self::ParallelToolCalls => "parallel_tool_calls",
            Self::MaxToolCalls => "max_tool_calls",
        }
    }
}

/// The metadata found so far.
#[derive(Debug, Default)]
pub(super) struct Metadata(Object);

impl Metadata {
    pub(super) fn set(&mut self, key: Key, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.0.insert(key.as_str().to_owned(), value);
        }
    }

    /// Moves settings out of a request: of each, the first of its names that is there.
    pub(super) fn take(&mut self, request: &mut Value, settings: &[(&str, Key)]) {
        for (name, key) in settings {
            if let Some(value) = json::take(request, name) {
                self.0.entry(key.as_str()).or_insert(value);
            }
        }
    }

    /// Sets the tools, unless there are none.
    pub(super) fn set_tools(&mut self, tools: Vec<Value>) {
        if !tools.is_empty() {
            self.set(Key::Tools, tools);
        }
    }

    pub(super) fn into_object(self) -> Object {
        self.0
    }
}

/// The settings that OpenAI's APIs call alike.
pub(super) const OPENAI_SETTINGS: [(&str, Key); 12] = [
    ("model", Key::Model),
    ("temperature", Key::Temperature),
    ("top_p", Key::TopP),
    ("max_tokens", Key::MaxTokens),
    ("max_completion_tokens", Key::MaxTokens),
    ("max_output_tokens", Key::MaxTokens),
    ("frequency_penalty", Key::FrequencyPenalty),
    ("presence_penalty", Key::PresencePenalty),
    ("stop", Key::Stop),
    ("response_format", Key::ResponseFormat),
    ("parallel_tool_calls", Key::ParallelToolCalls),
    ("max_tool_calls", Key::MaxToolCalls),
];

/// A function that the model may call, from the object that describes it; `schema` is what it calls its parameters.
pub(super) fn function_tool(mut described: Value, schema: &[&str]) -> Value {
    let mut function = Object::new();
    for key in ["name", "description", "strict"] {
        if let Some(value) = json::take(&mut described, key) {
            function.insert(key.to_owned(), value);
        }
    }
    if let Some(parameters) = schema.iter().find_map(|key| json::take(&mut described, key)) {
        function.insert("parameters".to_owned(), parameters);
    }
    json!({"type": "function", "function": function})
}

/// A tool of the provider's own: as it is, but for what lets someone in.
pub(super) fn native_tool(mut tool: Value) -> Value {
    const SECRETS: [&str; 6] = ["authorization", "authorization_token", "headers", "api_key", "password", "token"];
    let mut open = vec![&mut tool];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    if SECRETS.iter().any(|secret| key.eq_ignore_ascii_case(secret)) {
                        *value = Value::from(crate::capture::REDACTED);
                    } else {
                        open.push(value);
                    }
                }
            }
            Value::Array(elements) => open.extend(elements),
            _ => {}
        }
    }
    tool
}

/// A choice of one function by its name.
pub(super) fn chosen_function(name: Value) -> Value {
    json!({"type": "function", "function": {"name": name}})
}

/// A choice of OpenAI's, or of one who speaks like it.
pub(super) fn openai_tool_choice(mut choice: Value) -> Value {
    if choice.as_str() == Some("any") {
        return "required".into();
    }
    if json::text(&choice, "type") == Some("function")
        && let Some(name) = json::take(&mut choice, "name")
    {
        return chosen_function(name);
    }
    if json::text(&choice, "type") == Some("allowed_tools") {
        let mode = json::take(&mut choice, "mode").or_else(|| json::take(choice.get_mut("allowed_tools")?, "mode"));
        return mode.unwrap_or(choice);
    }
    choice
}
