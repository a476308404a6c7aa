// CE-31: `const fn` cannot be traced: a span needs the clock and the allocator
use braintrust::traced;

#[traced]
const fn f() -> u8 {
    1
}

const ONE: u8 = f();

fn main() {
    let _ = ONE;
}
