// DG-08: one error; callers still type-check
use braintrust::traced;

#[traced(colour = "red")]
fn f(a: u8) -> u8 {
    a
}

fn main() {
    let _: u8 = f(1);
    let _: String = f(1);
}
