// CE-33: `crate` takes a path without quotes
use braintrust::traced;

#[traced(crate = "x")]
fn f() {}

fn main() {
    f();
}
