//! What a provider says of a call that it refused or could not finish.

use serde_json::Value;

use super::json;

/// How much of a message is kept.
const MAX_MESSAGE: usize = 4 * 1024;

/// The error that a response tells of: by its status, or by the `error` in its body.
pub(super) fn of(status: Option<u16>, response: &Value) -> Option<String> {
    let has_failed = status.is_some_and(|status| status >= 400);
    let error = told_by(response);
    if !has_failed && error.is_none() {
        return None;
    }
    let said = match error {
        Some(error) => described(error),
        None => described(response),
    };
    let Some(status) = status.filter(|_| has_failed) else { return Some(said) };
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let head = reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"));
    Some(if said.is_empty() { head } else { format!("{head}: {said}") })
}

/// The error in a body, in what is Groq's own, or in a choice; or the body itself, if it says that it is one.
pub(super) fn told_by(body: &Value) -> Option<&Value> {
    let of = |value: &'_ Value| json::get(value, "error").is_some_and(|error| !json::is_empty(error));
    if of(body) {
        return body.get("error");
    }
    if json::text(body, "object") == Some("error") {
        return Some(body);
    }
    if let Some(groq) = body.get("x_groq").filter(|groq| of(groq)) {
        return groq.get("error");
    }
    let choices = body.get("choices").and_then(Value::as_array)?;
    choices.iter().find(|choice| of(choice))?.get("error")
}

/// The error of a response without a body.
pub(super) fn of_status(status: Option<u16>) -> Option<String> {
    of(status, &Value::Null)
}

/// The message of an error, with its kind.
fn described(error: &Value) -> String {
    let message = ["message", "detail", "Message", "msg"].iter().find_map(|key| json::get(error, key));
    let message = match message.unwrap_or(error) {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let kind = ["code", "status", "type", "__type"].iter().find_map(|key| json::text(error, key));
    let kind = kind.filter(|kind| !message.contains(*kind));
    let message = &message[..message.floor_char_boundary(MAX_MESSAGE)];
    match kind {
        Some(kind) => format!("{message} ({kind})"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_providers_words_are_found_in_all_their_shapes() {
        let cases = [
            (
                Some(401),
                json!({"error": {"message": "bad key", "type": "t", "code": "invalid"}}),
                "401 Unauthorized: bad key (invalid)",
            ),
            (
                Some(404),
                json!({"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}),
                "404 Not Found: model: x (not_found_error)",
            ),
            (
                Some(400),
                json!({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}),
                "400 Bad Request: no (INVALID_ARGUMENT)",
            ),
            (Some(404), json!({"error": "model 'x' not found"}), "404 Not Found: model 'x' not found"),
            (Some(403), json!({"message": "denied"}), "403 Forbidden: denied"),
            (Some(422), json!({"detail": [{"msg": "bad"}]}), "422 Unprocessable Entity: [{\"msg\":\"bad\"}]"),
            (Some(502), json!("<html>Bad Gateway</html>"), "502 Bad Gateway: <html>Bad Gateway</html>"),
            (Some(599), json!(null), "599"),
            (
                Some(200),
                json!({"error": {"message": "overloaded", "type": "overloaded_error"}}),
                "overloaded (overloaded_error)",
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(of(status, &body).as_deref(), Some(expected));
        }
        assert_eq!(of(Some(200), &json!({"error": null, "choices": []})), None);
        assert!(of(Some(500), &json!("é".repeat(10_000))).unwrap().len() < 5000);
    }
}
