//! What headers are written to and read from: HTTP header maps, string maps, lists of pairs, and anything of yours.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// A place to write headers to, such as the headers of an outgoing request or the attributes of a queue's message.
///
/// [`set`](Self::set) is enough for a carrier that is empty before. One that may hold headers already should also
/// implement [`take`](Self::take), or a `Baggage` written by someone else stays beside our `baggage`.
///
/// ```
/// use braintrust::Injector;
///
/// struct Attributes(Vec<(String, String)>);
///
/// impl Injector for Attributes {
///     fn set(&mut self, key: &str, value: String) {
///         self.0.push((key.to_owned(), value));
///     }
/// }
/// ```
pub trait Injector {
    /// Writes a header, in place of one of the same name. Names come in lower case.
    fn set(&mut self, key: &str, value: String);

    /// Takes out every header called `key` in whatever case, and returns their values in order.
    ///
    /// By default there are none.
    fn take(&mut self, key: &str) -> Vec<String> {
        let _ = key;
        Vec::new()
    }
}

/// Something to read headers from, such as the headers of an incoming request or a stored row.
///
/// ```
/// use braintrust::Extractor;
///
/// struct Job {
///     traceparent: String,
/// }
///
/// impl Extractor for Job {
///     fn get(&self, key: &str) -> Option<&str> {
///         (key == "traceparent").then_some(&self.traceparent)
///     }
///
///     fn keys(&self) -> Vec<&str> {
///         vec!["traceparent"]
///     }
/// }
/// ```
pub trait Extractor {
    /// The value of the header `key`, the first if there are several.
    fn get(&self, key: &str) -> Option<&str>;

    /// The names of all headers, in the case in which they were stored.
    fn keys(&self) -> Vec<&str>;

    /// All values of the header `key`, for carriers in which a name may come more than once.
    fn get_all(&self, key: &str) -> Vec<&str> {
        self.get(key).into_iter().collect()
    }
}

/// The values of a header by its lower-case name, however the carrier spells it: the lower-case spelling first, since
/// that is how headers are injected.
pub(super) fn values<'a, E: Extractor + ?Sized>(carrier: &'a E, name: &str) -> Vec<&'a str> {
    let exact = carrier.get_all(name);
    if !exact.is_empty() {
        return exact;
    }
    // The smallest of several spellings, so that the order of a hash map decides nothing.
    let spelling = carrier.keys().into_iter().filter(|key| key.eq_ignore_ascii_case(name)).min();
    spelling.map_or_else(Vec::new, |key| carrier.get_all(key))
}

impl<I: Injector + ?Sized> Injector for &mut I {
    fn set(&mut self, key: &str, value: String) {
        (**self).set(key, value);
    }

    fn take(&mut self, key: &str) -> Vec<String> {
        (**self).take(key)
    }
}

impl<E: Extractor + ?Sized> Extractor for &E {
    fn get(&self, key: &str) -> Option<&str> {
        (**self).get(key)
    }

    fn keys(&self) -> Vec<&str> {
        (**self).keys()
    }

    fn get_all(&self, key: &str) -> Vec<&str> {
        (**self).get_all(key)
    }
}

/// A value that HTTP doesn't allow is left out rather than sent in pieces.
impl Injector for HeaderMap {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.insert(name, value);
        }
    }

    fn take(&mut self, key: &str) -> Vec<String> {
        let values = self.get_all(key).iter().filter_map(text).map(str::to_owned).collect();
        self.remove(key);
        values
    }
}

impl Extractor for HeaderMap {
    fn get(&self, key: &str) -> Option<&str> {
        HeaderMap::get(self, key).and_then(text)
    }

    fn keys(&self) -> Vec<&str> {
        HeaderMap::keys(self).map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Vec<&str> {
        HeaderMap::get_all(self, key).iter().filter_map(text).collect()
    }
}

/// Unlike `HeaderValue::to_str`, lets UTF-8 pass: the members that others put into `baggage` are not ours to judge.
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

impl<S: BuildHasher> Injector for HashMap<String, String, S> {
    fn set(&mut self, key: &str, value: String) {
        self.insert(key.to_owned(), value);
    }

    fn take(&mut self, key: &str) -> Vec<String> {
        let mut taken: Vec<_> = self.extract_if(|name, _| name.eq_ignore_ascii_case(key)).collect();
        taken.sort();
        taken.into_iter().map(|(_, value)| value).collect()
    }
}

impl<S: BuildHasher> Extractor for HashMap<String, String, S> {
    fn get(&self, key: &str) -> Option<&str> {
        HashMap::get(self, key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        HashMap::keys(self).map(String::as_str).collect()
    }
}

impl Injector for BTreeMap<String, String> {
    fn set(&mut self, key: &str, value: String) {
        self.insert(key.to_owned(), value);
    }

    fn take(&mut self, key: &str) -> Vec<String> {
        self.extract_if(.., |name, _| name.eq_ignore_ascii_case(key)).map(|(_, value)| value).collect()
    }
}

impl Extractor for BTreeMap<String, String> {
    fn get(&self, key: &str) -> Option<&str> {
        BTreeMap::get(self, key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        BTreeMap::keys(self).map(String::as_str).collect()
    }
}

impl Injector for Vec<(String, String)> {
    fn set(&mut self, key: &str, value: String) {
        self.retain(|(name, _)| name != key);
        self.push((key.to_owned(), value));
    }

    fn take(&mut self, key: &str) -> Vec<String> {
        self.extract_if(.., |(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value).collect()
    }
}

impl Extractor for Vec<(String, String)> {
    fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn get_all(&self, key: &str) -> Vec<&str> {
        let named = self.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        named.map(|(_, value)| value.as_str()).collect()
    }
}
