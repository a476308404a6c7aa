//! Says what is wrong with a span, in words that name the field and what was expected.

use serde_json::{Map, Value};

/// How deep the value of a field may be nested: in a row it is still below serde_json's limit of 127.
const MAX_DEPTH: usize = 126;

/// Checks the fields whose type Braintrust prescribes.
///
/// Absent and `null` are the same; what is not listed here may be anything.
pub(super) fn check(span: &Map<String, Value>) -> Result<(), String> {
    for (field, value) in span.iter().filter(|(_, value)| !value.is_null()) {
        if field != "children" && is_deeper_than(MAX_DEPTH, value) {
            return Err(format!("`{field}` is nested more than {MAX_DEPTH} levels deep; expected less"));
        }
        match field.as_str() {
            "id" | "span_id" | "root_span_id" => {
                expect(field, value, value.as_str().is_some_and(|id| !id.is_empty()), "a text that is not empty")?;
            }
            "name" | "type" | "created" => expect(field, value, value.is_string(), "a text")?,
            "span_parents" => expect(field, value, is_array_of_texts(value), "an array of span ids")?,
            "tags" => expect(field, value, is_array_of_texts(value), "an array of texts")?,
            "children" => expect(field, value, value.is_array(), "an array of spans")?,
            "span_attributes" | "metadata" | "context" => expect(field, value, value.is_object(), "an object")?,
            "metrics" => expect_entries(field, value, Value::is_number, "a number")?,
            "scores" => expect_entries(field, value, is_score, "a number from 0 to 1")?,
            "_is_merge" | "_object_delete" => expect(field, value, value.is_boolean(), "true or false")?,
            _ => {}
        }
    }
    if span.get("_object_delete") == Some(&Value::Bool(true)) {
        return Err("`_object_delete` is true; expected a span, not the deletion of one".to_owned());
    }
    Ok(())
}

/// No recursion: what is too deep for a row may be too deep for the stack.
fn is_deeper_than(limit: usize, value: &Value) -> bool {
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth == limit => return true,
            Value::Array(values) => open.extend(values.iter().map(|value| (value, depth + 1))),
            Value::Object(object) => open.extend(object.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    false
}

/// Says that something is no object.
pub(super) fn not_a_span(value: &Value) -> String {
    format!("this is {}; expected an object with the fields of a span", kind(value))
}

fn expect(field: &str, value: &Value, is_right: bool, expected: &str) -> Result<(), String> {
    match is_right {
        true => Ok(()),
        false => Err(format!("`{field}` is {}; expected {expected}", brief(value))),
    }
}

/// An entry that is `null` says that there is none, as in Braintrust's own SDKs.
fn expect_entries(field: &str, value: &Value, is_right: fn(&Value) -> bool, expected: &str) -> Result<(), String> {
    expect(field, value, value.is_object(), "an object")?;
    let mut entries = value.as_object().into_iter().flatten();
    match entries.find(|(_, entry)| !entry.is_null() && !is_right(entry)) {
        Some((name, entry)) => expect(&format!("{field}.{name}"), entry, false, expected),
        None => Ok(()),
    }
}

fn is_array_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|values| values.iter().all(Value::is_string))
}

fn is_score(value: &Value) -> bool {
    value.is_boolean() || value.as_f64().is_some_and(|score| (0.0..=1.0).contains(&score))
}

/// The value itself if it is short, else what kind of value it is.
fn brief(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = match value {
        Value::String(text) if text.len() > LONGEST => return kind(value).to_owned(),
        value => value.to_string(),
    };
    if text.len() <= LONGEST { text } else { kind(value).to_owned() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(span: Value) -> String {
        check(span.as_object().unwrap()).unwrap_err()
    }

    #[test]
    fn names_the_field_what_it_is_and_what_was_expected() {
        assert_eq!(problem(json!({"span_id": 7})), "`span_id` is 7; expected a text that is not empty");
        assert_eq!(problem(json!({"id": ""})), "`id` is \"\"; expected a text that is not empty");
        assert_eq!(problem(json!({"span_parents": "a"})), "`span_parents` is \"a\"; expected an array of span ids");
        let scores = json!({"scores": {"ok": 1, "quality": 1.5}});
        assert_eq!(problem(scores), "`scores.quality` is 1.5; expected a number from 0 to 1");
        assert_eq!(problem(json!({"metrics": "x".repeat(100)})), "`metrics` is a text; expected an object");
        assert!(problem(json!({"_object_delete": true})).contains("deletion"));
    }

    #[test]
    fn a_value_may_be_as_deep_as_can_be_read_back() {
        let nested = |depth| (0..depth).fold(json!(1), |value, _| json!([value]));
        let row = |depth| json!({"input": nested(depth)}).as_object().unwrap().clone();
        assert_eq!(check(&row(MAX_DEPTH)), Ok(()));
        let text = serde_json::to_string(&row(MAX_DEPTH)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        assert!(check(&row(MAX_DEPTH + 1)).unwrap_err().starts_with("`input` is nested more than"));
    }

    #[test]
    fn null_is_as_good_as_absent_and_other_fields_may_be_anything() {
        let span = json!({
            "id": null, "tags": null, "metrics": {"tokens": null, "start": 1.5}, "scores": {"a": 0, "b": true, "c": null},
            "input": 7, "whatever": [],
        });
        assert_eq!(check(span.as_object().unwrap()), Ok(()));
    }
}
