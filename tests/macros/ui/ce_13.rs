// CE-13: `skip()` lists no parameter
use braintrust::traced;

#[traced(skip())]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
