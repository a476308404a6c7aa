//! What rows say of the place in the source where their span began: made once for each place that the macro knows.

use super::text::{write_integer, write_json_text};
use crate::SpanType;
use crate::callsite::Callsite;
use crate::record::Record;
use crate::sections::Section;

/// What all rows of a callsite say alike.
#[derive(Debug)]
pub(super) struct SiteText {
    /// The name of its spans, as JSON.
    pub(super) name: Vec<u8>,
    pub(super) kind: SpanType,
    /// Function, file and line: members of `context`, each with a comma after it.
    pub(super) place: Vec<u8>,
    /// All members of `context`.
    pub(super) context: Vec<u8>,
}

/// The texts of the callsites that rows were written for.
#[derive(Debug)]
pub(super) struct SiteTexts {
    /// By the number of the callsite.
    known: Vec<Option<SiteText>>,
    /// What `span_origin` has after the instrumentation.
    after_instrumentation: String,
}

impl SiteTexts {
    pub(super) fn new(environment: Option<String>) -> Self {
        let environment = environment.map_or_else(String::new, |json| format!(",\"environment\":{json}"));
        Self { known: Vec::new(), after_instrumentation: format!("}}{environment}}}") }
    }

    /// The text of a callsite; none for the number of no callsite.
    #[inline]
    pub(super) fn get(&mut self, number: u32) -> Option<&SiteText> {
        let place = number as usize;
        if !matches!(self.known.get(place), Some(Some(_))) {
            self.learn(number)?;
        }
        self.known.get(place)?.as_ref()
    }

    #[cold]
    fn learn(&mut self, number: u32) -> Option<()> {
        let site = Callsite::by_number(number)?;
        let text = self.text_of(site);
        // Numbers count up from one, so there are no more places than functions.
        let place = number as usize;
        if self.known.len() <= place {
            self.known.resize_with(place + 1, || None);
        }
        self.known[place] = Some(text);
        Some(())
    }

    fn text_of(&self, site: &Callsite) -> SiteText {
        let mut name = Vec::new();
        write_json_text(site.name, &mut name);
        let mut place = Vec::new();
        place.extend_from_slice(b"\"caller_functionname\":");
        write_json_text(site.function, &mut place);
        place.push(b',');
        write_place(site.file, Some(site.line), &mut place);
        let mut context = place.clone();
        self.write_span_origin("traced-macro", &mut context);
        SiteText { name, kind: site.kind, place, context }
    }

    /// What made the span, and where the program runs.
    pub(super) fn write_span_origin(&self, instrumentation: &str, out: &mut Vec<u8>) {
        const BEFORE: &str = concat!(
            "\"span_origin\":{\"name\":\"rust-traced\",\"version\":\"",
            env!("CARGO_PKG_VERSION"),
            "\",\"instrumentation\":{\"name\":",
        );
        out.extend_from_slice(BEFORE.as_bytes());
        write_json_text(instrumentation, out);
        out.extend_from_slice(self.after_instrumentation.as_bytes());
    }
}

/// File and line of a span that no macro made, each with a comma after it.
pub(super) fn write_location(start: &Record<'_>, out: &mut Vec<u8>) {
    let Some(file) = start.section(Section::File) else { return };
    let line = start.section(Section::Line).and_then(|line| line.try_into().ok()).map(u32::from_le_bytes);
    write_place(&String::from_utf8_lossy(file), line, out);
}

fn write_place(file: &str, line: Option<u32>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"caller_filename\":");
    write_json_text(file, out);
    out.push(b',');
    if let Some(line) = line {
        out.extend_from_slice(b"\"caller_lineno\":");
        write_integer(line.into(), out);
        out.push(b',');
    }
}
