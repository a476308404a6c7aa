//! A program that would trace with `fastrace` if it were told to, to standard output.

use fastrace::collector::{Config, ConsoleReporter};
use fastrace::prelude::{Span, SpanContext};

#[fastrace::trace]
fn count(arguments: usize) -> usize {
    arguments
}

fn main() {
    let arguments = std::env::args().len();
    if arguments > 1 {
        fastrace::set_reporter(ConsoleReporter, Config::default());
        let root = Span::root("root", SpanContext::random());
        let _current = root.set_local_parent();
        println!("{}", count(arguments));
        fastrace::flush();
    }
    println!("{arguments}");
}
