//! A program that would trace with `braintrust` if it were told to, so that all of it is linked in.

use std::time::Duration;

#[braintrust::traced]
fn count(arguments: usize) -> usize {
    arguments
}

fn main() {
    let arguments = std::env::args().len();
    if arguments > 1 {
        let logger = braintrust::init_logger("start").expect("a logger");
        println!("{}", count(arguments));
        let _ = logger.flush_blocking(Duration::from_secs(5));
    }
    println!("{arguments}");
}
