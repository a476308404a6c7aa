// CE-40: `output` cannot be used on a `#[track_caller]` function: what it returns early is not seen
use braintrust::traced;

#[track_caller]
#[traced(output = g)]
fn f() {}

#[traced(err = debug)]
fn h() -> impl Fn(u8) -> u8 {
    |n| n
}

fn main() {
    f();
    h()(1);
}
