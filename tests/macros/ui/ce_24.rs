// CE-24: `skip` names `self`, which is not a parameter of `f`
use braintrust::traced;

#[traced(skip(self))]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
