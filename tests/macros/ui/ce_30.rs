// CE-30: `#[traced]` goes on methods that have a body, not on the trait
use braintrust::traced;

#[traced]
trait T {
    fn f(&self) {}
}

impl T for u8 {}

fn main() {
    1u8.f();
}
