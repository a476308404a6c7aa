//! Spools on a real disk: what goes in comes out, whatever happens to the files in between.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

mod settled;
mod succession;

fn tenant() -> Tenant<'static> {
    Tenant { app_url: "https://app.test", api_url: None, org_name: None, key: "sk-secret-0123456789" }
}

fn place(dir: &Path, max_bytes: u64) -> SpoolPlace {
    SpoolPlace { dir: dir.to_owned(), max_bytes }
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn text(number: u64) -> String {
    format!("{{\"id\":{number},\"input\":\"{}\"", "x".repeat(number as usize % 50))
}

fn append(spool: &mut Spool, numbers: impl IntoIterator<Item = u64>) -> Result<Vec<Ticket>, NotSpooled> {
    let texts: Vec<_> = numbers.into_iter().map(|number| (number, text(number))).collect();
    let row = |(key, text): &'_ (u64, String)| (*key, text.clone());
    let rows: Vec<_> = texts.iter().map(row).collect();
    spool.append(rows.iter().map(|(key, text)| SpoolRow { key: *key, container: b"c", text: text.as_bytes() }))
}

/// All rows that can be read, with where they are.
fn read(spool: &mut Spool) -> Vec<(u64, Ticket)> {
    let mut found = Vec::new();
    spool.read(usize::MAX, |row, ticket| {
        assert_eq!((row.container, row.text), (&b"c"[..], text(row.key).as_bytes()));
        found.push((row.key, ticket));
    });
    assert!(spool.is_read());
    found
}

fn keys(rows: &[(u64, Ticket)]) -> Vec<u64> {
    rows.iter().map(|(key, _)| *key).collect()
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect();
    files.sort();
    files
}

#[test]
fn rows_come_out_as_they_went_in_and_settled_ones_never_again() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 1 << 20), &tenant());
    append(&mut spool, 0..10).unwrap();
    append(&mut spool, 10..20).unwrap();
    let rows = read(&mut spool);
    assert_eq!(keys(&rows), (0..20).collect::<Vec<_>>());

    spool.settle(rows.iter().filter(|(key, _)| key % 3 > 0).map(|(_, ticket)| *ticket));
    spool.rewind();
    assert_eq!(keys(&read(&mut spool)), (0..20).filter(|key| key % 3 == 0).collect::<Vec<_>>());
    append(&mut spool, [20]).unwrap();
    assert_eq!(keys(&read(&mut spool)), [20]);

    spool.rewind();
    let rest = read(&mut spool);
    spool.settle(rest.iter().map(|(_, ticket)| *ticket));
    spool.tidy();
    assert_eq!(files(dir.path()).len(), 0, "what is settled takes no space");
}

#[test]
fn the_next_process_takes_over_what_is_left_and_no_live_one_does() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    let mut first = Spool::open(&place, &tenant());
    append(&mut first, 0..10).unwrap();
    let rows = read(&mut first);
    // One of them beyond others that are not.
    first.settle(rows.iter().filter(|(key, _)| *key < 4 || *key == 6).map(|(_, ticket)| *ticket));
    assert_eq!(keys(&read(&mut Spool::open(&place, &tenant()))), [0; 0], "the first one lives");
    drop(first);

    let mut second = Spool::open(&place, &tenant());
    assert!(!second.is_read());
    append(&mut second, [10]).unwrap();
    let rows = read(&mut second);
    assert_eq!(keys(&rows), [4, 5, 7, 8, 9, 10], "the older ones first");
    assert!(rows.iter().all(|(key, ticket)| ticket.is_earlier() == (*key < 10)));
    let mark = second.mark();
    assert!(!second.is_through_to(mark));
    second.settle(rows.iter().map(|(_, ticket)| *ticket));
    assert!(second.is_through_to(mark));
    assert_eq!(files(dir.path()).len(), 1, "the one that is still appended to");
    drop(second);
    assert_eq!(keys(&read(&mut Spool::open(&place, &tenant()))), [0; 0]);
    assert_eq!(files(dir.path()).len(), 0);
}

#[test]
fn tenants_never_see_each_others_rows_and_the_key_is_nowhere() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    append(&mut Spool::open(&place, &tenant()), 0..3).unwrap();
    for other in [
        Tenant { key: "sk-other-0123456789", ..tenant() },
        Tenant { org_name: Some("acme"), ..tenant() },
        Tenant { app_url: "https://other.test", ..tenant() },
        Tenant { api_url: Some("https://api.test"), ..tenant() },
    ] {
        assert_eq!(keys(&read(&mut Spool::open(&place, &other))), [0; 0]);
    }
    for file in files(dir.path()) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(9).any(|part| part == b"sk-secret") && !file.to_string_lossy().contains("sk-secret"));
    }
    assert_eq!(keys(&read(&mut Spool::open(&place, &tenant()))), [0, 1, 2]);
}

#[test]
fn a_spool_never_holds_more_than_its_bound() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 10_000), &tenant());
    let mut kept = 0;
    let full = loop {
        match append(&mut spool, kept..kept + 5) {
            Ok(tickets) => kept += tickets.len() as u64,
            Err(full) => break full,
        }
    };
    assert!(matches!(full, NotSpooled::Full { limit: 10_000, .. }), "{full}");
    let size: u64 = files(dir.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!((9_000..=10_000).contains(&size), "{size}");
    let rows = read(&mut spool);
    assert_eq!(keys(&rows), (0..kept).collect::<Vec<_>>(), "none was given up for another");
    spool.settle(rows.iter().map(|(_, ticket)| *ticket));
    append(&mut spool, 0..5).expect("there is room again");
}

#[test]
fn refused_rows_wait_for_another_process_and_go_first_when_room_is_needed() {
    let dir = scratch();
    let place = place(dir.path(), 4_000);
    let mut spool = Spool::open(&place, &tenant());
    let refused = text(7);
    let row = SpoolRow { key: 7, container: b"c", text: refused.as_bytes() };
    spool.keep_refused(std::iter::once(row), None, true).unwrap();
    assert_eq!(keys(&read(&mut spool)), [0; 0], "not again in this process");
    drop(spool);

    let mut spool = Spool::open(&place, &tenant());
    let rows = read(&mut spool);
    assert_eq!(keys(&rows), [7]);
    let since = spool.refused_since(rows[0].1);
    assert!(since.is_some());
    // Refused again: it keeps its age.
    spool.keep_refused(std::iter::once(row), since, false).unwrap();
    spool.settle([rows[0].1].into_iter());
    let mut kept = 0;
    while append(&mut spool, kept..kept + 5).is_ok() {
        kept += 5;
    }
    assert_eq!(spool.take_removed(), refused::Removed { own: 0, earlier: 1 });
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_rows() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = scratch();
    let mut spool = Spool::open(&place(&dir.path().join("new"), 1 << 20), &tenant());
    append(&mut spool, [1]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(spool.path()), 0o700);
    assert_eq!(mode(&files(&dir.path().join("new"))[0]), 0o600);
}

#[test]
fn what_is_cut_off_while_a_process_lives_is_passed_over() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 1 << 20), &tenant());
    append(&mut spool, 0..10).unwrap();
    let file = &files(dir.path())[0];
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(file, &bytes).unwrap();
    let rows = read(&mut spool);
    assert_eq!(rows.len(), 9);
    spool.settle(rows.iter().map(|(_, ticket)| *ticket));
    spool.tidy();
    assert_eq!(files(dir.path()).len(), 0, "a row that cannot be read keeps no file");
}

/// Leaves files of a row each, as so many short programs do.
fn leave_files(place: &SpoolPlace, numbers: std::ops::Range<u64>) {
    let folder = &mut Folder::new(place.folder_of(&tenant()), place.max_bytes);
    for number in numbers {
        let mut bytes = Vec::new();
        put_record(SpoolRow { key: number, container: b"c", text: text(number).as_bytes() }, &mut bytes);
        let end = bytes.len() as u64;
        folder.begin_segment().unwrap().append(&bytes, &[end]).unwrap();
    }
}

#[test]
fn however_many_files_were_left_few_are_open_at_once_and_all_are_read() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    leave_files(&place, 0..300);
    let mut spool = Spool::open(&place, &tenant());
    // This process goes on meanwhile, and its rows come last.
    append(&mut spool, [1_000]).unwrap();
    let mut found = Vec::new();
    while !spool.is_read() {
        let mut tickets = Vec::new();
        spool.read(1 << 20, |row, ticket| {
            found.push(row.key);
            tickets.push(ticket);
        });
        assert!(spool.segments.len() <= EARLIER_AT_ONCE + 1);
        spool.settle(tickets.into_iter());
    }
    found.sort();
    assert_eq!(found, (0..300).chain([1_000]).collect::<Vec<_>>(), "each once");
}

#[test]
fn what_is_in_memory_is_not_read_again_when_more_files_are_taken_over() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    leave_files(&place, 0..2 * EARLIER_AT_ONCE as u64);
    let mut spool = Spool::open(&place, &tenant());
    append(&mut spool, [1_000]).unwrap();
    let mut own = 0;
    for _ in 0..5 {
        let mut tickets = Vec::new();
        spool.read(1 << 20, |row, ticket| match row.key {
            1_000 => own += 1,
            _ => tickets.push(ticket),
        });
        spool.settle(tickets.into_iter());
    }
    assert_eq!(own, 1);
}

#[test]
fn refused_rows_share_files_and_a_file_that_is_gone_is_made_anew() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 1 << 20), &tenant());
    let refused = |key: u64| (key, text(key));
    let now = folder::now();
    for key in 0..100 {
        let (key, text) = refused(key);
        let row = SpoolRow { key, container: b"c", text: text.as_bytes() };
        spool.keep_refused(std::iter::once(row), Some(now - key * 1000), false).unwrap();
    }
    let some = files(dir.path());
    assert!(some.len() <= 2, "{some:?}");
    some.iter().for_each(|file| fs::remove_file(file).unwrap());
    let (key, text) = refused(7);
    spool.keep_refused(std::iter::once(SpoolRow { key, container: b"c", text: text.as_bytes() }), None, true).unwrap();
    drop(spool);
    assert_eq!(keys(&read(&mut Spool::open(&place(dir.path(), 1 << 20), &tenant()))), [7]);
}

/// Several programs begin and end all the time, each of which takes over what others have left.
#[test]
fn no_program_removes_the_file_that_another_has_just_begun() {
    let dir = scratch();
    let place = place(dir.path(), 16 << 20);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let mut spool = Spool::open(&place, &tenant());
                let mut tickets = Vec::new();
                spool.read(usize::MAX, |_, ticket| tickets.push(ticket));
                spool.settle(tickets.into_iter());
            }
        });
        let mut gone = 0;
        for number in 0..3_000 {
            let mut spool = Spool::open(&place, &tenant());
            append(&mut spool, [number]).unwrap();
            gone += usize::from(!spool.segments.values().next_back().unwrap().is_there());
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(gone, 0);
    });
}

fn facts(key: &str) -> BlobFacts {
    BlobFacts { key: key.to_owned(), filename: "a \"page\".png".to_owned(), content_type: "image/png".to_owned() }
}

/// All files, those of blobs too.
fn all_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

#[test]
fn blobs_outlive_their_process_and_live_ones_keep_theirs() {
    let dir = scratch();
    let place = place(dir.path(), 1 << 20);
    let mut first = Spool::open(&place, &tenant());
    let kept = ["one", "two"].map(|key| first.keep_blob(facts(key), key.as_bytes()).unwrap());
    assert_eq!(Spool::open(&place, &tenant()).take_over_blobs(), [], "the first one lives");
    #[cfg(unix)]
    for file in all_files(dir.path()) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }
    drop(first);

    let mut second = Spool::open(&place, &tenant());
    let mut found = second.take_over_blobs();
    found.sort_by(|a, b| a.facts.key.cmp(&b.facts.key));
    assert_eq!(found, kept);
    assert_eq!(Spool::open(&place, &tenant()).take_over_blobs(), [], "the second one lives");
    for blob in &found {
        assert_eq!(read_blob(&blob.path).unwrap(), blob.facts.key.as_bytes());
        second.remove_blob(&blob.path);
    }
    assert_eq!(all_files(dir.path()), [""; 0].map(std::path::PathBuf::from), "what is uploaded takes no space");
}

#[test]
fn blobs_count_in_the_bound_and_leave_room_for_rows() {
    let dir = scratch();
    let mut spool = Spool::open(&place(dir.path(), 10_000), &tenant());
    let mut kept = Vec::new();
    let full = loop {
        match spool.keep_blob(facts(&kept.len().to_string()), &[0; 1000]) {
            Ok(blob) => kept.push(blob),
            Err(full) => break full,
        }
    };
    assert!(matches!(full, NotSpooled::Full { limit: 10_000, .. }), "{full}");
    assert_eq!(kept.len(), 7);
    append(&mut spool, 0..10).expect("a quarter is left to rows");
    while append(&mut spool, 0..5).is_ok() {}
    let size: u64 = all_files(dir.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(size <= 10_000, "{size}");
    spool.remove_blob(&kept[0].path);
    append(&mut spool, 0..5).expect("there is room again");
}

/// What happens to a file.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        place().prop_map(Damage::Cut),
        (place(), 1..=255u8).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        (place(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_blob_is_passed_over_and_removed_and_others_are_not(damage in damage()) {
        let dir = scratch();
        let place = place(dir.path(), 1 << 20);
        let mut spool = Spool::open(&place, &tenant());
        let [hit, whole] = ["hit", "whole"].map(|key| spool.keep_blob(facts(key), &[7; 300]).unwrap());
        drop(spool);
        let mut bytes = fs::read(&hit.path).unwrap();
        match damage {
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more);
            }
        }
        fs::write(&hit.path, &bytes).unwrap();

        let mut spool = Spool::open(&place, &tenant());
        let found = spool.take_over_blobs();
        prop_assert!(found.contains(&whole));
        prop_assert_eq!(read_blob(&whole.path).unwrap(), [7; 300]);
        // Where only the data is hit, that shows when it is read.
        if found.iter().any(|blob| blob.path == hit.path) {
            prop_assert!(read_blob(&hit.path).is_err());
        } else {
            prop_assert!(!hit.path.exists());
        }
    }

    #[test]
    fn damage_takes_the_rows_that_it_hits_and_no_other(damage in damage(), sent in 0..6u64) {
        let dir = scratch();
        let place = place(dir.path(), 1 << 20);
        let mut spool = Spool::open(&place, &tenant());
        append(&mut spool, 0..12).unwrap();
        let rows = read(&mut spool);
        spool.settle(rows.iter().take(sent as usize).map(|(_, ticket)| *ticket));
        drop(spool);
        let file = files(dir.path()).remove(0);
        let mut bytes = fs::read(&file).unwrap();
        let mut ends = vec![20];
        for number in 0..12 {
            ends.push(ends.last().unwrap() + 12 + 12 + 1 + text(number).len());
        }
        let (from, to) = match &damage {
            Damage::Cut(at) => {
                let at = at.index(bytes.len());
                bytes.truncate(at);
                (at, usize::MAX)
            }
            Damage::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
                (at, at + 1)
            }
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
                (at, at + 1)
            }
        };
        fs::write(&file, &bytes).unwrap();

        let found = keys(&read(&mut Spool::open(&place, &tenant())));
        for number in 0..12 {
            let (start, end) = (ends[number as usize], ends[number as usize + 1]);
            let is_whole = end <= from || start >= to || matches!(damage, Damage::Insert(..)) && start >= from;
            if number >= sent && is_whole {
                prop_assert!(found.contains(&number), "{number} of {found:?}");
            }
            if number < sent && from >= 20 && !matches!(damage, Damage::Cut(_)) {
                prop_assert!(!found.contains(&number), "{number} was settled");
            }
        }
        prop_assert!(found.is_sorted());
        prop_assert!(found.iter().all(|number| *number < 12));
    }
}
