// GE-09: E0521 at the attribute; cured by skip(x) or input = ...; documented
use braintrust::traced;

struct F<'a>(&'a str);

impl serde::Serialize for F<'static> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

#[traced]
fn f(x: F<'_>) -> usize {
    x.0.len()
}

fn main() {}
