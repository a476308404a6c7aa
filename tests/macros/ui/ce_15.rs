// CE-15: `no_input` conflicts with `input = ...`
use braintrust::traced;

#[traced(no_input, input = a)]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
