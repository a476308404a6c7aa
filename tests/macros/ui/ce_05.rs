// CE-05: `type` must be a string literal, for example `type = "llm"`
use braintrust::traced;

#[traced(type = llm)]
fn f() {}

fn main() {
    f();
}
