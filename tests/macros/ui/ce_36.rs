// CE-36: a name that is no text
use braintrust::traced;

#[traced(name = 5 + 1)]
fn f() {}

fn main() {
    f();
}
