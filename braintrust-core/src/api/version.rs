//! How large a request the data plane takes.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::client::{Api, Call};
use super::failure::Failure;

/// The limit where the server names none.
const DEFAULT_MAX_REQUEST: usize = 6 * 1024 * 1024;

/// How long rows wait for the limit at most: they can go without it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Api {
    /// The most bytes the server says it takes in one request; nothing if it does not say.
    pub(crate) async fn payload_limit(&self, api_url: &str, http_timeout: Duration) -> Result<Option<usize>, Failure> {
        let limit = Some(http_timeout.min(PATIENCE));
        let call = Call { method: Method::GET, base: api_url, path: "/version", body: None, limit };
        let answer: Value = self.fetch(call).await?;
        Ok(parse_limit(&answer))
    }
}

fn parse_limit(answer: &Value) -> Option<usize> {
    let limit = answer.get("logs3_payload_max_bytes")?.as_u64()?;
    usize::try_from(limit).ok().filter(|limit| *limit > 0)
}

/// The size to keep to, from the server's limit and the user's.
pub(crate) fn max_request(server: Option<usize>, user: Option<usize>) -> usize {
    match (server, user) {
        (Some(server), Some(user)) => server.min(user),
        (Some(limit), None) | (None, Some(limit)) => limit,
        (None, None) => DEFAULT_MAX_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_whole_number_above_zero_is_a_limit() {
        assert_eq!(parse_limit(&json!({"logs3_payload_max_bytes": 1000, "version": "1"})), Some(1000));
        for answer in [json!({}), json!([]), json!({"logs3_payload_max_bytes": 0})] {
            assert_eq!(parse_limit(&answer), None, "{answer}");
        }
        for limit in [json!(-5), json!("1000"), json!(null)] {
            assert_eq!(parse_limit(&json!({"logs3_payload_max_bytes": limit})), None, "{limit}");
        }
    }

    #[test]
    fn the_smaller_limit_holds() {
        assert_eq!(max_request(None, None), 6_291_456);
        assert_eq!(max_request(None, Some(9_000_000)), 9_000_000);
        assert_eq!(max_request(Some(5), None), 5);
        assert_eq!(max_request(Some(5), Some(7)), 5);
        assert_eq!(max_request(Some(7), Some(5)), 5);
    }
}
