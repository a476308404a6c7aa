//! How a row lies in a file of the spool, and how rows are found again in a file that may be damaged.

use std::ops::Range;

/// A row with what has to be known to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpoolRow<'a> {
    /// The same for rows of the same span.
    pub(crate) key: u64,
    /// The object that holds the row, encoded.
    pub(crate) container: &'a [u8],
    /// The row, without its closing brace.
    pub(crate) text: &'a [u8],
}

/// Every record begins with this. It is in no text, for the first byte is in none that is UTF-8.
const MARK: [u8; 4] = [0xff, b'R', b'O', b'W'];
/// What stands in the place of a record's mark once that is settled while one before it is not. It says how many bytes from
/// there on need not be read again.
const SETTLED: [u8; 4] = [0xff, b'O', b'U', b'T'];
/// The mark, the length of what follows, and its checksum; or the other mark, a length from there on, and its checksum.
const HEAD: usize = 12;
/// The key, and the length of the container.
const FACTS: usize = 12;

/// Appends the record of a row.
pub(super) fn put_record(row: SpoolRow<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    let len = FACTS + row.container.len() + row.text.len();
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&row.key.to_le_bytes());
    out.extend_from_slice(&(row.container.len() as u32).to_le_bytes());
    out.extend_from_slice(row.container);
    out.extend_from_slice(row.text);
    let checksum = crc32fast::hash(&out[start + HEAD..]);
    out[start + 8..start + HEAD].copy_from_slice(&checksum.to_le_bytes());
}

/// A whole record in a file's bytes, by its places there.
#[derive(Clone, Debug)]
pub(super) struct Record {
    key: u64,
    container: Range<usize>,
    text: Range<usize>,
    pub(super) end: usize,
    /// The bytes before it that belong to no whole record.
    pub(super) damaged: usize,
}

impl Record {
    /// The row, from the bytes that the record was found in.
    pub(super) fn row<'a>(&self, bytes: &'a [u8]) -> SpoolRow<'a> {
        SpoolRow { key: self.key, container: &bytes[self.container.clone()], text: &bytes[self.text.clone()] }
    }
}

/// What is written over the beginning of records that are settled, `len` bytes of them.
pub(super) fn settled(len: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&SETTLED);
    head[4..8].copy_from_slice(&len.to_le_bytes());
    let checksum = crc32fast::hash(&head[4..8]);
    head[8..].copy_from_slice(&checksum.to_le_bytes());
    head
}

/// Finds the next whole record at or after `at` that is not marked as settled.
///
/// # Errors
///
/// How many bytes belong to no whole record, where none follows.
pub(super) fn next_record(bytes: &[u8], at: usize) -> Result<Record, usize> {
    let (mut start, mut damaged) = (at, 0);
    while start < bytes.len() {
        if let Some(record) = record_at(bytes, start) {
            return Ok(Record { damaged, ..record });
        }
        if let Some(end) = end_of_settled(bytes, start) {
            start = end;
            continue;
        }
        let rest = &bytes[start + 1..];
        let passed = 1 + rest.iter().position(|byte| *byte == MARK[0]).unwrap_or(rest.len());
        start += passed;
        damaged += passed;
    }
    Err(damaged)
}

fn end_of_settled(bytes: &[u8], start: usize) -> Option<usize> {
    let head = bytes.get(start..start.checked_add(HEAD)?)?;
    let len = u32_at(head, 4)?;
    (head == settled(len) && len as usize >= HEAD).then(|| start.saturating_add(len as usize))
}

fn record_at(bytes: &[u8], start: usize) -> Option<Record> {
    let body_start = start.checked_add(HEAD)?;
    let head = bytes.get(start..body_start)?;
    if head[..4] != MARK {
        return None;
    }
    let end = body_start.checked_add(u32_at(head, 4)? as usize)?;
    let body = bytes.get(body_start..end)?;
    if crc32fast::hash(body) != u32_at(head, 8)? {
        return None;
    }
    let key = u64::from_le_bytes(body.get(..8)?.try_into().ok()?);
    let container_len = u32_at(body, 8)? as usize;
    body.get(FACTS..FACTS.checked_add(container_len)?)?;
    let container = body_start + FACTS..body_start + FACTS + container_len;
    Some(Record { key, text: container.end..end, container, end, damaged: 0 })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
