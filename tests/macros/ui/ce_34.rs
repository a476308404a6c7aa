// CE-34: E0433 at ::nope
use braintrust::traced;

#[traced(crate = ::nope)]
fn f() {}

fn main() {
    f();
}
