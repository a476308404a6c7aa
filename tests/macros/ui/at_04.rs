// AT-04: compile error CE-28
use braintrust::traced;

#[async_trait::async_trait]
trait T {
    async fn f(&self);
}

#[traced]
#[async_trait::async_trait]
impl T for u8 {
    async fn f(&self) {}
}

fn main() {
    drop(1u8.f());
}
