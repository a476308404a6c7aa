// AT-07: error points at the user expression
use braintrust::traced;

struct S;

#[async_trait::async_trait]
trait T {
    async fn f(&self) -> u8;
}

#[async_trait::async_trait]
impl T for S {
    #[traced]
    async fn f(&self) -> u8 {
        let text: String = 3;
        text.len() as u8
    }
}

fn main() {}
