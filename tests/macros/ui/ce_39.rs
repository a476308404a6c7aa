// CE-39: `stream` applies to functions that return a stream, not to `async fn`
use braintrust::traced;

#[traced(stream)]
async fn f() {}

#[traced(stream)]
fn g() -> (u8, u8) {
    (1, 2)
}

fn main() {}
