//! Whatever befalls a backend, a disk and a process: rows of a span arrive in their order, and each is accounted for.
//!
//! `BRAINTRUST_TEST_CHAOS` says how many worlds are played through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::*;

/// How the backend is: it answers, is away, is away now and then, or takes rows and does not say so.
const GOOD: u8 = 0;
const AWAY: u8 = 1;
const MOODY: u8 = 2;
const MUTE: u8 = 3;
/// To be added: the project `slow` cannot be had, and the storage for large rows is away.
const NO_PROJECT: u8 = 4;
const NO_STORAGE: u8 = 8;

#[derive(Default)]
struct World {
    mood: u8,
    /// The spans that a request under way has a row of, and how many requests there are.
    under_way: BTreeSet<u64>,
    requests: usize,
    /// The rows that were taken, in their order.
    taken: Vec<u64>,
    faults: Vec<String>,
    /// The most bytes that a request may have.
    limit: usize,
    /// Whether some rows are refused.
    refuses: bool,
    /// The rows that were uploaded, by their keys.
    uploaded: BTreeMap<String, Vec<u64>>,
}

/// Whether a backend that refuses rows refuses this one.
fn is_bad(id: u64) -> bool {
    id % 1000 == 3
}

type Shared = Arc<Mutex<World>>;

/// A request under way, which may be broken off.
struct UnderWay(Shared, Vec<u64>);

impl UnderWay {
    fn begin(world: &Shared, ids: Vec<u64>) -> Self {
        let mut here = world.lock().unwrap();
        here.requests += 1;
        for id in &ids {
            if !here.under_way.insert(span_of(*id)) {
                here.faults.push(format!("two rows of span {} under way", span_of(*id)));
            }
        }
        drop(here);
        Self(Arc::clone(world), ids)
    }

    fn judge(&self) -> Option<Response> {
        let mut world = self.0.lock().unwrap();
        let luck = fastrand::u8(0..10);
        match world.mood % NO_PROJECT {
            AWAY => return answer(503, "away"),
            MOODY if luck < 5 => return answer(503, "not now"),
            _ if luck == 9 && self.1.len() > 1 => return answer(413, "too large"),
            _ if world.refuses && self.1.iter().any(|id| is_bad(*id)) => return answer(400, "a bad row"),
            _ => world.taken.extend(&self.1),
        }
        if world.mood % NO_PROJECT == MUTE && luck < 5 { answer(503, "taken all the same") } else { None }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut world = self.0.lock().unwrap();
        world.requests -= 1;
        for id in &self.1 {
            world.under_way.remove(&span_of(*id));
        }
    }
}

fn span_of(id: u64) -> u64 {
    id / 1000
}

async fn backend(world: &Shared) -> Backend {
    let (world, place) = (Arc::clone(world), Backend::reserve());
    let url = place.url();
    place
        .start(move |seen| {
            let (world, url) = (Arc::clone(&world), url.clone());
            async move {
                let is_there = |what| world.lock().unwrap().mood & what == 0;
                match seen.path.as_str() {
                    "/api/project/register" if seen.json()["project_name"] == "slow" && !is_there(NO_PROJECT) => {
                        answer(503, "no project")
                    }
                    "/version" => {
                        let limit = world.lock().unwrap().limit;
                        Some(json!({"logs3_payload_max_bytes": limit}).to_string().into_response())
                    }
                    "/logs3/overflow" => {
                        let (key, url) = (seen.nth.to_string(), format!("{url}/bucket/{}", seen.nth));
                        Some(json!({"method": "PUT", "signedUrl": url, "key": key}).to_string().into_response())
                    }
                    bucket if bucket.starts_with("/bucket/") => {
                        let key = bucket["/bucket/".len()..].to_owned();
                        let ids = ids(&[seen]).concat();
                        world.lock().unwrap().uploaded.insert(key, ids);
                        if is_there(NO_STORAGE) { answer(200, "") } else { answer(503, "no storage") }
                    }
                    "/logs3" => {
                        let key = seen.json()["rows"]["key"].as_str().map(str::to_owned);
                        let rows = key.map(|key| world.lock().unwrap().uploaded[&key].clone());
                        let request = UnderWay::begin(&world, rows.unwrap_or_else(|| ids(&[seen]).concat()));
                        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..4))).await;
                        request.judge()
                    }
                    _ => None,
                }
            }
        })
        .await
}

/// A program, as its logger's rows see it.
struct Program {
    rng: fastrand::Rng,
    sink: TestSink,
    /// The spans that it has, and how many rows of each were recorded.
    spans: Vec<u64>,
    rows: BTreeMap<u64, u64>,
    /// How many rows were recorded in this process, and which in all.
    recorded_here: u64,
    recorded: BTreeSet<u64>,
    /// How many rows were lost in earlier processes.
    lost: u64,
    /// What it did, for whoever has to find out.
    log: Vec<String>,
}

impl Program {
    fn new(sink: TestSink, rng: fastrand::Rng) -> Self {
        let (rows, recorded_here, recorded, lost, log) = Default::default();
        Self { rng, sink, spans: (0..6).collect(), rows, recorded_here, recorded, lost, log }
    }

    fn record(&mut self) {
        let (mut batch, mut ids) = (RowBatch::default(), BTreeMap::new());
        for _ in 0..self.rng.usize(1..8) {
            let span = self.spans[self.rng.usize(0..self.spans.len())];
            ids.entry(span).or_insert_with(|| {
                let count = self.rows.entry(span).or_default();
                *count += 1;
                span * 1000 + *count
            });
        }
        for (span, id) in &ids {
            let slow = || Container::Project(ProjectRef::Name("slow".to_owned())).encode();
            let container = span.is_multiple_of(3).then(slow);
            let text = format!(r#"{{"id":{id},"input":"{}""#, "x".repeat(self.rng.usize(0..3000)));
            batch.push_with(*span, container.as_deref(), |out| out.extend_from_slice(text.as_bytes()));
        }
        self.recorded_here += ids.len() as u64;
        self.recorded.extend(ids.values());
        self.log.push(format!("record {:?}", ids.values()));
        self.sink.accept(batch);
    }

    /// A flush that may run out of time.
    async fn flush(&mut self) {
        let settled = self.sink.sink.settled();
        let limit = Duration::from_millis(self.rng.u64(0..30));
        let late = self.sink.local.run_until(tokio::time::timeout(limit, settled)).await.is_err();
        if late {
            self.sink.sink.secure();
        }
        self.log.push(format!("flush, late: {late}"));
    }

    async fn step(&mut self, world: &Shared) {
        match self.rng.u8(0..12) {
            0..=4 => self.record(),
            5..=6 => {
                let mood = self.rng.u8(0..16);
                self.log.push(format!("mood {mood}"));
                world.lock().unwrap().mood = mood;
            }
            7 => self.flush().await,
            8 => {
                self.log.push("relieve".to_owned());
                self.sink.sink.relieve();
            }
            10 if self.rng.u8(0..8) == 0 => {
                self.log.push("drop".to_owned());
                self.sink.sink.drop_oldest(self.rng.usize(0..4000), self.rng.usize(0..4));
            }
            9 => {
                let time = Duration::from_millis(self.rng.u64(0..20));
                self.sink.local.run_until(tokio::time::sleep(time)).await;
            }
            _ => {
                // One span is over, and another one begins.
                let (place, fresh) =
                    (self.rng.usize(0..self.spans.len()), self.spans.iter().max().map_or(0, |max| max + 1));
                self.spans[place] = fresh;
            }
        }
    }

    /// Ends the process, and goes on as the next one; whether nothing is lost by that.
    async fn restart(&mut self, world: &Shared, again: impl Fn() -> TestSink) -> bool {
        self.sink.sink.secure();
        let stats = self.sink.stats();
        self.log.push(format!("restart {stats:?}"));
        let lost = stats.lost.total();
        assert_eq!(stats.delivered + stats.spooled + stats.queued + lost, self.recorded_here, "{:#?}", self.log);
        if stats.queued > 0 {
            return false;
        }
        self.lost += lost;
        // It must not share the folder, for one moment, with the next.
        self.sink =
            again_after(std::mem::replace(&mut self.sink, sink_with(target("http://127.0.0.1:1"), &[])), world, again)
                .await;
        self.recorded_here = 0;
        true
    }

    /// Waits until all has arrived.
    async fn finish(&mut self, world: &Shared) {
        world.lock().unwrap().mood = GOOD;
        self.log.push("finish".to_owned());
        loop {
            let settled = self.sink.sink.settled();
            self.sink.local.run_until(settled).await;
            if self.has_arrived(&world.lock().unwrap()) {
                return;
            }
            self.sink.local.run_until(tokio::time::sleep(Duration::from_millis(2))).await;
        }
    }

    /// Whether all rows have been taken that are neither lost nor refused.
    fn has_arrived(&self, world: &World) -> bool {
        let taken: BTreeSet<u64> = world.taken.iter().copied().collect();
        let missing = self.recorded.difference(&taken).copied();
        let (refused, missing): (Vec<u64>, Vec<u64>) = missing.partition(|id| world.refuses && is_bad(*id));
        let stats = self.sink.stats();
        missing.len() as u64 <= self.lost + stats.lost.total() && stats.spooled <= refused.len() as u64
    }
}

/// Drops a sink, waits for its requests that may still arrive, and makes the next one.
async fn again_after(old: TestSink, world: &Shared, again: impl Fn() -> TestSink) -> TestSink {
    drop(old);
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    while world.lock().unwrap().requests > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    again()
}

async fn play(seed: u64) {
    let (mut rng, world) = (fastrand::Rng::with_seed(seed), Shared::default());
    let (backend, dir) = (backend(&world).await, tempfile::tempdir().expect("a temporary folder"));
    let mut one_of = |words: &[&'static str]| words[rng.usize(0..words.len())];
    let variables = [
        ("BRAINTRUST_SPOOL_DIR", dir.path().to_str().expect("text")),
        ("BRAINTRUST_SPOOL_BYTES", one_of(&["1048576", "60000", "20000"])),
        ("BRAINTRUST_DURABLE", one_of(&["0", "1"])),
        ("BRAINTRUST_NUM_RETRIES", one_of(&["0", "1"])),
        ("BRAINTRUST_DEFAULT_BATCH_SIZE", one_of(&["3", "20"])),
    ];
    let is_small = one_of(&["0", "1"]) == "1";
    let refuses = variables[1].1.len() > 5 && one_of(&["0", "1"]) == "1";
    {
        let mut world = world.lock().unwrap();
        (world.limit, world.refuses) = (if is_small { 2000 } else { 1 << 20 }, refuses);
    }
    let sink = || sink_with(target(&backend.url), &variables);
    let mut program = Program::new(sink(), rng.clone());
    program.log.push(format!("{variables:?}"));
    for _ in 0..rng.usize(10..60) {
        program.step(&world).await;
        if rng.u8(0..30) == 0 && !program.restart(&world, sink).await {
            return;
        }
    }
    if tokio::time::timeout(HANGING, program.finish(&world)).await.is_err() {
        let (stats, taken) = (program.sink.stats(), &world.lock().unwrap().taken);
        panic!("world {seed} hangs: {stats:?}, {taken:?}: {:#?}", program.log);
    }
    let (world, stats) = (world.lock().unwrap(), program.sink.stats());
    let mut latest = BTreeMap::new();
    for id in &world.taken {
        let before = latest.insert(span_of(*id), *id);
        assert!(before <= Some(*id), "world {seed}: {id} after {before:?} in {:?}: {:#?}", world.taken, program.log);
    }
    assert!(world.faults.is_empty(), "world {seed}: {:?}: {:#?}", world.faults, program.log);
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0), "world {seed}: {:#?}", program.log);
    let sum = stats.delivered + stats.spooled + stats.lost.total();
    assert_eq!(sum, program.recorded_here, "world {seed}: {stats:?}: {:#?}", program.log);
}

#[tokio::test]
async fn whatever_happens_rows_of_a_span_keep_their_order_and_each_is_accounted_for() {
    let worlds = std::env::var("BRAINTRUST_TEST_CHAOS").map_or(40, |worlds| worlds.parse().expect("a number"));
    for seed in 0..worlds {
        play(seed).await;
    }
}
