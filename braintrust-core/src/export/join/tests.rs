//! However records are spread over windows, the backend ends up with the same spans.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Cut, Flushed, Joiner, Parked};
use crate::active::LoggerId;
use crate::buffer::FULL_BYTES;
use crate::clock::{Timestamp, WallClock};
use crate::context::SpanRef;
use crate::export::merge::merge_row;
use crate::export::row::RowFacts;
use crate::fields::{Field, Fields};
use crate::ids::{IdStyle, SpanId, TraceId};
use crate::record::bound::Amount;
use crate::record::{Chunk, RecordWriter};
use crate::sections::{Section, Sections};

const LOGGER: LoggerId = LoggerId(1);

/// What happens to a span next.
#[derive(Clone, Debug)]
enum Step {
    Metadata(u8, u8),
    Tag(u8),
    Output(u8),
    End,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3u8, any::<u8>()).prop_map(|(key, value)| Step::Metadata(key, value)),
        (0..4u8).prop_map(Step::Tag),
        any::<u8>().prop_map(Step::Output),
        Just(Step::End),
    ]
}

fn span(number: u64) -> SpanRef {
    SpanRef::new(LOGGER, TraceId([7, 7]), SpanId(number + 1))
}

/// The records of a program in which step `n`, at time `n + 1`, happens to the span that it names.
fn records(steps: &[(u64, Step)]) -> Vec<Vec<u8>> {
    let mut started = Vec::new();
    let record = |(index, (number, step)): (usize, &(u64, Step))| {
        let mut out = Vec::new();
        let mut writer = RecordWriter::new(&mut out, span(*number), Timestamp(index as u64 + 1));
        if !started.contains(number) {
            started.push(*number);
            writer.start(0, SpanId::NONE, &Sections::default());
        }
        let mut fields = Fields::new();
        match step {
            Step::Metadata(key, value) => {
                fields.put(Field::Metadata, |out| {
                    out.extend_from_slice(json!({format!("k{key}"): value}).to_string().as_bytes())
                });
            }
            Step::Tag(tag) => fields.put(Field::Tags, |out| out.extend_from_slice(json!([tag]).to_string().as_bytes())),
            Step::Output(value) => fields.put(Field::Output, |out| out.extend_from_slice(value.to_string().as_bytes())),
            Step::End => {}
        }
        writer.fields(&fields);
        if matches!(step, Step::End) {
            writer.end(&Sections::default());
        }
        out
    };
    steps.iter().enumerate().map(record).collect()
}

/// Joins records window by window. Record `n` is of the thread that bit `n` of `threads` names. A window is drained when
/// `cut` has passed; a little more may be in it, of one thread and not of the other.
fn rows(records: &[Vec<u8>], threads: u64, windows: &[(usize, usize, u64, Parking)]) -> Vec<Vec<Map<String, Value>>> {
    let facts = RowFacts { wall: WallClock::at_origin(), id_style: IdStyle::Hex };
    let (mut drained, mut carried, mut parked, mut joiner) = ([0; 2], Vec::new(), Parked::default(), Joiner::new(None));
    let last = (records.len(), records.len(), 0, Parking::Ends);
    let mut all = Vec::new();
    for (cut, surplus, patience, parking) in windows.iter().copied().chain([last]) {
        let unparked = parked.leave(|_, _| parking == Parking::GoesOn);
        let mut chunks = vec![Chunk::from(unparked.records), Chunk::from(std::mem::take(&mut carried))];
        for (thread, until) in [cut, cut + surplus].into_iter().enumerate() {
            let until = until.min(records.len()).max(drained[thread]);
            let is_its = |index: &usize| threads >> index & 1 == thread as u64;
            let fresh: Vec<_> = (drained[thread]..until).filter(is_its).map(|index| &*records[index]).collect();
            chunks.push(fresh.concat().into());
            drained[thread] = until;
        }
        let (until, patience) = (Timestamp(cut as u64), Duration::from_nanos(patience));
        let cut = Cut { until, began_anew: false, patience, flushed: Flushed::Nobodys };
        let mut window = joiner.begin(chunks, Amount::default(), cut, facts, parked);
        if parking == Parking::Begins {
            window.parked().park(LOGGER, 0);
        }
        while !window.is_joined() {
            for (logger, batch) in joiner.join(&mut window, drop) {
                assert_eq!(logger, LOGGER);
                all.push(batch.iter().map(|row| serde_json::from_slice(&[row.text, b"}"].concat()).unwrap()).collect());
            }
        }
        let (waiting, left_parked) = joiner.end(window, drop);
        (carried, parked) = (waiting.records, left_parked);
    }
    assert!(carried.is_empty() && parked.amount() == Amount::default(), "the last window waits for nothing");
    all
}

/// What the backend makes of rows: a first row replaces, a merge row merges.
fn stored(windows: Vec<Vec<Map<String, Value>>>) -> BTreeMap<String, Map<String, Value>> {
    let mut stored = BTreeMap::new();
    for window in windows {
        let mut ids = Vec::new();
        for row in window {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(!ids.contains(&id), "two rows of one span in a window");
            ids.push(id.clone());
            let merges = row.get("_is_merge") == Some(&json!(true));
            assert_eq!(merges, stored.contains_key(&id), "a span's first row replaces, the others merge");
            merge_row(stored.entry(id).or_default(), row);
        }
    }
    for row in stored.values_mut() {
        row.remove("_is_merge");
        // Numbered as they are sent.
        row["span_attributes"].as_object_mut().unwrap().remove("exec_counter");
        // Within a window the first end counts, of several windows the last that has one.
        row["metrics"].as_object_mut().unwrap().remove("end");
    }
    stored
}

/// Whether a window's records stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parking {
    /// From the middle of this window on.
    Begins,
    /// If they did before.
    GoesOn,
    Ends,
}

fn parking() -> impl Strategy<Value = Parking> {
    prop_oneof![Just(Parking::Begins), Just(Parking::GoesOn), Just(Parking::Ends)]
}

proptest! {
    #[test]
    fn windows_do_not_matter(
        steps in prop::collection::vec((0..4u64, step()), 1..40),
        threads in any::<u64>(),
        windows in prop::collection::vec((0..12usize, 0..6usize, 0..20u64, parking()), 0..12),
    ) {
        let records = records(&steps);
        let mut cut = 0;
        let windows: Vec<_> = windows.into_iter().map(|(more, surplus, patience, parking)| {
            cut = (cut + more).min(records.len());
            (cut, surplus, patience, parking)
        }).collect();
        prop_assert_eq!(stored(rows(&records, threads, &windows)), stored(rows(&records, 0, &[])));
    }
}

#[test]
fn a_short_span_waits_for_its_end() {
    let records = records(&[(0, Step::Output(1)), (0, Step::End)]);
    let patient = rows(&records, 0, &[(1, 0, 10, Parking::Ends)]);
    assert_eq!(patient.len(), 1, "{patient:?}");
    assert!(!patient[0][0].contains_key("_is_merge"));
    let impatient = rows(&records, 0, &[(1, 0, 0, Parking::Ends)]);
    let flags: Vec<_> = impatient.iter().map(|window| window[0].get("_is_merge").cloned()).collect();
    assert_eq!(flags, [Some(json!(false)), Some(json!(true))]);
}

#[test]
fn the_first_end_counts_of_those_that_are_joined_at_once() {
    let end_at = |second: i64| {
        let (mut out, mut sections) = (Vec::new(), Sections::default());
        sections.push(Section::At, &(second * 1_000_000_000).to_le_bytes());
        RecordWriter::new(&mut out, span(0), Timestamp(second as u64)).end(&sections);
        out
    };
    let records = [records(&[(0, Step::Output(1))]), vec![end_at(2), end_at(3)]].concat();
    let windows = rows(&records, 0, &[]);
    assert_eq!(windows[0][0]["metrics"]["end"], json!(2.0), "{windows:?}");
}

#[test]
fn a_large_window_is_joined_a_batch_at_a_time() {
    const SPANS: u64 = 6_000;
    let is_open = |number: u64| number.is_multiple_of(3);
    let steps: Vec<_> =
        (0..SPANS).map(|number| (number, if is_open(number) { Step::Output(1) } else { Step::End })).collect();
    let chunks: Vec<_> = records(&steps).chunks(100).map(|records| Chunk::from(records.concat())).collect();
    let counted = Amount { bytes: chunks.iter().map(|chunk| chunk.len()).sum(), spans: SPANS as usize };
    let cut = Cut { until: Timestamp(SPANS), began_anew: false, patience: Duration::MAX, flushed: Flushed::Nobodys };
    let facts = RowFacts { wall: WallClock::at_origin(), id_style: IdStyle::Hex };
    let mut joiner = Joiner::new(None);
    let mut window = joiner.begin(chunks, counted, cut, facts, Parked::default());
    assert_eq!(window.amount(), counted);
    let (mut keys, mut batches) = (Vec::new(), 0);
    while !window.is_joined() {
        let before = window.amount();
        for (_, batch) in joiner.join(&mut window, drop) {
            assert!(batch.bytes() < FULL_BYTES + 10_000, "{} bytes", batch.bytes());
            keys.extend(batch.iter().map(|row| row.key));
            batches += 1;
        }
        assert!(window.amount().bytes < before.bytes, "what has become a row counts no more");
    }
    let expected = (0..SPANS).filter(|number| !is_open(*number)).map(|number| number + 1);
    assert!(batches > 1 && keys.into_iter().eq(expected), "each that has ended, once, in {batches} batches");
    let left = window.amount();
    assert_eq!((left, left.spans), (joiner.end(window, drop).0.amount(), SPANS as usize / 3));
}

/// Such a counter's old moments lie far beyond its new ones, and say nothing of what came first.
#[test]
fn after_the_clock_began_anew_nothing_waits_for_ever_and_no_row_overtakes_its_spans_first() {
    let at = |span_number: u64, at: u64, write: &dyn Fn(RecordWriter<'_, Vec<u8>>)| {
        let mut out = Vec::new();
        write(RecordWriter::new(&mut out, span(span_number), Timestamp(at)));
        Chunk::from(out)
    };
    let start = |mut writer: RecordWriter<'_, Vec<u8>>| writer.start(0, SpanId::NONE, &Sections::default());
    let end = |mut writer: RecordWriter<'_, Vec<u8>>| writer.end(&Sections::default());
    let facts = RowFacts { wall: WallClock::at_origin(), id_style: IdStyle::Hex };
    let mut joiner = Joiner::new(None);
    let mut joined = |chunks: Vec<Chunk>, until: u64, began_anew: bool| {
        let cut = Cut { until: Timestamp(until), began_anew, patience: Duration::MAX, flushed: Flushed::Nobodys };
        let mut window = joiner.begin(chunks, Amount::default(), cut, facts, Parked::default());
        let (mut rows, mut carried) = (Vec::new(), Vec::new());
        while !window.is_joined() {
            for (_, batch) in joiner.join(&mut window, drop) {
                let row = |text: &[u8]| serde_json::from_slice::<Map<String, Value>>(&[text, b"}"].concat()).unwrap();
                rows.extend(batch.iter().map(|open| (open.key, row(open.text).contains_key("_is_merge"))));
            }
        }
        carried.push(Chunk::from(joiner.end(window, drop).0.records));
        (rows, carried)
    };
    // A span that was open before; and of another one, begun after the cut, the end without the beginning, as a drain may
    // meet them.
    let (rows, carried) = joined(vec![at(0, 1 << 60, &start), at(1, 12, &end)], 10, true);
    assert_eq!(rows, [(1, true)], "the span that was open, as far as it is");
    let chunks = carried.into_iter().chain([at(1, 11, &start), at(0, 13, &end)]).collect();
    let (rows, _) = joined(chunks, 20, false);
    assert_eq!(rows, [(2, false), (1, true)], "the other whole, and what followed");
}
