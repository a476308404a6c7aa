// CE-37: `logger` is only used without a parent; remove one of them
use braintrust::traced;

#[traced(parent = p, logger = l)]
fn f(p: &braintrust::Span, l: &braintrust::Logger) {
    let _ = (p, l);
}

fn main() {}
