// CE-18: `input` needs a value: `input = ...`
use braintrust::traced;

#[traced(input)]
fn f() {}

#[traced(skip = a)]
fn g(a: u8) -> u8 {
    a
}

fn main() {
    f();
}
