// CE-16: `no_output` conflicts with `output = ...`
use braintrust::traced;

#[traced(no_output, output = g)]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
