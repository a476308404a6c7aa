//! The W3C headers of a span: writes them to a carrier, and reads them from one.

use super::carrier::{self, Extractor, Injector};
use super::{ParentObject, baggage};
use crate::ids::{SpanId, TraceId};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

/// The flag of a trace that is recorded, as ours are unless the caller's headers say otherwise.
pub(crate) const SAMPLED: u8 = 1;

/// What headers say about the span that a request, a message or a stored job came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    /// Handed on as they came, so that bits of the future survive.
    pub(crate) flags: u8,
    /// What other vendors say about the trace. Every span of the trace hands it on as it came.
    pub(crate) tracestate: Option<String>,
    /// Where the trace is kept, if the headers say so.
    pub(crate) parent: Option<ParentObject>,
}

impl TraceContext {
    /// A span of ours, whose trace no other process began.
    pub(crate) fn new(trace: TraceId, span: SpanId, parent: Option<ParentObject>) -> Self {
        Self { trace, span, flags: SAMPLED, tracestate: None, parent }
    }

    /// The `traceparent` header. `None` for ids of zero, which W3C forbids.
    fn to_traceparent(&self) -> Option<String> {
        if self.span.is_none() || self.trace.0 == [0, 0] {
            return None;
        }
        let [high, low] = self.trace.0;
        Some(format!("00-{high:016x}{low:016x}-{:016x}-{:02x}", self.span.0, self.flags))
    }
}

/// Writes the headers of a span to `carrier`, in lower case and in place of those in any other case.
///
/// `baggage` keeps the members of others; a `braintrust.parent` from before goes. Nothing at all is written if an id is
/// zero.
pub(crate) fn inject<I: Injector + ?Sized>(context: &TraceContext, carrier: &mut I) {
    let Some(traceparent) = context.to_traceparent() else { return };
    replace(carrier, TRACEPARENT, traceparent);
    if let Some(tracestate) = &context.tracestate {
        replace(carrier, TRACESTATE, tracestate.clone());
    }
    let before = carrier.take(BAGGAGE);
    if let Some(baggage) = baggage::merge(&before, context.parent.as_ref()) {
        carrier.set(BAGGAGE, baggage);
    }
}

fn replace<I: Injector + ?Sized>(carrier: &mut I, key: &str, value: String) {
    carrier.take(key);
    carrier.set(key, value);
}

/// Reads the headers of a span from `carrier`, whatever case their names are in.
///
/// `None` if there is no valid `traceparent`. Everything else is optional, and as good as absent if it is malformed.
pub(crate) fn extract<E: Extractor + ?Sized>(carrier: &E) -> Option<TraceContext> {
    let (trace, span, flags) = parse_traceparent(carrier::values(carrier, TRACEPARENT).first()?)?;
    let tracestate = Some(carrier::values(carrier, TRACESTATE).join(",")).filter(|state| is_sendable(state));
    let parent = baggage::parent(&carrier::values(carrier, BAGGAGE));
    Some(TraceContext { trace, span, flags, tracestate, parent })
}

/// Reads `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`. Other versions and upper case are refused, as the
/// official SDKs do: they would be read here and lost there.
fn parse_traceparent(text: &str) -> Option<(TraceId, SpanId, u8)> {
    let mut fields = text.trim().split('-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if version != "00" || fields.next().is_some() || trace.len() != 32 {
        return None;
    }
    let (high, low) = trace.split_at_checked(16)?;
    let (trace, span) = (TraceId([parse_hex(high, 16)?, parse_hex(low, 16)?]), SpanId(parse_hex(span, 16)?));
    let flags = u8::try_from(parse_hex(flags, 2)?).ok()?;
    (trace.0 != [0, 0] && !span.is_none()).then_some((trace, span, flags))
}

fn parse_hex(text: &str, digits: usize) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != digits || !text.bytes().all(is_digit) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

/// Whether a value may be handed on: a line break that came out of a database must not become a header of its own.
fn is_sendable(value: &str) -> bool {
    !value.trim().is_empty() && value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}
