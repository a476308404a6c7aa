// CE-35: E0308 at 5 (later: trait IntoParent with on_unimplemented text)
use braintrust::traced;

#[traced(parent = 5)]
fn f() {}

fn main() {
    f();
}
