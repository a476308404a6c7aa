// CE-32: `#[traced]` needs a function body; put it on the implementation, or give this trait method a default body
use braintrust::traced;

trait T {
    #[traced]
    fn f(&self);
}

impl T for u8 {
    fn f(&self) {}
}

fn main() {
    1u8.f();
}
