// DG-10: errors in the body are those of the plain function
use braintrust::traced;

struct Plain;

#[traced]
fn f(a: Plain) -> Plain {
    a.missing();
    let _: u8 = a;
    a
}

fn main() {}
