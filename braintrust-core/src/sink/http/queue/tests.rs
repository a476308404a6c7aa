//! Whatever rows come, and whatever becomes of requests: each row leaves once, rows of a span in their order, and never
//! two of them at once.

use proptest::prelude::*;

use super::*;
use crate::container::Container;
use crate::sink::http::parcel::Part;

#[derive(Clone, Debug)]
enum Step {
    /// A window comes: each row is of one of few spans and of one of few containers, and so large.
    Window(Vec<(u64, u8, usize)>),
    /// A request is cut.
    Cut,
    /// One of the requests under way arrives.
    Arrive(prop::sample::Index),
    /// One of the requests under way comes back.
    Fail(prop::sample::Index),
    /// One of the requests under way comes back, because storage does not take it.
    SetAside(prop::sample::Index),
    /// It is time to try storage again.
    EndAside,
    /// A container becomes known.
    Learn(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0..6u64, 0..3u8, 1..60usize);
    let step = prop_oneof![
        3 => prop::collection::vec(row, 0..8).prop_map(Step::Window),
        4 => Just(Step::Cut),
        3 => any::<prop::sample::Index>().prop_map(Step::Arrive),
        1 => any::<prop::sample::Index>().prop_map(Step::Fail),
        1 => any::<prop::sample::Index>().prop_map(Step::SetAside),
        1 => Just(Step::EndAside),
        1 => (1..3u8).prop_map(Step::Learn),
    ];
    prop::collection::vec(step, 0..60)
}

/// A queue with all that is around it, and what it must hold to.
struct World {
    queue: Queue,
    limits: Limits,
    known: Vec<bool>,
    under_way: Vec<Parcel>,
    aside: HashSet<u64>,
    /// The number that the next row of each span gets, and the one that is to arrive next.
    made: HashMap<u64, usize>,
    arrived: HashMap<u64, usize>,
}

impl World {
    fn new(limits: Limits) -> Self {
        let known = vec![true, false, false];
        let (queue, under_way, aside, made, arrived) = Default::default();
        Self { queue, limits, known, under_way, aside, made, arrived }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Window(rows) => self.window(rows),
            Step::Cut => self.cut(),
            Step::Arrive(index) => drop(self.end_of_request(Some(index), true)),
            Step::Fail(index) => drop(self.end_of_request(Some(index), false)),
            Step::SetAside(index) => {
                let keys = self.end_of_request(Some(index), false);
                self.queue.set_aside(keys.iter().copied());
                self.aside.extend(keys);
            }
            Step::EndAside => self.end_aside(),
            Step::Learn(container) => {
                self.known[usize::from(*container)] = true;
                self.queue.release();
            }
        }
    }

    fn window(&mut self, rows: &[(u64, u8, usize)]) {
        let mut batch = RowBatch::default();
        for (key, container, size) in rows {
            // All rows of a span are in one container, as they are where they come from.
            let container = (u64::from(*container) + key) % 3;
            let encoded = (container > 0).then(|| Container::Experiment(container.to_string()).encode());
            let number = self.made.entry(*key).or_default();
            let text = format!("{key}:{number}:{}", "x".repeat(*size));
            batch.push_with(*key, encoded.as_deref(), |out| out.extend_from_slice(text.as_bytes()));
            *number += 1;
        }
        self.queue.push(Window::new(batch, 0));
    }

    fn cut(&mut self) {
        let known = self.known.clone();
        let parcel = self.queue.cut(self.limits, |container| {
            let number = match container.map(|container| &**container) {
                Some(Container::Experiment(id)) => id.parse().unwrap(),
                _ => 0,
            };
            known[number].then(|| Closing::from(format!("}}{number}").into_bytes()))
        });
        let Some(parcel) = parcel else { return };
        assert!(parcel.len() <= self.limits.rows);
        assert!(parcel.keys().all(|key| !self.aside.contains(&key)), "a row of a span that is set aside leaves");
        let size = Part::whole(&parcel).body(&parcel).len();
        assert!(parcel.len() == 1 || size <= self.limits.bytes, "{size} bytes of {}", self.limits.bytes);
        let mut keys: Vec<_> = self.under_way.iter().flat_map(Parcel::keys).chain(parcel.keys()).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "two rows of a span under way: {keys:?}");
        self.under_way.push(parcel);
    }

    /// The end of a request, and the spans that it had rows of.
    fn end_of_request(&mut self, index: Option<&prop::sample::Index>, well: bool) -> Vec<u64> {
        if self.under_way.is_empty() {
            return Vec::new();
        }
        let index = index.map_or(0, |index| index.index(self.under_way.len()));
        let parcel = self.under_way.swap_remove(index);
        self.queue.arrived(parcel.keys());
        let rows = (0..parcel.len()).map(|index| parcel.open(index));
        if well {
            rows.for_each(|row| self.arrive(row.text));
        } else {
            let held =
                rows.map(|row| Held { text: row.text.into(), container: row.container.cloned(), facts: row.facts });
            self.queue.give_back(held);
        }
        parcel.keys().collect()
    }

    fn end_aside(&mut self) {
        self.aside.clear();
        self.queue.end_aside();
    }

    fn arrive(&mut self, text: &[u8]) {
        let text = str::from_utf8(text).unwrap();
        let mut parts = text.split(':').map(|part| part.parse::<usize>().ok());
        let (key, number) = (parts.next().flatten().unwrap() as u64, parts.next().flatten().unwrap());
        let expected = self.arrived.entry(key).or_default();
        assert_eq!(number, *expected, "row of span {key}");
        *expected += 1;
    }

    fn finish(&mut self) {
        self.known.fill(true);
        self.end_aside();
        for _ in 0..10_000 {
            self.cut();
            self.end_of_request(None, true);
            if self.queue.is_empty() && self.under_way.is_empty() {
                return;
            }
        }
        panic!("rows are stuck: {:?}", self.queue);
    }
}

proptest! {
    #[test]
    fn each_row_leaves_once_and_those_of_a_span_in_their_order(
        steps in steps(),
        rows in 1..10usize,
        bytes in 40..400usize,
    ) {
        let mut world = World::new(Limits { rows, bytes });
        for step in &steps {
            world.step(step);
        }
        world.finish();
        world.made.retain(|_, made| *made > 0);
        prop_assert_eq!(world.made, world.arrived);
        prop_assert_eq!((world.queue.rows, world.queue.bytes), (0, 0));
    }
}
