// CE-06: duplicate `name`; it may be given only once
use braintrust::traced;

#[traced("a", name = "b")]
fn f() {}

fn main() {
    f();
}
