// DG-02: E0308 at the returned literal
use braintrust::traced;

#[traced]
async fn f(c: bool) -> String {
    if c {
        return "";
    }
    String::new()
}

#[traced]
fn g(c: bool) -> String {
    if c {
        return "";
    }
    String::new()
}

fn main() {}
