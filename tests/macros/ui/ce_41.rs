// CE-41: a span type alone, which may be meant as the type or as the name
use braintrust::traced;

#[traced(tool)]
fn f() {}

#[traced(Llm, no_input)]
fn g() {}

#[traced("search", tool)]
fn h() {}

fn main() {
    f();
    g();
    h();
}
