//! The payload made JSON and nothing more: what capturing has to be measured by. Into a buffer that is used again.

use std::hint::black_box;
use std::ops::Range;

use super::{Stack, nothing_to_send};
use crate::work::{self, Input, Question, Work};

pub const SERDE_JSON: Stack = Stack {
    name: "serde_json",
    title: "serde_json alone, into a reused buffer",
    install: nothing_to_send,
    works: &[
        (Work::Payload, |numbers| {
            payload(numbers, |input, output, out| {
                let _ = serde_json::to_writer(&mut *out, input);
                let _ = serde_json::to_writer(out, output);
            });
        }),
        (Work::Prompt, |numbers| prompt(numbers, |text, out| drop(serde_json::to_writer(out, text)))),
    ],
};

pub const SONIC: Stack = Stack {
    name: "sonic-rs",
    title: "sonic-rs (SIMD) alone, into a reused buffer",
    install: nothing_to_send,
    works: &[
        (Work::Payload, |numbers| {
            payload(numbers, |input, output, out| {
                let _ = sonic_rs::to_writer(&mut *out, input);
                let _ = sonic_rs::to_writer(out, output);
            });
        }),
        (Work::Prompt, |numbers| prompt(numbers, |text, out| drop(sonic_rs::to_writer(out, text)))),
    ],
};

#[inline(always)]
fn payload(numbers: Range<u64>, serialise: impl Fn(&Input<'_>, &str, &mut Vec<u8>)) {
    let question = Question::default();
    let output = work::reply(&question.text, &question.pages);
    let mut out = Vec::new();
    for _ in numbers {
        out.clear();
        let input = Input { question: black_box(&question.text), pages: black_box(&question.pages) };
        serialise(&input, black_box(&output), &mut out);
        black_box(&out);
    }
}

#[inline(always)]
fn prompt(numbers: Range<u64>, serialise: impl Fn(&str, &mut Vec<u8>)) {
    let prompt = work::prompt();
    let mut out = Vec::new();
    for _ in numbers {
        out.clear();
        serialise(black_box(&prompt), &mut out);
        black_box(&out);
    }
}
