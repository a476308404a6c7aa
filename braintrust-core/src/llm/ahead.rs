//! Reading a stream of events while it arrives, so that its bytes need not wait for its end.

use std::fmt;

use bytes::Bytes;
use memchr::memmem;

use super::Endpoint;
use super::frames::Framing;
use super::stream::Stream;
use crate::record::bound::Held;

/// How much is kept of what comes before the first event: to be shown if there never is one.
const BEGINNING_BYTES: usize = 16 * 1024;
/// What ends an event, at least: an empty line after another.
const ENDS: [&[u8]; 2] = [b"\n\n", b"\n\r\n"];
/// What a stream's byte order mark begins with. Only at its very beginning does it mean nothing.
const MARK: u8 = 0xef;

/// A stream as far as it was read, and what is left of the bytes that have arrived. Lives on the exporter's thread.
pub(super) struct Ahead {
    pub(super) stream: Stream,
    /// An event that has not ended yet.
    pub(super) unread: Vec<u8>,
    /// How much of `unread` holds no end of an event.
    searched: usize,
    /// The first bytes, while there is no event.
    pub(super) beginning: Vec<u8>,
    held: Held,
}

impl Ahead {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let stream = Stream::new(endpoint, Framing::Sse);
        Self { stream, unread: Vec::new(), searched: 0, beginning: Vec::new(), held: Held::default() }
    }

    /// Reads what comes next, up to the end of the last whole event.
    pub(super) fn read(&mut self, parts: &[Bytes]) {
        parts.iter().for_each(|part| self.unread.extend_from_slice(part));
        if let Some(end) = self.last_end() {
            self.stream.read(&self.unread[..end]);
            if self.stream.events == 0 {
                let room = BEGINNING_BYTES.saturating_sub(self.beginning.len());
                self.beginning.extend_from_slice(&self.unread[..end.min(room)]);
            }
            self.unread.drain(..end);
            self.unread.shrink_to(self.unread.len() * 2);
        }
        self.searched = self.unread.len();
        self.held.set(self.unread.len() + self.stream.weight);
    }

    /// The place after the last event that has ended, and is followed by something that can't be mistaken for a beginning.
    fn last_end(&self) -> Option<usize> {
        let from = self.searched.saturating_sub(ENDS[1].len());
        let recent = self.unread.get(from..self.unread.len().checked_sub(1)?)?;
        let ends = ENDS.iter().filter_map(|end| Some(from + memmem::rfind(recent, end)? + end.len()));
        ends.max().filter(|end| self.unread[*end] != MARK)
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead")
            .field("read", &self.stream.read)
            .field("unread", &self.unread.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::llm::WireApi;
    use crate::llm::notes::Notes;

    fn endpoint() -> Endpoint {
        Endpoint::new("openai", WireApi::ChatCompletions)
    }

    /// All that a stream comes to.
    fn told(mut stream: Stream) -> impl PartialEq + fmt::Debug {
        let (events, first_token, is_whole, read) = (stream.events, stream.first_token, stream.is_whole, stream.read);
        let mut notes = std::mem::take(&mut stream.notes);
        let response = stream.into_response(&mut notes);
        (events, first_token, is_whole, read, response, notes.as_slice().to_vec())
    }

    /// Pieces of streams, which make events in every order: sound, cut, without an end, with every kind of line end.
    fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let event = |text: &str| format!(r#"data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#);
        let lines: [Vec<u8>; 9] = [
            event("a").into(),
            event("b\u{feff}").into(),
            b": ping".to_vec(),
            b"data: {\"choices\":[{\"in".to_vec(),
            b"data: [DONE]".to_vec(),
            b"event: x".to_vec(),
            b"\xef\xbb\xbf".to_vec(),
            b"\xffnonsense".to_vec(),
            Vec::new(),
        ];
        let ends = prop::sample::select(vec!["\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r", "\n\r\n", "\r\n\n", ""]);
        let piece =
            (prop::sample::select(lines.to_vec()), ends).prop_map(|(line, end)| [&line, end.as_bytes()].concat());
        prop::collection::vec(piece, 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_stream_that_is_read_ahead_comes_to_what_it_does_whole(
            pieces in pieces(),
            cuts in prop::collection::vec(1_usize..60, 1..40),
        ) {
            let text = pieces.concat();
            let mut whole = Stream::new(&endpoint(), Framing::Sse);
            whole.read(&text);
            let mut ahead = Ahead::new(&endpoint());
            let mut rest = &text[..];
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                ahead.read(&[Bytes::copy_from_slice(part)]);
                rest = after;
            }
            ahead.stream.read(&[&ahead.unread, rest].concat());
            prop_assert_eq!(told(ahead.stream), told(whole));
        }
    }

    #[test]
    fn what_was_read_is_not_kept() {
        let event = r#"data: {"id":"chatcmpl-0123456789abcdefghijklmnopqrstuv","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#;
        let event = Bytes::from(event.to_owned() + "\n\n");
        let mut ahead = Ahead::new(&endpoint());
        (0..5_000).for_each(|_| ahead.read(std::slice::from_ref(&event)));
        assert_eq!(ahead.stream.events, 4_999, "the last one may go on");
        assert!(ahead.unread.capacity() < 4 * event.len());
        let all = 5_000 * event.len();
        assert!(ahead.held.bytes() < all / 4, "{} of {all}", ahead.held.bytes());
        assert_eq!(ahead.stream.notes, Notes::default());
    }
}
