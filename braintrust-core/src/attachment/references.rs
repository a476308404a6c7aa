//! Finding what a row refers to.

use memchr::memmem;

use super::key::Key;

/// What every reference to an attachment says of itself.
pub(super) const MARK: &[u8] = b"braintrust_attachment";

/// The keys that `json` may refer to. A text that looks the same, in a string for instance, does no harm: what is not
/// waiting is not uploaded.
pub(crate) fn references_in(json: &[u8]) -> impl Iterator<Item = Key> + '_ {
    let start = memmem::find(json, MARK).map_or(json.len(), |_| 0);
    let json = &json[start..];
    memmem::find_iter(json, b"\"key\"").filter_map(|at| {
        let rest = json[at + 5..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        Key::at_start_of(rest.strip_prefix(b"\"")?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dbe92cf0-7ede-4c2d-a319-6968e5b06762";

    fn keys(json: &str) -> Vec<String> {
        references_in(json.as_bytes()).map(|key| key.to_string()).collect()
    }

    #[test]
    fn references_are_found_however_they_are_written() {
        let reference =
            format!(r#"{{"type":"braintrust_attachment","filename":"a","content_type":"b","key":"{KEY}"}}"#);
        assert_eq!(keys(&format!("[{reference},1,{reference}]")), [KEY, KEY]);
        assert_eq!(keys(&format!("{{\n \"key\" :\n \"{KEY}\", \"type\": \"braintrust_attachment\"}}")), [KEY]);
    }

    #[test]
    fn other_keys_are_none() {
        assert!(keys(&format!(r#"{{"key":"{KEY}"}}"#)).is_empty(), "no mark");
        assert!(keys(r#"{"type":"braintrust_attachment","key":"mine","k":"key"}"#).is_empty());
        assert!(keys(r#"{"type":"braintrust_attachment","key":"dbe92cf0"#).is_empty());
    }
}
