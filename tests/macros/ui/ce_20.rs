// CE-20: metadata that cannot be
use braintrust::traced;

#[traced(metadata(a, a = 1))]
fn f(a: u8) -> u8 {
    a
}

#[traced(metadata("a b"))]
fn g() {}

#[traced(metadata(b))]
fn h() {}

fn main() {}
