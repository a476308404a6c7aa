// LI-04: unused_must_use fires
#![deny(warnings)]

use braintrust::traced;

#[must_use]
#[traced]
fn f() -> u8 {
    1
}

#[traced]
async fn g() {}

fn main() {
    f();
    g();
}
