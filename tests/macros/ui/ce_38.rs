// CE-38: `boxed` applies to async functions only
use braintrust::traced;

#[traced(boxed)]
fn f() {}

fn main() {
    f();
}
