// CE-19: values of the wrong kind
use braintrust::traced;

#[traced(output = |a, b| a)]
fn f() -> u8 {
    1
}

#[traced(err = 3)]
fn g() -> Result<(), ()> {
    Ok(())
}

fn main() {}
