//! What the answer to a request means for its rows, and how long to wait before the next attempt. Decides, never sends.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;

/// The longest wait a server can ask for: a wrong clock in a `Retry-After` must not silence a program for a day.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// What can still be done about a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The same request may well succeed later, but not before this much time, if the server said so.
    Again(Option<Duration>),
    /// The request ran out of time: it may succeed later, or with fewer rows.
    AgainOrFewerRows,
    /// The request may well succeed with fewer rows.
    FewerRows,
    /// Nothing, short of a person's intervention.
    None,
}

impl Remedy {
    /// Whether the same request may well succeed later.
    pub(crate) fn may_succeed_later(self) -> bool {
        matches!(self, Self::Again(_) | Self::AgainOrFewerRows)
    }

    /// The wait that the server asked for.
    pub(crate) fn asked_wait(self) -> Option<Duration> {
        match self {
            Self::Again(asked) => asked,
            Self::AgainOrFewerRows | Self::FewerRows | Self::None => None,
        }
    }
}

/// Whether a status means success and, if not, what can be done, given the wait that the server asked for.
pub(crate) fn classify(status: StatusCode, retry_after: Option<Duration>) -> Result<(), Remedy> {
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::PAYLOAD_TOO_LARGE => Err(Remedy::FewerRows),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Err(Remedy::Again(retry_after))
        }
        _ if status.is_server_error() => Err(Remedy::Again(retry_after)),
        _ => Err(Remedy::None),
    }
}

/// The wait that the value of a `Retry-After` header asks for at `now`: seconds or a date; nothing if it is neither.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds still mean "long".
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        // A date gone by means "now".
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// How waits grow while attempts fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacing {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

impl Pacing {
    /// A fresh series of waits. It never ends: rows are given up only when the server says that they are hopeless.
    pub(crate) fn backoff(self) -> Backoff {
        Backoff { next: self.first, longest: self.longest }
    }
}

/// A series of waits, each up to twice as long as the one before.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// The next wait, at least as long as the server asked for.
    ///
    /// A random half is taken off, so that programs that failed together don't come back together.
    pub(crate) fn wait(&mut self, asked: Option<Duration>) -> Duration {
        let planned = self.next.min(self.longest);
        self.next = planned.saturating_mul(2);
        let jittered = planned.mul_f64(0.5 + fastrand::f64() / 2.0);
        jittered.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(status: u16) -> Result<(), Remedy> {
        classify(StatusCode::from_u16(status).expect("a status"), Some(Duration::from_secs(7)))
    }

    #[test]
    fn each_status_has_its_remedy() {
        for status in [200, 201, 204] {
            assert_eq!(remedy(status), Ok(()), "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 529] {
            assert_eq!(remedy(status), Err(Remedy::Again(Some(Duration::from_secs(7)))), "{status}");
        }
        for status in [301, 308, 400, 401, 403, 404, 409, 422] {
            assert_eq!(remedy(status), Err(Remedy::None), "{status}");
        }
        assert_eq!(remedy(413), Err(Remedy::FewerRows));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        let parse = |value| parse_retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse(" 12 "), Some(12));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:58 GMT"), Some(21));
        assert_eq!(parse("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "a date gone by");
        for nonsense in ["", "soon", "-1", "1.5"] {
            assert_eq!(parse(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn no_server_can_ask_for_more_than_five_minutes() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        for long in ["86400", "99999999999999999999999", "Mon, 07 Nov 1994 08:49:37 GMT"] {
            assert_eq!(parse_retry_after(long, now), Some(Duration::from_secs(300)), "{long}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_never_end() {
        let mut backoff = Pacing::default().backoff();
        for planned in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let wait = backoff.wait(None).as_secs_f64();
            assert!((planned / 2.0..=planned).contains(&wait), "{wait} where {planned} was planned");
        }
        assert!((0..10_000).all(|_| backoff.wait(None) >= Duration::from_secs(15)));
    }

    #[test]
    fn waits_differ() {
        let waits: Vec<_> = (0..10).map(|_| Pacing::default().backoff().wait(None)).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }

    #[test]
    fn the_server_can_lengthen_a_wait_but_not_shorten_it() {
        let mut backoff = Pacing::default().backoff();
        assert_eq!(backoff.wait(Some(Duration::from_secs(20))), Duration::from_secs(20));
        assert!(backoff.wait(Some(Duration::ZERO)) >= Duration::from_millis(500));
    }
}
