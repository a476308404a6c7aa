//! Reading a stream of events while it arrives, so that its bytes need not wait for its end.

use std::fmt;

use bytes::Bytes;

use super::Endpoint;
use super::body::{HEAD_BYTES, Tail};
use super::frames::Framing;
use super::stream::Stream;
use crate::record::bound::Held;

/// How much is kept of what comes before the first event: to be shown if there never is one.
const BEGINNING_BYTES: usize = 16 * 1024;
/// What the events of one stream may become.
const MOST_WEIGHT: usize = 2 * HEAD_BYTES;

/// A stream as far as it was read, and what is left of the bytes that have arrived. Lives on the exporter's thread.
pub(super) struct Ahead {
    pub(super) stream: Stream,
    /// An event that has not ended yet.
    pub(super) unread: Vec<u8>,
    /// How long `unread` must be to be looked at: twice as long as when it held no whole event. One that is long would
    /// else be looked through with every piece of it that comes.
    worth_reading: usize,
    /// The end of what came after more than is kept, for good.
    pub(super) tail: Tail,
    /// The first bytes, while there is no event.
    pub(super) beginning: Vec<u8>,
    held: Held,
}

impl Ahead {
    pub(super) fn new(endpoint: &Endpoint, framing: Framing) -> Self {
        let stream = Stream::new(endpoint, framing);
        let (unread, tail, beginning, held) = (Vec::new(), Tail::default(), Vec::new(), Held::default());
        Self { stream, unread, worth_reading: 0, tail, beginning, held }
    }

    /// Reads what comes next, up to the end of the last whole event.
    pub(super) fn read(&mut self, parts: &[Bytes]) {
        for part in parts {
            let is_full = self.unread.len() > HEAD_BYTES || self.stream.weight > MOST_WEIGHT;
            if is_full || !self.tail.0.is_empty() {
                self.tail.add(part);
            } else {
                self.unread.extend_from_slice(part);
            }
        }
        if self.unread.len() >= self.worth_reading {
            self.read_settled();
            self.worth_reading = 2 * self.unread.len();
        }
        self.held.set(self.unread.len() + self.stream.weight + self.tail.0.len());
    }

    fn read_settled(&mut self) {
        let end = self.stream.framing.settled(&self.unread);
        self.stream.read(&self.unread[..end]);
        if self.stream.events == 0 {
            let room = BEGINNING_BYTES.saturating_sub(self.beginning.len());
            self.beginning.extend_from_slice(&self.unread[..end.min(room)]);
        }
        self.unread.drain(..end);
        self.unread.shrink_to(self.unread.len() * 2);
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
    use crate::llm::frames::tests::message;
    use crate::llm::notes::Notes;

    fn endpoint(api: WireApi) -> Endpoint {
        Endpoint::new("acme", api)
    }

    /// All that a stream comes to.
    fn told(mut stream: Stream) -> impl PartialEq + fmt::Debug {
        let (events, first_token, is_whole, read) = (stream.events, stream.first_token, stream.is_whole, stream.read);
        let mut notes = std::mem::take(&mut stream.notes);
        let response = stream.into_response(&mut notes);
        (events, first_token, is_whole, read, response, notes.as_slice().to_vec())
    }

    /// Pieces in any order.
    fn pieces(pieces: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
    }

    /// Server-sent events: sound, cut, without an end, with every kind of line end.
    fn sse() -> impl Strategy<Value = Vec<u8>> {
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
        let ends = ["\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r", "\n\r\n", "\r\n\n", ""];
        pieces(lines.iter().flat_map(|line| ends.map(|end| [line, end.as_bytes()].concat())).collect())
    }

    /// Messages of Amazon's: sound ones, and what damage leaves of them.
    fn event_stream() -> impl Strategy<Value = Vec<u8>> {
        let delta = |text: &str| format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}}}}"#);
        let long = message(":event-type", "contentBlockDelta", delta(&"long ".repeat(30)).as_bytes());
        let short = message(":event-type", "contentBlockDelta", delta("a").as_bytes());
        let failed = message(":exception-type", "throttlingException", br#"{"message":"Too fast"}"#);
        let mut wrong_sum = short.clone();
        wrong_sum[40] ^= 1;
        let mut wrong_prelude = short.clone();
        wrong_prelude[2] ^= 1;
        let (cut, rest) = (short[..20].to_vec(), short[20..].to_vec());
        pieces(vec![long, short.clone(), short, failed, wrong_sum, wrong_prelude, cut, rest, vec![0], b"{}\n".to_vec()])
    }

    /// Values in lines and in arrays, over several lines, and what is none.
    fn values() -> impl Strategy<Value = Vec<u8>> {
        let line = |text: &str| format!(r#"{{"message":{{"content":"{text}"}},"done":false}}"#);
        let texts = [
            &line("a"),
            &line(r#"b]\n\"\u00e9"#),
            &(line("c") + "\n"),
            "{\"message\":\n {\"content\":\n\"d\"}\r\n}",
            "{\"message\":{\"content\":\"cut",
            "\n",
            "\n",
            "\r\n",
            ",",
            "[",
            "]",
            "1",
            "23 ",
            "-",
            "tru",
            "true\n",
            "\"text\"",
            "\"text",
            "oops\n",
            "{\"a\":}\n",
            "\u{feff}",
        ];
        let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        all.extend([b"\xff".to_vec(), b"\"\xff\"".to_vec(), b"{\"\xe9\":1}\n".to_vec()]);
        pieces(all)
    }

    fn streams() -> impl Strategy<Value = (WireApi, Framing, Vec<u8>)> {
        prop_oneof![
            sse().prop_map(|bytes| (WireApi::ChatCompletions, Framing::Sse, bytes)),
            event_stream().prop_map(|bytes| (WireApi::Converse, Framing::EventStream, bytes)),
            values().prop_map(|bytes| (WireApi::OllamaChat, Framing::Values, bytes)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 6000, ..ProptestConfig::default() })]

        #[test]
        fn a_stream_that_is_read_ahead_comes_to_what_it_does_whole(
            (api, framing, bytes) in streams(),
            cuts in prop::collection::vec(1_usize..60, 1..60),
        ) {
            let mut whole = Stream::new(&endpoint(api), framing);
            whole.read(&bytes);
            let mut ahead = Ahead::new(&endpoint(api), framing);
            let mut rest = &bytes[..];
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                ahead.worth_reading = 0;
                ahead.read(&[Bytes::copy_from_slice(part)]);
                rest = after;
            }
            ahead.stream.read(&[&ahead.unread, rest].concat());
            prop_assert_eq!(told(ahead.stream), told(whole));
        }
    }

    #[test]
    fn what_was_read_is_not_kept() {
        let chunk = r#"{"id":"chatcmpl-0123456789abcdefghijklmnopqrstuv","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#;
        let line = r#"{"model":"qwen2.5:0.5b-instruct-q4_K_M","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":" word"},"done":false,"padding":"0123456789abcdefghijklmnopqrstuvwxyz"}"#;
        let delta = r#"{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}"#;
        let streams = [
            // The last event may go on.
            (WireApi::ChatCompletions, Framing::Sse, format!("data: {chunk}\n\n").into_bytes(), 4_999),
            (WireApi::OllamaChat, Framing::Values, format!("{line}\n").into_bytes(), 5_000),
            (
                WireApi::Converse,
                Framing::EventStream,
                message(":event-type", "contentBlockDelta", delta.as_bytes()),
                5_000,
            ),
        ];
        for (api, framing, event, events) in streams {
            let event = Bytes::from(event);
            let mut ahead = Ahead::new(&endpoint(api), framing);
            (0..5_000).for_each(|_| ahead.read(std::slice::from_ref(&event)));
            assert_eq!(ahead.stream.events, events, "{framing:?}");
            assert!(ahead.unread.capacity() < 4 * event.len(), "{framing:?}");
            let all = 5_000 * event.len();
            assert!(ahead.held.bytes() < all / 4, "{framing:?}: {} of {all}", ahead.held.bytes());
            assert_eq!(ahead.stream.notes, Notes::default(), "{framing:?}");
        }
    }

    /// Looked through with every piece that comes, it would take minutes.
    #[test]
    fn an_event_without_end_takes_time_by_its_length() {
        let begun = std::time::Instant::now();
        for (api, framing, start) in [
            (WireApi::ChatCompletions, Framing::Sse, "data: \""),
            (WireApi::OllamaChat, Framing::Values, "{\"message\":\""),
        ] {
            let mut ahead = Ahead::new(&endpoint(api), framing);
            ahead.read(&[Bytes::from(start)]);
            let piece = Bytes::from(vec![b'x'; 1024]);
            (0..16 * 1024).for_each(|_| ahead.read(std::slice::from_ref(&piece)));
            assert_eq!(ahead.unread.len(), start.len() + 16 * 1024 * 1024);
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}
