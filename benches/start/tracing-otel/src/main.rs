//! A program that would trace with `tracing` and OpenTelemetry if it were told to. Without TLS.

use opentelemetry::trace::TracerProvider as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[tracing::instrument(ret)]
fn count(arguments: usize) -> usize {
    arguments
}

fn main() {
    let arguments = std::env::args().len();
    if arguments > 1 {
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build().expect("an exporter");
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().with_batch_exporter(exporter).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("start"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).expect("the first");
        println!("{}", count(arguments));
        let _ = provider.shutdown();
    }
    println!("{arguments}");
}
