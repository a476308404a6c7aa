// CE-40: `output` cannot be used on a `#[track_caller]` function: its body stays inline
use braintrust::traced;

#[track_caller]
#[traced(output = g)]
fn f() {}

fn main() {
    f();
}
