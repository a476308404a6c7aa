// DG-05: E0382 at user spans
use braintrust::traced;

#[traced]
fn f(a: String) -> usize {
    drop(a);
    a.len()
}

#[traced]
async fn g(a: String) -> usize {
    drop(a);
    a.len()
}

fn main() {}
