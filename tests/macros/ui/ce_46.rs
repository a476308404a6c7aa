// CE-46: no guess at names of one letter
use braintrust::traced;

#[traced(skip(m))]
fn f(n: u8) -> u8 {
    n
}

#[traced(redact(k))]
fn g(a: u8, b: u8) -> u8 {
    a + b
}

#[traced(capture(k))]
fn h() {}

fn main() {
    f(1);
    g(1, 2);
    h();
}
