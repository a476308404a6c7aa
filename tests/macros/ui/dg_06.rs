// DG-06: error names the Rc argument
use braintrust::traced;

use std::rc::Rc;

#[traced]
async fn f(shared: Rc<u8>) -> u8 {
    std::future::ready(()).await;
    *shared
}

fn assert_send<T: Send>(_: T) {}

fn main() {
    assert_send(f(Rc::new(1)));
}
