// CE-09: unknown span types, with the nearest known one
use braintrust::traced;

#[traced(type = "lm")]
fn f() {}

#[traced(type = "chain")]
fn g() {}

fn main() {
    f();
}
