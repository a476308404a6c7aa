// CE-23: expected `,`
use braintrust::traced;

#[traced(type = "llm" name = "x")]
fn f() {}

fn main() {
    f();
}
