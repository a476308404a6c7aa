//! Times in rows, to the microsecond: all that a double holds of the seconds since 1970.

use super::text::write_integer;

const MICROS: u64 = 1_000_000;

/// Writes a time, given in nanoseconds since the Unix epoch, in seconds.
pub(super) fn write_seconds(nanos: i64, out: &mut Vec<u8>) {
    let micros = nanos / 1_000;
    if micros < 0 {
        out.push(b'-');
    }
    let micros = micros.unsigned_abs();
    write_integer(micros / MICROS, out);
    write_fraction(micros % MICROS, out);
}

/// The rows of a second have all but the fraction of `created` in common; it is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct CreatedText {
    second: i64,
    /// The second as RFC 3339 writes it, with the key before it and without the zone; empty before the first.
    text: String,
}

impl CreatedText {
    /// Writes `created` with a time in nanoseconds since the Unix epoch; nothing if it is beyond the calendar.
    pub(super) fn write(&mut self, nanos: i64, out: &mut Vec<u8>) {
        let micros = nanos / 1_000;
        let second = micros.div_euclid(MICROS as i64);
        if second != self.second || self.text.is_empty() {
            let Ok(time) = jiff::Timestamp::from_second(second) else { return };
            self.text = format!(",\"created\":\"{}", time.to_string().trim_end_matches('Z'));
            self.second = second;
        }
        out.extend_from_slice(self.text.as_bytes());
        write_fraction(micros.rem_euclid(MICROS as i64).unsigned_abs(), out);
        out.extend_from_slice(b"Z\"");
    }
}

/// Writes a point and six digits.
fn write_fraction(mut micros: u64, out: &mut Vec<u8>) {
    let mut text = *b".000000";
    for digit in text[1..].iter_mut().rev() {
        *digit += (micros % 10) as u8;
        micros /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn seconds_have_six_places_on_both_sides_of_the_epoch() {
        for (nanos, expected) in [
            (0, "0.000000"),
            (1_234_567_890_123_456_789, "1234567890.123456"),
            (1_999, "0.000001"),
            (-1_500_000_000, "-1.500000"),
            (-999, "0.000000"),
        ] {
            assert_eq!(text(|out| write_seconds(nanos, out)), expected);
        }
    }

    #[test]
    fn created_agrees_with_the_calendar_however_times_follow_one_another() {
        let mut created = CreatedText::default();
        for nanos in [0, 1_000, 1_764_000_000_123_456_789, 1_764_000_000_999_999_999, 1_764_000_001_000_000_000, -1_000]
        {
            let time = jiff::Timestamp::from_microsecond(nanos / 1_000).unwrap();
            assert_eq!(text(|out| created.write(nanos, out)), format!(",\"created\":\"{time:.6}\""));
        }
    }
}
