// DG-04: a wrong result is underlined, and nothing else
use braintrust::traced;

#[traced]
async fn score() -> f64 {
    "high"
}

#[traced]
fn sync_score(text: &str) -> f64 {
    text
}

fn main() {}
