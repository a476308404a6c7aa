// CE-44: what looks like an option is none, even where a name may be
use braintrust::traced;

#[traced(fields(x = 1))]
fn f() {}

#[traced(hide(password))]
fn g(password: &str) -> usize {
    password.len()
}

#[traced(make_up(n))]
fn h(n: u8) -> u8 {
    n
}

#[traced(meta_data(n))]
fn i(n: u8) -> u8 {
    n
}

fn main() {
    f();
    g("");
    h(1);
    i(1);
}
