// LI-05: unreachable_code at the user statement only
#![deny(warnings)]

use braintrust::traced;

#[traced]
pub fn f() -> u8 {
    return 1;
    let _ = 2;
}

#[traced]
pub async fn g() -> u8 {
    panic!();
    1
}

fn main() {}
