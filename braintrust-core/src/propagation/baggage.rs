//! The `baggage` header: finds our member in it, and puts ours in without touching those of others.

use super::ParentObject;
use super::percent;

/// The member that is ours.
const PARENT_KEY: &str = "braintrust.parent";

/// The limits that W3C sets for the whole header.
const MAX_BYTES: usize = 8192;
const MAX_MEMBERS: usize = 64;

/// Where the trace is kept, by the last `braintrust.parent` within the limits. `None` if there is none that is usable.
pub(super) fn parent(headers: &[&str]) -> Option<ParentObject> {
    let mut room = Room::whole();
    let members = headers.iter().flat_map(|header| header.split(',')).take_while(|member| room.admits(member));
    let ours = members.filter(|member| is_ours(member)).last()?;
    ParentObject::parse(&percent::decode(value(ours))?)
}

/// The header to send: the members of others byte for byte, and ours behind them if there is one. Of what exceeds the
/// limits whole members are left out, from the end, but never ours. `None` if nothing is left to send.
pub(super) fn merge(headers: &[String], parent: Option<&ParentObject>) -> Option<String> {
    let mut room = Room::whole();
    let ours = parent.map(|parent| format!("{PARENT_KEY}={}", percent::encode(&parent.to_string())));
    // Nobody would read a member that is over the limit by itself.
    let ours = ours.filter(|ours| room.admits(ours));
    let members = headers.iter().flat_map(|header| header.split(',')).map(str::trim);
    let others = members.filter(|member| member.contains('=') && !is_ours(member));
    let all: Vec<&str> = others.take_while(|member| room.admits(member)).chain(ours.as_deref()).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// What is left of the limits.
struct Room {
    bytes: usize,
    members: usize,
}

impl Room {
    fn whole() -> Self {
        // Each member pays for a comma, and the first has none.
        Self { bytes: MAX_BYTES + 1, members: MAX_MEMBERS }
    }

    fn admits(&mut self, member: &str) -> bool {
        let left = (self.bytes.checked_sub(member.len() + 1), self.members.checked_sub(1));
        if let (Some(bytes), Some(members)) = left {
            *self = Self { bytes, members };
            return true;
        }
        false
    }
}

fn is_ours(member: &str) -> bool {
    let key = without_properties(member).split_once('=').map(|(key, _)| key.trim());
    key.and_then(percent::decode).is_some_and(|key| key == PARENT_KEY)
}

fn value(member: &str) -> &str {
    without_properties(member).split_once('=').map_or("", |(_, value)| value.trim())
}

fn without_properties(member: &str) -> &str {
    member.split_once(';').map_or(member, |(pair, _)| pair)
}
