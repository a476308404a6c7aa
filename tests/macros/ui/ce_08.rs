// CE-08: unknown options, with the nearest known one
use braintrust::traced;

#[traced(ouput = 1)]
fn f() {}

#[traced(skp_all)]
fn g() {}

#[traced(level = "info")]
fn h() {}

fn main() {
    f();
}
