// CE-47: values and lists as other libraries write them
use braintrust::traced;

#[traced(skip("password"))]
fn f(password: &str) -> usize {
    password.len()
}

#[traced(metadata(%n))]
fn g(n: u8) -> u8 {
    n
}

#[traced(metadata(m = ?n), err = Debug)]
fn h(n: u8) -> Result<u8, String> {
    Ok(n)
}

#[traced(output = false)]
fn i() -> u8 {
    1
}

#[traced(type(tool), tool = true)]
fn j() {}

fn main() {
    f("");
    g(1);
    h(1).unwrap();
    i();
    j();
}
