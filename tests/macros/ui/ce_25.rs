// CE-25: E0425 at the placeholder
use braintrust::traced;

#[traced("x {nope}")]
fn f() {}

fn main() {
    f();
}
