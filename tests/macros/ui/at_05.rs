// AT-05: compile error CE-32 at the method name
use braintrust::traced;

#[async_trait::async_trait]
trait T {
    #[traced]
    async fn f(&self);
}

#[async_trait::async_trait]
impl T for u8 {
    async fn f(&self) {}
}

fn main() {
    drop(1u8.f());
}
