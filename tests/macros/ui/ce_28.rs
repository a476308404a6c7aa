// CE-28: `#[traced]` goes on individual methods, not on the `impl` block
use braintrust::traced;

struct S;

#[traced]
impl S {
    fn f(&self) {}
}

fn main() {
    S.f();
}
