// DG-09: both reported in one pass
use braintrust::traced;

#[traced(typ = "llm", skip(b), no_output = 1)]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
