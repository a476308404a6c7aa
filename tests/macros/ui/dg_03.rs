// DG-03: E0308 inside user code (tracing points at the attribute)
use braintrust::traced;

#[traced]
fn f() -> i32 {
    1;
}

#[traced]
async fn g() -> i32 {
    1;
}

fn main() {}
