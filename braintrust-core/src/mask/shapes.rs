//! The mask for secrets that give themselves away by their shape: keys, bearer tokens, passwords in URLs, private keys.
//!
//! A secret of such a shape has no character that JSON escapes, so it is found, and replaced, in JSON text as it is.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::row::Failed;
use crate::capture::REDACTED;
use crate::needles::Needles;
use crate::secret::ApiKey;

/// The longest header of a JWT: they have some forty characters. Without a bound, a text of nothing but beginnings would
/// be read once for each of them.
const LONGEST_JWT_HEADER: usize = 1024;

/// A key shorter than this is too likely to be part of a word.
const LEAST_OWN_KEY: usize = 8;

/// How a secret looks after its beginning.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// So many letters and digits, or more.
    Letters(usize),
    /// So many letters, digits, `-` and `_`, or more.
    Dashed(usize),
    /// So many of these and dots, or more.
    Dotted(usize),
    /// So many capitals and digits, no more.
    Capitals(usize),
    /// Three parts with dots between them.
    Jwt,
    /// What an HTTP header says after `Bearer`.
    Bearer,
    /// What an HTTP header says after `Basic`.
    Basic,
    /// What comes after a URL's scheme: the password of `user:password@host`.
    Authority,
    /// What comes after the dashes that begin a PEM block.
    Pem,
    /// Nothing more: the key with which the logger itself sends.
    Whole,
}

/// Beginnings of secrets, as their issuers document them.
const SHAPES: &[(&str, Shape)] = &[
    // Model providers: OpenAI, Anthropic, OpenRouter, DeepSeek and Braintrust share the first.
    ("sk-", Shape::Dashed(16)),
    ("bt-st-", Shape::Dashed(16)),
    ("AIza", Shape::Dashed(30)),
    ("ya29.", Shape::Dashed(20)),
    ("gsk_", Shape::Letters(20)),
    ("xai-", Shape::Letters(20)),
    ("pplx-", Shape::Letters(20)),
    ("csk-", Shape::Letters(20)),
    ("r8_", Shape::Letters(20)),
    ("hf_", Shape::Letters(20)),
    ("nvapi-", Shape::Dashed(20)),
    ("tvly-", Shape::Dashed(16)),
    ("lsv2_", Shape::Dashed(20)),
    ("pcsk_", Shape::Dashed(20)),
    // Clouds, code hosts, registries, payment, messages.
    ("AKIA", Shape::Capitals(16)),
    ("ASIA", Shape::Capitals(16)),
    ("ghp_", Shape::Letters(20)),
    ("gho_", Shape::Letters(20)),
    ("ghu_", Shape::Letters(20)),
    ("ghs_", Shape::Letters(20)),
    ("ghr_", Shape::Letters(20)),
    ("github_pat_", Shape::Dashed(20)),
    ("glpat-", Shape::Dashed(16)),
    ("npm_", Shape::Letters(20)),
    ("pypi-", Shape::Dashed(32)),
    ("sk_live_", Shape::Letters(16)),
    ("sk_test_", Shape::Letters(16)),
    ("rk_live_", Shape::Letters(16)),
    ("rk_test_", Shape::Letters(16)),
    ("xoxa-", Shape::Dashed(16)),
    ("xoxb-", Shape::Dashed(16)),
    ("xoxp-", Shape::Dashed(16)),
    ("xoxr-", Shape::Dashed(16)),
    ("xoxs-", Shape::Dashed(16)),
    ("xapp-", Shape::Dashed(16)),
    ("SG.", Shape::Dotted(40)),
    ("dop_v1_", Shape::Letters(32)),
    // What is a secret wherever it comes from.
    ("eyJ", Shape::Jwt),
    ("bearer ", Shape::Bearer),
    ("Bearer ", Shape::Bearer),
    ("BEARER ", Shape::Bearer),
    ("basic ", Shape::Basic),
    ("Basic ", Shape::Basic),
    ("BASIC ", Shape::Basic),
    ("://", Shape::Authority),
    ("-----BEGIN ", Shape::Pem),
];

/// Finds secrets by their shapes, and one key whatever its shape.
pub(super) struct Secrets {
    beginnings: Needles,
    /// What each of the beginnings is one of.
    shapes: Vec<Shape>,
}

impl Secrets {
    pub(super) fn new(own_key: Option<&ApiKey>) -> Self {
        let own = own_key
            .map(ApiKey::expose)
            .filter(|key| key.len() >= LEAST_OWN_KEY)
            .map(|key| (in_json(key), Shape::Whole));
        let known = SHAPES.iter().map(|(beginning, shape)| ((*beginning).to_owned(), *shape));
        let (beginnings, shapes): (Vec<_>, _) = known.chain(own).unzip();
        Self { beginnings: Needles::new(beginnings), shapes }
    }

    /// Whether a secret may be in this JSON.
    pub(super) fn may_be_in(&self, json: &[u8]) -> bool {
        has_needless_escape(json) || std::str::from_utf8(json).map_or(true, |json| self.find_in(json).next().is_some())
    }

    /// The JSON of a field without the secrets in it; nothing if there are none.
    pub(super) fn mask(&self, json: &str) -> Result<Option<String>, Failed> {
        if !has_needless_escape(json.as_bytes()) {
            return Ok(self.replaced(json));
        }
        // Escapes could hide a secret from a look at the text: written anew, it has only those that it needs.
        let value: Value = serde_json::from_str(json).map_err(|_| Failed::Unreadable)?;
        Ok(self.replaced(&value.to_string()))
    }

    /// Where the secrets in `text` lie, but for those that lie within another.
    fn find_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut done = 0;
        self.beginnings.find_iter(text.as_bytes()).filter_map(move |(number, found)| {
            // Not even looked at: else a text of nothing but beginnings would be read once for each of them.
            let secret = if found.end <= done { None } else { self.shapes[number].secret(text, found) };
            let secret = secret.filter(|secret| secret.start >= done)?;
            done = secret.end;
            Some(secret)
        })
    }

    /// `text` with a note in the place of each secret; nothing if there are none.
    fn replaced(&self, text: &str) -> Option<String> {
        let mut masked = String::new();
        let mut done = 0;
        for secret in self.find_in(text) {
            masked.push_str(&text[done..secret.start]);
            masked.push_str(REDACTED);
            done = secret.end;
        }
        (done > 0).then(|| masked + &text[done..])
    }
}

impl Shape {
    /// Where in `text` the secret lies whose beginning was found, if it is one.
    fn secret(self, text: &str, found: Range<usize>) -> Option<Range<usize>> {
        if self.stands_alone() && !starts_alone(text, found.start) {
            return None;
        }
        let (start, rest) = (found.start, &text[found.end..]);
        let run = |is: fn(u8) -> bool, least: usize| {
            let length = run_length(rest, is);
            (length >= least).then(|| start..found.end + length)
        };
        match self {
            Self::Letters(least) => run(|byte| byte.is_ascii_alphanumeric(), least),
            Self::Dashed(least) => run(is_dashed, least),
            Self::Dotted(least) => run(|byte| is_dashed(byte) || byte == b'.', least),
            Self::Capitals(count) => run(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit(), count)
                .filter(|secret| secret.end == found.end + count),
            Self::Jwt => jwt_length(rest).map(|length| start..found.end + length),
            Self::Bearer => bearer_length(rest).map(|length| found.end..found.end + length),
            Self::Basic => basic_length(rest).map(|length| found.end..found.end + length),
            Self::Authority => password(rest).map(|place| found.end + place.start..found.end + place.end),
            Self::Pem => pem_length(rest).map(|length| start..found.end + length),
            Self::Whole => Some(found),
        }
    }

    /// Whether it is one only where a word may begin.
    fn stands_alone(self) -> bool {
        !matches!(self, Self::Authority | Self::Pem | Self::Whole)
    }
}

/// A text as JSON strings hold it.
fn in_json(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// Whether JSON text has an escape in it for which there was no need: most writers have none, some have many.
fn has_needless_escape(json: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', json).any(|at| matches!(json.get(at + 1), Some(b'/' | b'u')))
}

/// Whether a word may begin at `start`: what comes before it is no letter and no digit, or the letter of an escape.
fn starts_alone(text: &str, start: usize) -> bool {
    let before = &text.as_bytes()[..start];
    match before {
        [.., b'\\', letter] if b"nrtbf".contains(letter) => true,
        [.., byte] => !byte.is_ascii_alphanumeric(),
        [] => true,
    }
}

fn is_dashed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn run_length(text: &str, is: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is(*byte)).count()
}

/// The rest of a JWT, whose first three characters are known.
fn jwt_length(rest: &str) -> Option<usize> {
    let header = rest.bytes().take(LONGEST_JWT_HEADER).take_while(|byte| is_dashed(*byte)).count();
    let after_header = rest.get(header..)?.strip_prefix('.').filter(|_| header >= 8)?;
    let payload = run_length(after_header, is_dashed);
    let after_payload = after_header[payload..].strip_prefix('.').filter(|_| payload >= 8)?;
    let signature = run_length(after_payload, is_dashed);
    (signature >= 8).then_some(header + 1 + payload + 1 + signature)
}

/// A bearer token. English has bearers too, of good news for instance: a token is longer, or has a digit in it.
fn bearer_length(rest: &str) -> Option<usize> {
    let length = run_length(rest, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    let has_digit = rest[..length].bytes().any(|byte| byte.is_ascii_digit());
    (length >= 16 || length >= 8 && has_digit).then_some(length)
}

/// User and password of the `Basic` scheme.
fn basic_length(rest: &str) -> Option<usize> {
    let length = run_length(rest, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let decoded = STANDARD_NO_PAD.decode(rest[..length].trim_end_matches('=')).ok()?;
    (decoded.contains(&b':')).then_some(length)
}

/// Where the password lies in what comes after a URL's scheme.
fn password(rest: &str) -> Option<Range<usize>> {
    let length = run_length(rest, |byte| byte.is_ascii_graphic() && !b"/?#\"\\<>".contains(&byte));
    let user_info = &rest[..rest[..length].rfind('@')?];
    let start = user_info.find(':')? + 1;
    (start < user_info.len()).then_some(start..user_info.len())
}

/// The rest of a private key in PEM, up to its last dash; of one that was cut, up to the cut.
fn pem_length(rest: &str) -> Option<usize> {
    let label = run_length(rest, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    if !rest[..label].ends_with("PRIVATE KEY") || !rest[label..].starts_with("-----") {
        return None;
    }
    let body = label + 5;
    let body_end =
        body + run_length(&rest[body..], |byte| byte.is_ascii_alphanumeric() || b"+/=\\ \r\n,:".contains(&byte));
    let end_line = format!("-----END {}-----", &rest[..label]);
    let end = if rest[body_end..].starts_with(&end_line) { body_end + end_line.len() } else { body_end };
    // A backslash at the end belongs to the character after it.
    Some(rest[..end].trim_end_matches('\\').len())
}
