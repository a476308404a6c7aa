//! `braintrust-sdk-rust`, the official SDK: spans by hand, each sent in a request of its own.

use std::hint::black_box;
use std::sync::OnceLock;

use braintrust_sdk_rust::{BraintrustClient, SpanLog};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{Destination, Stack};
use crate::work::{self, Question, Work};

pub const STACK: Stack = Stack {
    name: "braintrust-sdk-rust",
    title: "braintrust-sdk-rust, the official SDK",
    install,
    works: &[
        (Work::Root, |numbers| {
            block_on(async {
                for _ in numbers {
                    record(SpanLog { name: Some("step".to_owned()), ..SpanLog::default() }).await;
                }
            });
        }),
        (Work::Payload, |numbers| {
            block_on(async {
                let mut question = Question::default();
                for number in numbers {
                    question.numbered(number);
                    black_box(answer(&question.text, &question.pages).await);
                }
            });
        }),
    ],
};

static CLIENT: OnceLock<(Runtime, BraintrustClient)> = OnceLock::new();

fn install(destination: Destination) -> Box<dyn Fn()> {
    let url = format!("http://{}", destination.server());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let client = runtime.block_on(async {
        let builder = BraintrustClient::builder().api_key("sk-benches").app_url(&url).api_url(&url);
        builder.default_project("benches").blocking_login(true).build().await.expect("a client")
    });
    let _ = CLIENT.set((runtime, client));
    Box::new(|| {
        let (runtime, client) = CLIENT.get().expect("installed");
        if let Err(error) = runtime.block_on(client.flush()) {
            eprintln!("{error}");
        }
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    CLIENT.get().expect("installed").0.block_on(future)
}

async fn record(event: SpanLog) {
    let (_, client) = CLIENT.get().expect("installed");
    let span = client.span_builder().await.expect("a login").build();
    span.log(event).await;
    let _ = span.flush().await;
}

async fn answer(question: &str, pages: &[String]) -> String {
    let input = json!({ "question": question, "pages": pages });
    let reply = work::reply(question, pages);
    let output = json!(reply);
    let name = Some("answer".to_owned());
    record(SpanLog { name, input: Some(input), output: Some(output), ..SpanLog::default() }).await;
    reply
}
