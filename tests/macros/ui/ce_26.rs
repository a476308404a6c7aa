// CE-26: E0425 at the expression
use braintrust::traced;

#[traced(input = missing)]
fn f() {}

fn main() {
    f();
}
