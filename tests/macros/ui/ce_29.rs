// CE-29: `#[traced]` goes on functions, not on modules
use braintrust::traced;

#[traced]
mod m {
    pub fn f() {}
}

fn main() {
    m::f();
}
