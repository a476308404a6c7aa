//! While a backend is away, or slow, memory is bounded: what becomes of new spans is a setting, those that began are
//! whole, and each is accounted for.

use std::ops::{Add, RangeInclusive};
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use braintrust::{Event, FlushReport, Logger, LoggerBuilder, LossReason, MaskedField, WhenFull, traced};
use futures::executor::block_on;
use futures::{Stream, StreamExt as _, stream};
use serde_json::Value;

/// The bound is the process's, so each of these tests has a process of its own.
fn alone(test: &str, work: fn()) {
    const CHILD: &str = "BRAINTRUST_TESTS_BOUND_CHILD";
    if std::env::var(CHILD).is_ok_and(|child| child == test) {
        return work();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture"]).env(CHILD, test);
    assert!(child.status().unwrap().success(), "{test} failed; see above");
}

/// Port 9 discards, where anyone listens at all.
fn away() -> LoggerBuilder {
    Logger::builder().project("away").api_key("sk-test").app_url("http://127.0.0.1:9").without_spool()
}

/// Spans that were made.
#[derive(Clone, Copy, Debug, Default)]
struct Made {
    /// How many were recorded.
    recorded: u64,
    /// How many of these a busy machine kept open for so long that they may be two rows.
    long: u64,
}

impl Made {
    /// Half of the time after which the start of an open span is sent alone.
    const LONG: Duration = Duration::from_millis(250);

    /// How many rows they may be.
    fn rows(self) -> RangeInclusive<u64> {
        self.recorded..=self.recorded + self.long
    }
}

impl Add for Made {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { recorded: self.recorded + other.recorded, long: self.long + other.long }
    }
}

/// The one that is logged while the exporter is [`held_up`].
const HOLDER: Made = Made { recorded: 1, long: 0 };

/// What became of `made` spans, of which none can be delivered: how many wait, and how many found no room.
fn queued_and_lost(logger: &Logger, made: u64) -> (u64, u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        // The exporter sees at each of its ticks what there is.
        std::thread::sleep(Duration::from_millis(10));
        let stats = logger.stats();
        assert_eq!((stats.delivered, stats.spooled), (0, 0), "{stats:?}");
        assert_eq!(stats.lost.total(), stats.lost.count(LossReason::QueueFull), "{stats:?}");
        if stats.queued + stats.lost.total() >= made || Instant::now() > deadline {
            return (stats.queued, stats.lost.total());
        }
    }
}

/// Starts and ends spans.
fn make_spans(logger: &Logger, count: usize) -> Made {
    let make = |_| {
        let begun = Instant::now();
        let is_recorded = !logger.start_span("call").start().is_noop();
        Made { recorded: u64::from(is_recorded), long: u64::from(is_recorded && begun.elapsed() > Made::LONG) }
    };
    (0..count).map(make).fold(Made::default(), Made::add)
}

/// That each of these spans waits, and so many others were refused.
fn assert_accounted_for(logger: &Logger, made: Made, refused: u64) {
    let (queued, lost) = queued_and_lost(logger, made.recorded + refused);
    assert!(
        made.rows().contains(&queued) && lost == refused,
        "{made:?}, {refused} refused: {queued} queued, {lost} lost"
    );
}

#[test]
fn spans_beyond_the_bound_in_bytes_are_refused_and_counted() {
    alone("spans_beyond_the_bound_in_bytes_are_refused_and_counted", || {
        let away = away().queue_bytes(64 * 1024 * 1024).build().unwrap();
        let prompt = "x".repeat(1024 * 1024);
        let spans: Vec<_> = (0..100).map(|_| away.start_span("call").input(&prompt).start()).collect();
        let refused = spans.iter().filter(|span| span.is_noop()).count() as u64;
        assert!((36..=40).contains(&refused), "{refused} refused");
        assert!(spans.iter().map(|span| span.is_noop()).is_sorted(), "refused only once it is full");
        drop(spans);
        let (queued, lost) = queued_and_lost(&away, 100);
        // A span that has been open for long is two rows.
        assert_eq!((queued >= 100 - refused, lost), (true, refused));
    });
}

/// A small span's row is several times as large as what was recorded of it.
#[test]
fn small_spans_wait_as_they_are_while_rows_fill_the_bound() {
    alone("small_spans_wait_as_they_are_while_rows_fill_the_bound", || {
        const MOST: u64 = 2 * 1024 * 1024;
        const BATCH: u64 = 1280 * 1024;
        let (away, go_on) = held_up(away().queue_bytes(MOST as usize));
        let mut made = make_spans(&away, 30_000);
        let mut refused = 30_000 - made.recorded;
        made = made + HOLDER;
        drop(go_on);
        // The exporter enters refused spans between any two batches of rows: it has been at work so often since.
        for _ in 0..30 {
            let one = make_spans(&away, 1);
            (made, refused) = (made + one, refused + 1 - one.recorded);
            let deadline = Instant::now() + Duration::from_secs(60);
            let stats = loop {
                let stats = away.stats();
                if stats.queued_bytes >= MOST && stats.lost.total() == refused || Instant::now() > deadline {
                    break stats;
                }
                std::thread::sleep(Duration::from_millis(1));
            };
            assert!((MOST..MOST + BATCH).contains(&stats.queued_bytes) && stats.queued < made.recorded, "{stats:?}");
        }
        // A flush has everything made rows that its time suffices for.
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let error = away.flush_blocking(Duration::from_secs(1)).unwrap_err();
            let stats = away.stats();
            if made.rows().contains(&error.report().unwrap().queued) && stats.lost.total() == refused {
                return;
            }
            assert!(Instant::now() < deadline, "each is accounted for: {made:?}, {refused}: {stats:?}");
        }
    });
}

/// Others are not held up, and records stay as they are all the same: those of whom nothing leaves.
#[test]
fn small_spans_wait_as_they_are_beside_another_logger() {
    alone("small_spans_wait_as_they_are_beside_another_logger", || {
        const MOST: u64 = 2 * 1024 * 1024;
        const BATCH: u64 = 1280 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let other = Logger::builder().project("other").local_folder(folder.path()).build().unwrap();
        // The bound is met by what the one that is away records, too, so the other's spans come first.
        for _ in 0..10 {
            let made = make_spans(&other, 1);
            assert_eq!(made.recorded, 1);
            let report = other.flush_blocking(Duration::from_secs(60)).unwrap();
            assert!(made.rows().contains(&report.delivered), "{report}");
        }
        let (away, go_on) = held_up(away().queue_bytes(MOST as usize));
        let made = make_spans(&away, 30_000);
        let refused = 30_000 - made.recorded;
        let made = made + HOLDER;
        drop(go_on);
        for _ in 0..5 {
            // The exporter has been through all that there was when this returns.
            other.flush_blocking(Duration::from_secs(60)).unwrap();
            let stats = away.stats();
            assert!((MOST..MOST + BATCH).contains(&stats.queued_bytes) && stats.queued < made.recorded, "{stats:?}");
        }
        let (report, lost) = (flushed_in_vain(&away, made), away.stats().lost.total());
        assert!(made.rows().contains(&report.queued) && lost == refused, "{made:?}, {lost} lost: {report}");
    });
}

/// A logger while whose rows are made the exporter stands still, from now on until the sender is gone: spans are made faster
/// than rows, however busy the machine is.
fn held_up(builder: LoggerBuilder) -> (Logger, mpsc::Sender<()>) {
    let (tell, told) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let hold_up = move |_: MaskedField, _: &mut Value| {
        let _ = tell.send(());
        let _ = wait.lock().unwrap().recv();
    };
    let logger = builder.mask(hold_up).build().unwrap();
    logger.log(Event::new().input("holds it up"));
    told.recv().unwrap();
    (logger, go_on)
}

/// Flushes until all that was recorded is rows, which a flush makes of it as far as its time suffices.
fn flushed_in_vain(away: &Logger, made: Made) -> FlushReport {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let error = away.flush_blocking(Duration::from_secs(1)).unwrap_err();
        let report = error.report().unwrap().clone();
        if made.rows().contains(&report.queued) || Instant::now() > deadline {
            return report;
        }
    }
}

#[test]
fn spans_beyond_the_bound_in_number_are_refused_and_counted() {
    alone("spans_beyond_the_bound_in_number_are_refused_and_counted", || {
        let away = away().queue_spans(2_000).build().unwrap();
        let made = make_spans(&away, 10_000);
        // A thread hands its spans over in blocks, of which eight make up the bound.
        assert!((2_000 - made.long..=2_250).contains(&made.recorded), "{made:?}");
        assert_accounted_for(&away, made, 10_000 - made.recorded);
        assert_eq!(make_spans(&away, 10).recorded, 0, "still full");
    });
}

/// The threads end before the flush: what their last blocks hold is theirs no more.
#[test]
fn what_threads_made_is_queued_or_counted_after_their_end() {
    alone("what_threads_made_is_queued_or_counted_after_their_end", || {
        let away = away().queue_spans(10_000).build().unwrap();
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| make_spans(&away, 5_000))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).fold(Made::default(), Made::add)
        });
        assert!((10_000..=20_000).contains(&made.recorded), "{made:?}");
        assert_accounted_for(&away, made, 40_000 - made.recorded);
    });
}

#[test]
fn the_oldest_make_room_for_the_newest() {
    alone("the_oldest_make_room_for_the_newest", || {
        let away = away().queue_spans(1_000).when_full(WhenFull::DropOldest).build().unwrap();
        let mut made = Made::default();
        for round in 1..=20 {
            // Fewer than a quarter of the bound: the exporter has rows dropped before more may wait.
            made = made + make_spans(&away, 200);
            queued_and_lost(&away, round * 200);
        }
        // A quarter above the bound, and a block of each thread, is the most that may wait.
        assert!(made.recorded > 2 * 1_375, "{made:?}");
        let (queued, lost) = queued_and_lost(&away, 4_000);
        assert!(queued <= 1_375, "{queued} queued");
        assert!((4_000..=4_000 + made.long).contains(&(queued + lost)), "{made:?}: {queued} queued, {lost} lost");
    });
}

#[test]
fn who_waits_for_room_loses_nothing() {
    alone("who_waits_for_room_loses_nothing", || {
        let folder = tempfile::tempdir().unwrap();
        let slow = Logger::builder().project("slow").local_folder(folder.path());
        let slow = slow.queue_spans(100).when_full(WhenFull::Block(Duration::from_secs(60))).build().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(make_spans(&slow, 2_500).recorded, 2_500));
            }
        });
        let report = slow.flush_blocking(Duration::from_secs(60)).unwrap();
        assert_eq!((report.queued, report.lost.total()), (0, 0), "{report}");
        // A span that a window's end cuts in two is two rows.
        assert!(report.delivered >= 10_000, "{report}");
    });
}

/// Those of another logger, whose rows take little, are not the oldest of all by being the first to be asked.
#[test]
fn the_oldest_of_whoever_fills_the_bound_make_room() {
    alone("the_oldest_of_whoever_fills_the_bound_make_room", || {
        let few = away().build().unwrap();
        let many = away().queue_spans(1_000).when_full(WhenFull::DropOldest).build().unwrap();
        let made = make_spans(&few, 50);
        assert_eq!(made.recorded, 50);
        assert_accounted_for(&few, made, 0);
        for round in 1..=20 {
            make_spans(&many, 200);
            queued_and_lost(&many, round * 200);
        }
        assert!(many.stats().lost.total() > 0, "{:?}", many.stats());
        assert_accounted_for(&few, made, 0);
    });
}

#[test]
fn who_waits_in_vain_goes_on_and_the_span_is_counted() {
    alone("who_waits_in_vain_goes_on_and_the_span_is_counted", || {
        const WAIT: Duration = Duration::from_millis(10);
        let away = away().queue_spans(500).when_full(WhenFull::Block(WAIT)).build().unwrap();
        let mut made = Made::default();
        loop {
            let one = make_spans(&away, 1);
            made = made + one;
            if one.recorded == 0 {
                break;
            }
        }
        let begun = Instant::now();
        assert_eq!(make_spans(&away, 5).recorded, 0);
        assert!(begun.elapsed() >= 5 * WAIT);
        assert_accounted_for(&away, made, 6);
    });
}

/// What is logged to a span whose logger is closed goes nowhere, and takes no room from then on.
#[cfg(feature = "testing")]
#[test]
fn rows_of_a_closed_logger_make_room() {
    alone("rows_of_a_closed_logger_make_room", || {
        let away = away().queue_bytes(8 * 1024 * 1024).build().unwrap();
        let (late, _) = braintrust::testing::capture_blocking_with_output(|| braintrust::start_span("late").start());
        let output = "x".repeat(1024 * 1024);
        (0..16).for_each(|_| late.log(Event::new().output(&output)));
        let deadline = Instant::now() + Duration::from_secs(30);
        while away.start_span("call").start().is_noop() {
            assert!(Instant::now() < deadline, "the bound is met by rows that nobody has");
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

#[traced(stream)]
fn chunks(number: usize) -> impl Stream<Item = String> {
    chunks_of(number)
}

/// The values are kept until the end, for a function that makes one output of them all.
#[traced(stream, aggregate = |chunks| chunks.len())]
fn counted(number: usize) -> impl Stream<Item = String> {
    chunks_of(number)
}

fn chunks_of(number: usize) -> impl Stream<Item = String> {
    stream::iter((0..number).map(|_| "x".repeat(1024 * 1024)))
}

/// What is open holds all of the bound, and no more; what ends gives it back.
fn meet_the_bound<S: Stream<Item = String>>(open: impl Fn(usize) -> S) {
    let away = away().queue_bytes(8 * 1024 * 1024).build().unwrap();
    away.in_scope(|| {
        let mut open: Vec<_> = (0..5).map(|_| Box::pin(open(4))).collect();
        let mut took = 0;
        for stream in &mut open {
            took += block_on(stream.by_ref().take(3).count());
        }
        assert_eq!(took, 15, "the streams themselves are not cut");
        assert!(away.start_span("call").start().is_noop(), "the bound is met");
    });
}

#[test]
fn what_open_streams_hold_counts() {
    alone("what_open_streams_hold_counts", || meet_the_bound(chunks));
}

#[test]
fn what_open_streams_hold_for_an_aggregate_counts() {
    alone("what_open_streams_hold_for_an_aggregate_counts", || meet_the_bound(counted));
}

#[test]
fn what_one_stream_holds_for_an_aggregate_is_bounded_and_it_is_told() {
    alone("what_one_stream_holds_for_an_aggregate_is_bounded_and_it_is_told", || {
        let folder = tempfile::tempdir().unwrap();
        let roomy = Logger::builder().project("p").local_folder(folder.path()).build().unwrap();
        assert_eq!(roomy.in_scope(|| block_on(counted(40).count())), 40);
        roomy.flush_blocking(Duration::from_secs(60)).unwrap();
        let traces = braintrust::local::read(folder.path()).unwrap();
        let span = traces.find("counted");
        let kept = span.output().unwrap().as_u64().unwrap();
        assert!((15..=17).contains(&kept), "{kept} MiB are kept");
        assert_eq!(span.metadata().unwrap()["stream"], serde_json::json!({"items": 40, "truncated": true}));
    });
}
