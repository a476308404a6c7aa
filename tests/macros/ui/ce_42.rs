// CE-42: what was meant to hide something never becomes a name
use braintrust::traced;

#[traced(skip_input)]
fn f(password: &str) -> usize {
    password.len()
}

#[traced(no_args, type = "tool")]
fn g(password: &str) -> usize {
    password.len()
}

#[traced("login", sensitive)]
fn h(password: &str) -> usize {
    password.len()
}

#[traced(secret = true)]
fn i(password: &str) -> usize {
    password.len()
}

#[traced(skpi_all)]
fn j(password: &str) -> usize {
    password.len()
}

#[traced(password)]
fn k(password: &str) -> usize {
    password.len()
}

#[traced(input_off)]
fn l(password: &str) -> usize {
    password.len()
}

#[traced(outputOnly)]
fn m(password: &str) -> usize {
    password.len()
}

fn main() {
    f("");
    g("");
    h("");
    i("");
    j("");
    k("");
    l("");
    m("");
}
