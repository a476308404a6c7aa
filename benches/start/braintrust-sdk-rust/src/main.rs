//! A program that would trace with `braintrust-sdk-rust` if it were told to.

use braintrust_sdk_rust::{BraintrustClient, SpanLog};

fn main() {
    let arguments = std::env::args().len();
    if arguments > 1 {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = BraintrustClient::builder().default_project("start").build().await.expect("a client");
            let span = client.span_builder().await.expect("a login").build();
            span.log(SpanLog::default()).await;
            let _ = span.flush().await;
            let _ = client.flush().await;
        });
    }
    println!("{arguments}");
}
