// DG-07: syntax errors only; callers of the fn still resolve
use braintrust::traced;

#[traced]
fn f(a: String) -> usize {
    a.
}

fn main() {
    let _: usize = f(String::new());
}
