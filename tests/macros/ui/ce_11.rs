// CE-11: `skip` names `reqest`, which is not a parameter of `f`; did you mean `request`?
use braintrust::traced;

#[traced(skip(reqest))]
fn f(request: u8) -> u8 {
    request
}

fn main() {}
