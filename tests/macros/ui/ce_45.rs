// CE-45: every option, where none is near
use braintrust::traced;

#[traced(flavour = "sweet")]
fn f() {}

#[traced("f", fast)]
fn g() {}

fn main() {
    f();
    g();
}
