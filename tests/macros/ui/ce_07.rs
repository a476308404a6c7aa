// CE-07: the span name must come first; write it as `name = ...` here
use braintrust::traced;

#[traced(name = "a", "b")]
fn f() {}

fn main() {
    f();
}
