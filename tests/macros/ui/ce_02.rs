// CE-02: span name must be a string literal or a `&str`/`String` expression
use braintrust::traced;

#[traced(3)]
fn f() {}

fn main() {
    f();
}
