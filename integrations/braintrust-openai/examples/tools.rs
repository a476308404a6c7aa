//! A model that uses tools: one task, in which calls of the model and of the tools that it asks for take turns. Tools
//! that were asked for together run together.
//!
//! ```text
//! cargo run -p braintrust-openai --example tools
//! ```
//!
//! It runs offline, with fixed answers; with `OPENAI_API_KEY` a model answers.

use anyhow::Context as _;
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use braintrust::{traced, wrap_openai};
use futures::future::join_all;
use provider::{Provider, show_trace};
use serde_json::{Value, json};

/// How often the model may ask for tools before it must answer.
const MAX_TURNS: usize = 5;

#[traced(type = "task", skip(client))]
async fn plan_packing(client: &Client<OpenAIConfig>, question: &str) -> anyhow::Result<String> {
    let mut messages = vec![json!({"role": "user", "content": question})];
    for _ in 0..MAX_TURNS {
        let request = json!({"model": "gpt-4o-mini", "messages": messages, "tools": [weather_tool()]});
        // `async-openai` takes and gives any type here, so the messages need no types of their own.
        let reply: Value = client.chat().create_byot(request).await?;
        let message = &reply["choices"][0]["message"];
        let Some(calls) = message["tool_calls"].as_array() else {
            return Ok(message["content"].as_str().context("the model said nothing")?.to_owned());
        };
        messages.push(message.clone());
        messages.extend(join_all(calls.iter().map(run_tool)).await);
    }
    anyhow::bail!("no answer after {MAX_TURNS} turns")
}

/// The message that answers a tool call. A tool that fails tells the model so, and its span says why.
async fn run_tool(call: &Value) -> Value {
    let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
    let city = serde_json::from_str::<Value>(arguments).map(|arguments| arguments["city"].clone());
    let result = match city.as_ref().map(Value::as_str) {
        Ok(Some(city)) => weather(city).await.unwrap_or_else(|error| format!("error: {error}")),
        _ => format!("error: `city` is missing in {arguments}"),
    };
    json!({"role": "tool", "tool_call_id": call["id"], "content": result})
}

#[traced(type = "tool")]
async fn weather(city: &str) -> anyhow::Result<String> {
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    match city {
        "Lisbon" => Ok("24 degrees, sunny".to_owned()),
        "Oslo" => Ok("11 degrees, rain".to_owned()),
        other => anyhow::bail!("there is no weather station in {other}"),
    }
}

fn weather_tool() -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!({"type": "function", "function": {
        "name": "weather",
        "description": "The weather in a city today",
        "parameters": parameters,
    }})
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logger = braintrust::init_logger("tools")?;
    let provider = Provider::from_env()?;
    let config = match provider.settings() {
        Some((address, key)) => OpenAIConfig::new().with_api_base(address).with_api_key(key),
        None => OpenAIConfig::default(),
    };
    let client = wrap_openai(Client::with_config(config));

    println!("{}\n", plan_packing(&client, "I fly to Lisbon and then to Oslo. What should I pack?").await?);
    show_trace(&logger).await
}
