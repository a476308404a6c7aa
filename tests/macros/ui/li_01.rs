// LI-01: unused_variables at the argument (tracing, logcall lose it)
#![deny(warnings)]
#![allow(dead_code)]

use braintrust::traced;

#[traced]
fn sync(unused: u8) {}

#[traced]
async fn later(unused: u8, mut list: Vec<u8>) {
    let kept = 1;
}

#[traced(skip_all)]
fn skipped(unused: u8) {}

#[traced("step {n}")]
fn interpolated(n: u8, unused: u8) {}

struct S(u8);

impl S {
    #[traced]
    fn method(&self, S(unused): S) {}
}

fn main() {}
