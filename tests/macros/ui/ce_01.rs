// CE-01: span name must not be empty
use braintrust::traced;

#[traced("")]
fn f() {}

fn main() {
    f();
}
