// CE-17: `no_input` is a flag and takes no value
use braintrust::traced;

#[traced(no_input = true)]
fn f() {}

fn main() {
    f();
}
