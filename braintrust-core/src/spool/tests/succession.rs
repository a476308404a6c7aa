//! Programs that begin at the same time, and what a process before them has left.

use super::*;

/// The rows of one span may lie in any of them.
#[test]
fn the_files_of_one_process_are_sent_by_one_process() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    leave_files(&place, 0..2 * EARLIER_AT_ONCE as u64);
    leave_files(&place, 1_000..1_001);
    let [mut first, mut second] = [(); 2].map(|()| Spool::open(&place, &tenant()));
    assert_eq!(keys(&read(&mut second)), [1_000]);
    // As long as the first one is about it.
    let mut found = Vec::new();
    while !first.is_read() {
        let mut tickets = Vec::new();
        first.read(1 << 20, |row, ticket| {
            found.push(row.key);
            tickets.push(ticket);
        });
        let last = tickets.pop();
        first.settle(tickets.into_iter());
        assert_eq!(keys(&read(&mut Spool::open(&place, &tenant()))), [0; 0]);
        first.settle(last.into_iter());
    }
    assert_eq!(found, (0..2 * EARLIER_AT_ONCE as u64).collect::<Vec<_>>());
}
