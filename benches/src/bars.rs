//! What has to be reached, and whether it was.

use crate::results::{Process, Results};
use crate::work::Work;

const OURS: &str = "braintrust";
/// Ours, set to wait for room in memory where the flood is faster than the backend, rather than to drop spans.
const WAITING: &str = "braintrust-waiting";
const FASTRACE: &str = "fastrace";
const TRACING: &str = "tracing";
/// Those that keep what they capture.
const KEEPING_PEERS: [&str; 4] = ["fastrace", "opentelemetry", "tracing-otel", "braintrust-sdk-rust"];

/// One thing to reach.
#[derive(Debug)]
pub struct Bar {
    pub what: &'static str,
    pub must: &'static str,
    pub reach: &'static str,
    pub seen: String,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What to reach for was reached.
    Reached,
    /// What must be was reached.
    Met,
    Missed,
}

impl Verdict {
    fn of(must: bool, reach: bool) -> Self {
        match (must, reach) {
            (true, true) => Self::Reached,
            (true, false) => Self::Met,
            (false, _) => Self::Missed,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Met => "met",
            Self::Missed => "**missed**",
        }
    }
}

/// How many bars there are.
pub const COUNT: usize = 13;

/// The bars that this run has measured.
pub fn all(results: &Results) -> Vec<Bar> {
    let bar = |what, must, reach, finding: Finding| {
        let (seen, verdict) = finding?;
        Some(Bar { what, must, reach, seen, verdict })
    };
    let bars: [_; COUNT] = [
        bar(
            "traced call, no logger, sync",
            "bare + 1 ns, below `tracing`",
            "bare + 0.5 ns",
            off(results, Work::Call, 1.0, 0.5),
        ),
        bar(
            "traced call, no logger, async",
            "bare + 3 ns, below `tracing`",
            "bare + 1.5 ns",
            off(results, Work::AsyncCall, 3.0, 1.5),
        ),
        bar("poll of a wrapped future, span active", "bare + 8 ns", "bare + 6 ns", poll(results)),
        bar(
            "span, nothing captured",
            "fastrace's; 4 threads and 100 deep within 1.25 of one thread's",
            "half of fastrace's",
            span(results),
        ),
        bar("root span per call", "1/3 of fastrace's", "1/6 of fastrace's", root(results)),
        bar(
            "651 bytes of JSON captured",
            "1.5 x serde_json alone, 1/2 of the best peer",
            "1.6 x sonic-rs alone, 1/5 of the best peer",
            payload(results),
        ),
        bar("64 KiB prompt captured", "3 x sonic-rs alone", "1.5 x sonic-rs alone", prompt(results)),
        bar("heap allocations per captured span", "1", "0", allocations(results)),
        bar(
            "200,000 captured spans to loopback, waiting for room",
            "300,000/s, none lost, 64 MiB, 4 µs CPU per span",
            "800,000/s, 32 MiB, 2.5 µs",
            flood(results),
        ),
        bar("the same, 100 ms latency", "50,000/s, none lost", "the backend's bound", slow_flood(results)),
        bar(
            "program start to end, with nothing traced",
            "+ 0 ms; within 1 ms, for loading what is linked in",
            "the same",
            start(results),
        ),
        bar(
            "200 traced functions: build, check again",
            "below `instrument(ret)`",
            "4 x and 3.2 x bare",
            compiling(results),
        ),
        bar("dependency tree", "stated", "45 beyond a bare crate, 2.8 MB", tree(results)),
    ];
    bars.into_iter().flatten().collect()
}

/// What was seen; nothing if this run did not look.
type Finding = Option<(String, Verdict)>;

fn off(results: &Results, work: Work, must: f64, reach: f64) -> Finding {
    let (ours, tracing) = (results.added(work, OURS)?, results.added(work, TRACING)?);
    let beyond =
        results.within_processes(|process| Some(process.added(work, OURS)? - process.added(work, TRACING)?))?;
    let seen = format!("{ours:+.1} ns (`tracing` {tracing:+.1})");
    Some((seen, Verdict::of(ours <= must && beyond < 0.0, ours <= reach)))
}

fn poll(results: &Results) -> Finding {
    let [ours, tracing, fastrace] = [OURS, TRACING, FASTRACE].map(|stack| results.added(Work::Poll, stack));
    let (ours, tracing, fastrace) = (ours?, tracing?, fastrace?);
    let seen = format!("{ours:+.1} ns (`tracing` {tracing:+.1}, `fastrace` {fastrace:+.1})");
    Some((seen, Verdict::of(ours <= 8.0, ours <= 6.0)))
}

fn span(results: &Results) -> Finding {
    let ours = results.quantile(Work::Span, OURS, 0.5)?;
    let ratio = |work, other: &dyn Fn(&Process) -> Option<f64>| {
        results.within_processes(|process| Some(process.median(work, OURS)? / other(process)?))
    };
    let against = |work| ratio(work, &|process| process.median(work, FASTRACE));
    let within = |work| ratio(work, &|process| process.median(Work::Span, OURS));
    let (ratio, threads, depth) = (against(Work::Span)?, within(Work::SpanOn4Threads)?, within(Work::Depth)?);
    let seen = format!(
        "{ratio:.2} x fastrace's ({ours:.0} ns); 4 threads {threads:.2} x one's ({:.2} x fastrace's), 100 deep {depth:.2} \
         x ({:.2} x fastrace's)",
        against(Work::SpanOn4Threads)?,
        against(Work::Depth)?,
    );
    let even = threads <= 1.25 && depth <= 1.25;
    Some((seen, Verdict::of(ratio <= 1.0 && even, ratio <= 0.5)))
}

fn root(results: &Results) -> Finding {
    let ours = results.quantile(Work::Root, OURS, 0.5)?;
    let median = |process: &Process, stack| process.median(Work::Root, stack);
    let ratio = results.within_processes(|process| Some(median(process, OURS)? / median(process, FASTRACE)?))?;
    Some((format!("{ratio:.2} x fastrace's ({ours:.0} ns)"), Verdict::of(ratio <= 1.0 / 3.0, ratio <= 1.0 / 6.0)))
}

fn payload(results: &Results) -> Finding {
    let ours = results.added(Work::Payload, OURS)?;
    let against = |reference| {
        results.within_processes(|process| {
            Some(process.added(Work::Payload, OURS)? / process.median(Work::Payload, reference)?)
        })
    };
    let (serde, sonic) = (against("serde_json")?, against("sonic-rs")?);
    let peers = KEEPING_PEERS.iter().filter_map(|peer| Some((results.added(Work::Payload, peer)?, peer)));
    let (best, name) = peers.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let peer = results
        .within_processes(|process| Some(process.added(Work::Payload, OURS)? / process.added(Work::Payload, name)?));
    let peer = peer.unwrap_or(ours / best);
    let seen = format!(
        "{serde:.2} x serde_json, {sonic:.2} x sonic-rs, {peer:.2} x `{name}` ({ours:.0} ns beyond the bare call)"
    );
    Some((seen, Verdict::of(serde <= 1.5 && peer <= 0.5, sonic <= 1.6 && peer <= 0.2)))
}

fn prompt(results: &Results) -> Finding {
    let ours = results.added(Work::Prompt, OURS)?;
    let ratio = results.within_processes(|process| {
        Some(process.added(Work::Prompt, OURS)? / process.median(Work::Prompt, "sonic-rs")?)
    })?;
    Some((format!("{ratio:.2} x ({:.1} µs)", ours / 1e3), Verdict::of(ratio <= 3.0, ratio <= 1.5)))
}

fn allocations(results: &Results) -> Finding {
    let ours = *results.allocations.get(&(Work::Payload, OURS.to_owned()))?;
    Some((format!("{ours:.2}"), Verdict::of(ours <= 1.0, ours < 0.005)))
}

fn flood(results: &Results) -> Finding {
    let run = results.flood(WAITING, 0)?;
    let lost = results.lost(WAITING, 0)?;
    let (memory, cpu) = results.most_taken(WAITING, 0)?;
    let rate = run.per_second();
    let must = rate >= 300_000.0 && lost == 0 && memory <= 64.0 && cpu <= 4.0;
    let reach = rate >= 800_000.0 && memory <= 32.0 && cpu <= 2.5;
    let seen = format!("{}/s, {lost} lost, {memory:.0} MiB, {cpu:.1} µs", thousands(rate));
    Some((seen, Verdict::of(must, reach)))
}

fn slow_flood(results: &Results) -> Finding {
    let run = results.flood(WAITING, 100)?;
    let lost = results.lost(WAITING, 100)?;
    let (memory, _) = results.most_taken(WAITING, 100)?;
    let seen = format!("{}/s, {lost} lost, {memory:.0} MiB", thousands(run.per_second()));
    Some((seen, Verdict::of(run.per_second() >= 50_000.0 && lost == 0, false)))
}

fn start(results: &Results) -> Finding {
    let bare = results.start("bare")?;
    let [ours, tracing, fastrace] = [OURS, TRACING, FASTRACE].map(|program| results.start(program));
    let ours = ours? - bare;
    // Loading a larger program takes some page faults, and a busy machine its time.
    let none = ours < 1.0;
    let seen = format!(
        "{ours:+.2} ms (`tracing` {:+.2}, `fastrace` {:+.2}; a bare program {bare:.2})",
        tracing? - bare,
        fastrace? - bare,
    );
    Some((seen, Verdict::of(none, none)))
}

fn compiling(results: &Results) -> Finding {
    let [ours, bare, ret] = [OURS, "none", "tracing"].map(|name| results.compiling.get(name));
    let (ours, bare, ret) = (ours?, bare?, ret?);
    let (build, check) = (ours.build / bare.build, ours.check_again / bare.check_again);
    let seen = format!(
        "{:.2} s and {:.2} s: {:.2} x and {:.2} x `instrument(ret)`'s, {build:.1} x and {check:.1} x bare",
        ours.build,
        ours.check_again,
        ours.build / ret.build,
        ours.check_again / ret.check_again,
    );
    let must = ours.build < ret.build && ours.check_again < ret.check_again;
    Some((seen, Verdict::of(must, build <= 4.0 && check <= 3.2)))
}

fn tree(results: &Results) -> Finding {
    let ours = results.trees.get(OURS)?;
    let beyond = ours.crates - results.trees.get("bare").map_or(1, |bare| bare.crates);
    let seen = format!(
        "{beyond} crates, {:.0} CPU s dev, {:.0} release, {:.2} MB",
        ours.dev_seconds, ours.release_seconds, ours.megabytes
    );
    Some((seen, Verdict::of(true, beyond <= 45 && ours.megabytes <= 2.8)))
}

/// A rate with its thousands set apart.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
