// CE-14: `skip(...)` has no effect together with `skip_all`; remove one of them
use braintrust::traced;

#[traced(skip(a), skip_all)]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
