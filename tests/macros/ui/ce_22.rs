// CE-22: `a` is both skipped and redacted
use braintrust::traced;

#[traced(skip(a), redact(a))]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
