//! What happens to the content of rows between their making and their lane: masks first, so that nothing that is hidden
//! is uploaded, then attachments.

mod media;

use std::sync::Arc;

use crate::attachment::{self, Attached, pending};
use crate::mask::Mask;
use crate::sink::RowBatch;

/// What one logger does with the content of its rows.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) mask: Option<Mask>,
    /// Whether base64 in the messages of models becomes attachments.
    pub(crate) converts: bool,
    /// How many bytes of data an attachment may have.
    pub(crate) max_attachment_bytes: u64,
}

/// Rows that may be seen, and how many others there were.
pub(super) struct Prepared {
    pub(super) rows: RowBatch,
    /// Rows that could not be read, so that nobody knows what they would have shown.
    pub(super) withheld: u64,
}

impl Content {
    /// Masks the rows of a window, and finds what they refer to.
    pub(super) fn prepare(&self, rows: RowBatch) -> Prepared {
        let Prepared { mut rows, withheld } = match &self.mask {
            Some(mask) if !mask.leaves_alone(rows.text()) => masked(mask, &rows),
            _ => Prepared { rows, withheld: 0 },
        };
        media::take_out(&mut rows, self.converts.then_some(self.max_attachment_bytes));
        let claimed: Vec<_> = attachment::references_in(rows.text()).filter_map(pending::claim).collect();
        rows.attachments.extend(claimed.into_iter().map(|attached| self.limited(attached)));
        Prepared { rows, withheld }
    }

    fn limited(&self, attached: Arc<Attached>) -> Arc<Attached> {
        let (size, most) = (attached.size(), self.max_attachment_bytes);
        if size <= most {
            return attached;
        }
        let advice = "raise `max_attachment_bytes` to have it uploaded";
        Arc::new(attached.refused(format!("it has {size} bytes, and an attachment may have {most}; {advice}")))
    }
}

fn masked(mask: &Mask, rows: &RowBatch) -> Prepared {
    let before = rows.len();
    let rows = rows.rewritten(|row, out| mask.apply(row.text, out).is_ok());
    Prepared { withheld: (before - rows.len()) as u64, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::MaskRules;

    #[test]
    fn a_row_that_cannot_be_read_does_not_go_out() {
        let mut rules = MaskRules::default();
        rules.add_names(vec!["secret".to_owned()]);
        let content = Content { mask: rules.prepare(None), ..Content::default() };
        let mut rows = RowBatch::default();
        for text in [r#"{"id":1,"input":{"secret":"a"}"#, r#"{"id":2,"input":{"secret":"b""#] {
            rows.push_with(1, None, |out| out.extend_from_slice(text.as_bytes()));
        }
        let Prepared { rows, withheld } = content.prepare(rows);
        assert_eq!((rows.len(), withheld), (1, 1));
        assert!(!String::from_utf8_lossy(rows.text()).contains("\"b\""));
    }
}
