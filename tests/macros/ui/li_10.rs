// LI-10: the other lints fire once, at the user's own tokens
#![deny(warnings)]

use braintrust::traced;

#[traced]
pub fn f(badName: u8, mut unchanged: u8) -> u8 {
    badName + unchanged
}

#[deprecated]
#[traced]
pub fn old() {}

fn main() {
    old();
}
