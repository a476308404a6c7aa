// CE-05: `type` must be a string literal, for example `type = "llm"`
use braintrust::traced;

#[traced(type = llm)]
fn f() {}

#[traced(type = Tool)]
fn g() {}

fn main() {
    f();
    g();
}
