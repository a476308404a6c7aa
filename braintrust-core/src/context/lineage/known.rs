//! Lineages that many traces have alike, by number: those that say no more than where the rows go and what flags a trace
//! came with. A span and its records carry the number only, and are as plain as spans of a trace that began here.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Lineage;

/// A lineage by its place among those that are known, or none.
///
/// A `char` has values to spare, in which the compiler keeps the other variants of a context's representation, and so has
/// room for all of it in 32 bytes. And it is as wide as what it is copied with: a load that is wider than the store
/// before it has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineageNumber(char);

/// How many there may be. What comes from headers must not fill the memory, so these are never forgotten, and few; spans
/// of others carry them whole, which takes longer and is no loss.
const MOST: usize = 512;
/// How many places are tried for a lineage.
const TRIED: usize = 16;
/// Longer ones, as sections, are not kept for good.
const LONGEST: usize = 256;

/// Read without a lock, by whoever writes rows or headers. Boxed, so that a program without any has little of it.
static KNOWN: [OnceLock<Box<Lineage>>; MOST] = [const { OnceLock::new() }; MOST];
/// Held by whoever adds one: it is taken before a fork, so that a child finds no place that is for ever being filled.
static ADDING: Mutex<()> = Mutex::new(());

impl LineageNumber {
    /// There is nothing to hand down, or it does not go by number.
    pub(crate) const NONE: Self = Self('\0');

    const fn of_place(place: usize) -> Self {
        Self::from_index(place as u32 + 1)
    }

    /// The number that is written as this; none for what is no number.
    pub(crate) const fn from_index(index: u32) -> Self {
        match char::from_u32(index) {
            Some(number) if index <= MOST as u32 => Self(number),
            _ => Self::NONE,
        }
    }

    /// What the number is written as.
    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.0.into()
    }

    /// What the number stands for.
    pub(crate) fn known(self) -> Option<&'static Lineage> {
        KNOWN.get((self.index() as usize).checked_sub(1)?)?.get().map(|lineage| &**lineage)
    }
}

/// The number of a lineage, the same for all that are alike; gives it back if it cannot have one.
pub(super) fn number(lineage: Lineage) -> Result<LineageNumber, Box<Lineage>> {
    if lineage.sections.bytes().len() > LONGEST {
        return Err(Box::new(lineage));
    }
    match place_for(&lineage) {
        Some(Place::Its(number)) => Ok(number),
        Some(Place::Free(_)) => add(lineage),
        None => Err(Box::new(lineage)),
    }
}

#[cold]
fn add(lineage: Lineage) -> Result<LineageNumber, Box<Lineage>> {
    let _adding = adding();
    // Another thread may have been faster.
    match place_for(&lineage) {
        Some(Place::Its(number)) => Ok(number),
        Some(Place::Free(place)) => {
            KNOWN[place].set(Box::new(lineage))?;
            Ok(LineageNumber::of_place(place))
        }
        None => Err(Box::new(lineage)),
    }
}

fn adding() -> MutexGuard<'static, ()> {
    ADDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps other threads from adding lineages until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(in crate::context) fn hold() -> Box<dyn std::any::Any> {
    Box::new(adding())
}

/// A place among those that are tried for a lineage.
enum Place {
    /// Where it is, by its number.
    Its(LineageNumber),
    Free(usize),
}

/// Where a lineage is, or else the first place that it may have. None is ever free again, so it is nowhere behind that.
fn place_for(lineage: &Lineage) -> Option<Place> {
    let first = usual_place(lineage);
    (first..first + TRIED).map(|place| place % MOST).find_map(|place| match KNOWN[place].get() {
        None => Some(Place::Free(place)),
        Some(known) => is_alike(known, lineage).then(|| Place::Its(LineageNumber::of_place(place))),
    })
}

fn usual_place(lineage: &Lineage) -> usize {
    let mut hasher = DefaultHasher::new();
    (lineage.sections.bytes(), lineage.heritage.trace_flags).hash(&mut hasher);
    hasher.finish() as usize % MOST
}

fn is_alike(one: &Lineage, other: &Lineage) -> bool {
    one.heritage.container == other.heritage.container && one.heritage.trace_flags == other.heritage.trace_flags
}

#[cfg(test)]
mod tests {
    use super::super::{Descent, Heritage};
    use super::*;
    use crate::container::Container;

    fn begin(experiment: &str, flags: u8) -> Descent {
        let container = Some(Container::Experiment(experiment.to_owned()));
        Heritage { container, trace_flags: Some(flags), ..Heritage::default() }.begin()
    }

    /// The table is one for the process: whatever other tests put there, what is numbered is what was asked for.
    #[test]
    fn however_many_lineages_there_are_each_goes_down_as_it_is() {
        let mut numbered = 0;
        for _ in 0..2 {
            numbered = 0;
            for experiment in 0..2 * MOST {
                let name = format!("known-{experiment}");
                let (expected, flags) = (Some(Container::Experiment(name.clone())), (experiment % 3) as u8);
                let heritage = match begin(&name, flags) {
                    Descent::Numbered(number) => {
                        numbered += 1;
                        assert_eq!(LineageNumber::from_index(number.index()), number);
                        assert_eq!(begin(&name, flags).number(), Some(number), "alike, so the same");
                        assert_ne!(begin(&name, flags + 1).number(), Some(number));
                        let heritage = &number.known().unwrap().heritage;
                        (heritage.container.clone(), heritage.trace_flags)
                    }
                    Descent::Whole(lineage) => (lineage.heritage.container.clone(), lineage.heritage.trace_flags),
                    Descent::None => panic!("`{name}` has something to hand down"),
                };
                assert_eq!(heritage, (expected, Some(flags)));
            }
        }
        assert!((MOST / 4..=MOST).contains(&numbered), "{numbered}");
        assert!(matches!(begin(&"long".repeat(LONGEST), 0), Descent::Whole(_)));
        assert!(LineageNumber::NONE.known().is_none());
        assert_eq!(LineageNumber::from_index(MOST as u32 + 1), LineageNumber::NONE);
    }
}
