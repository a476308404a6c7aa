// CE-21: `aggregate` needs the `stream` flag
use braintrust::traced;

#[traced(aggregate = g)]
fn f() {}

fn main() {
    f();
}
