// SH-28: rustc attribute-on-expression error; docs point to Span::in_scope

fn main() {
    let _ = #[braintrust::traced] |x: u8| x;
}
