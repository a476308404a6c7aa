//! A program that would trace with `tracing` if it were told to, to standard output.

#[tracing::instrument(ret)]
fn count(arguments: usize) -> usize {
    arguments
}

fn main() {
    let arguments = std::env::args().len();
    if arguments > 1 {
        tracing_subscriber::fmt::init();
        println!("{}", count(arguments));
    }
    println!("{arguments}");
}
