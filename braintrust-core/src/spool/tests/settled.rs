//! Rows that were settled while others before them were not.

use super::*;

#[test]
fn what_is_settled_is_not_read_again_by_the_next_process_whatever_was_before_it() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    let mut spool = Spool::open(&place, &tenant());
    let tickets = append(&mut spool, 0..10).unwrap();
    for settled in [7..9, 2..4, 4..5, 0..1] {
        spool.settle(tickets[settled].iter().copied());
    }
    drop(spool);
    let mut next = Spool::open(&place, &tenant());
    let rows = read(&mut next);
    assert_eq!(keys(&rows), [1, 5, 6, 9]);
    next.settle(rows[1..3].iter().map(|(_, ticket)| *ticket));
    assert_eq!(next.take_lost(), Removed::default());
    drop(next);
    assert_eq!(keys(&read(&mut Spool::open(&place, &tenant()))), [1, 9]);
}

#[test]
fn rows_that_were_settled_before_they_were_read_take_none_with_them() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 1 << 20), &tenant());
    let tickets = append(&mut spool, 0..3).unwrap();
    spool.read(1, |row, _| assert_eq!(row.key, 0));
    append(&mut spool, [3]).unwrap();
    spool.settle(tickets[1..].iter().copied());
    assert_eq!(keys(&read(&mut spool)), [3]);
    assert_eq!(spool.take_lost(), Removed::default());
}

#[test]
fn rows_behind_settled_ones_are_found_that_came_after_the_file_was_read() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 1 << 20), &tenant());
    let tickets = append(&mut spool, 0..3).unwrap();
    spool.settle(tickets[1..].iter().copied());
    spool.read(1, |row, _| assert_eq!(row.key, 0));
    append(&mut spool, [3]).unwrap();
    assert_eq!(keys(&read(&mut spool)), [3]);
    assert_eq!(spool.take_lost(), Removed::default());
}
