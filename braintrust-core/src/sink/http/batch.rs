//! Cuts a window's rows into requests, by count and by bytes.

use std::ops::Range;

use crate::api::ENVELOPE;

/// What one request may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rows: usize,
    /// The most bytes of a request as a whole, envelope included.
    pub(super) bytes: usize,
}

/// Cuts rows of these sizes (each with its closing, without the comma after it) into requests, in order.
///
/// A request is filled up to the limits exactly. A row that is over the limit by itself goes alone: the server, not
/// this side, has the last word on what is too large.
pub(super) fn cut(sizes: impl IntoIterator<Item = usize>, limits: Limits) -> Vec<Range<usize>> {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let mut filled = 0;
    for (index, size) in sizes.into_iter().enumerate() {
        match cuts.last_mut() {
            Some(cut) if cut.len() < limits.rows && filled + 1 + size <= limits.bytes => {
                cut.end = index + 1;
                filled += 1 + size;
            }
            _ => {
                cuts.push(index..index + 1);
                filled = ENVELOPE + size;
            }
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::{Row, payload};

    #[test]
    fn a_request_is_filled_to_the_last_byte() {
        let three_rows_of_ten = ENVELOPE + 3 * 10 + 2;
        let cuts = |bytes| cut([10; 4], Limits { rows: 100, bytes });
        assert_eq!(cuts(three_rows_of_ten), [0..3, 3..4]);
        assert_eq!(cuts(three_rows_of_ten - 1), [0..2, 2..4]);
    }

    #[test]
    fn rows_are_counted() {
        assert_eq!(cut([1; 5], Limits { rows: 2, bytes: 1000 }), [0..2, 2..4, 4..5]);
    }

    #[test]
    fn no_rows_make_no_request() {
        assert!(cut([], Limits { rows: 2, bytes: 1000 }).is_empty());
    }

    #[test]
    fn limits_that_nothing_fits_send_each_row_alone() {
        assert_eq!(cut([1, 1], Limits { rows: 100, bytes: 1 }), [0..1, 1..2]);
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_request_and_every_request_within_the_limits(
            sizes in prop::collection::vec(0_usize..200, 0..80),
            most_rows in 1_usize..20,
            most_bytes in 1_usize..1000,
        ) {
            let limits = Limits { rows: most_rows, bytes: most_bytes };
            let closing = b"}";
            let rows: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
            let size_of = |range: Range<usize>| {
                let rows: Vec<_> = rows[range].iter().map(|text| Row { text, closing }).collect();
                payload(&rows).len()
            };

            let cuts = cut(sizes.iter().map(|size| size + closing.len()), limits);

            let covered: Vec<usize> = cuts.iter().cloned().flatten().collect();
            prop_assert_eq!(covered, (0..sizes.len()).collect::<Vec<_>>());
            for range in &cuts {
                prop_assert!(range.len() <= most_rows);
                prop_assert!(range.len() == 1 || size_of(range.clone()) <= most_bytes);
            }
            for pair in cuts.windows(2) {
                let with_one_more = pair[0].start..pair[1].start + 1;
                let full = pair[0].len() == most_rows || size_of(with_one_more) > most_bytes;
                prop_assert!(full, "row {} had room in the request before it", pair[1].start);
            }
        }
    }
}
