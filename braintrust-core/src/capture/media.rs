//! Base64 in captured values: images and recordings that programs send to models. It is no reading matter, and leaves a
//! span as an attachment, so it has an allowance of its own.

/// How much base64 a value may hold for each byte that it may hold otherwise.
const ALLOWANCE: usize = 8;

/// A shorter run of letters and digits may be anything.
const LEAST_RUN: usize = 16 * 1024;

/// How many bytes of base64 one value may hold beside `max_value_bytes` of other JSON.
pub(super) fn allowance(max_value_bytes: usize) -> usize {
    max_value_bytes.saturating_mul(ALLOWANCE)
}

/// What stands before the data in a data URI.
const DATA_URI: &[u8] = b";base64,";

/// How many bytes of `text` are long runs of base64.
pub(crate) fn base64_bytes(text: &str) -> usize {
    let text = text.as_bytes();
    let mut sum = 0;
    let mut start = 0;
    while let Some(window) = text[start..].first_chunk::<LEAST_RUN>() {
        // No run that begins before this byte is long enough. In prose it stands close to the end of the window, so
        // nearly nothing of the text is looked at.
        if let Some(other) = window.iter().rposition(|byte| CLASSES[usize::from(*byte)] == 0) {
            start += other + 1;
            continue;
        }
        let mut classes = 0;
        let length = text[start..].iter().take_while(|byte| {
            let class = CLASSES[usize::from(**byte)];
            classes |= class;
            class != 0
        });
        let run = length.count();
        // A long row of one letter is no data, whoever drew it.
        if run >= LEAST_RUN && (classes & ALL == ALL || text[..start].ends_with(DATA_URI)) {
            sum += run;
        }
        start = (start + run + 1).min(text.len());
    }
    sum
}

const CAPITAL: u8 = 1;
const SMALL: u8 = 2;
const DIGIT: u8 = 4;
const ALL: u8 = CAPITAL | SMALL | DIGIT;
const SIGN: u8 = 8;

/// The characters of both alphabets, and the padding, by their kind; all others are 0.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' => CAPITAL,
            b'a'..=b'z' => SMALL,
            b'0'..=b'9' => DIGIT,
            b'+' | b'/' | b'-' | b'_' | b'=' => SIGN,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_base64_are_counted_and_nothing_else() {
        let data = "aGVsbG8gd29ybGQ1".repeat(LEAST_RUN / 16);
        assert_eq!(base64_bytes(&data), LEAST_RUN);
        assert_eq!(base64_bytes(&format!("say \"{data}\" and {data}!")), 2 * LEAST_RUN);
        assert_eq!(base64_bytes(&data[1..]), 0, "too short");
        assert_eq!(base64_bytes(&"x".repeat(LEAST_RUN)), 0);
        assert_eq!(base64_bytes(&format!("data:image/bmp;base64,{}", "A".repeat(LEAST_RUN))), LEAST_RUN);
        assert_eq!(base64_bytes(&"two words ".repeat(LEAST_RUN)), 0);
        for prose in [1, 100, LEAST_RUN - 1, LEAST_RUN, 3 * LEAST_RUN] {
            assert_eq!(base64_bytes(&format!("{} {data} and no more", "word ".repeat(prose))), LEAST_RUN, "{prose}");
        }
    }
}
