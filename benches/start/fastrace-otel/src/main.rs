//! A program that would trace with `fastrace` to OpenTelemetry if it were told to. Without TLS.

use std::borrow::Cow;

use fastrace::collector::Config;
use fastrace::prelude::{Span, SpanContext};
use fastrace_opentelemetry::OpenTelemetryReporter;

#[fastrace::trace]
fn count(arguments: usize) -> usize {
    arguments
}

fn main() {
    let arguments = std::env::args().len();
    if arguments > 1 {
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build().expect("an exporter");
        let resource = Cow::Owned(opentelemetry_sdk::Resource::builder().build());
        let scope = opentelemetry::InstrumentationScope::builder("start").build();
        fastrace::set_reporter(OpenTelemetryReporter::new(exporter, resource, scope), Config::default());
        let root = Span::root("root", SpanContext::random());
        let _current = root.set_local_parent();
        println!("{}", count(arguments));
        fastrace::flush();
    }
    println!("{arguments}");
}
