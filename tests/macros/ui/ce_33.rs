// CE-33: expected identifier, at the literal
use braintrust::traced;

#[traced(crate = "x")]
fn f() {}

fn main() {
    f();
}
