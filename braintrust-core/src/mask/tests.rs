use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const OPENAI: &str = "sk-proj-Ab3dEf6hIj9kLm2nOp5q";

fn secrets() -> Mask {
    let mut rules = MaskRules::default();
    rules.add_secrets();
    rules.prepare(ApiKey::new("own:key:of:mine").as_ref()).expect("a mask")
}

fn named(names: &[&str]) -> Mask {
    let mut rules = MaskRules::default();
    rules.add_names(names.iter().map(|name| (*name).to_owned()).collect());
    rules.prepare(None).expect("a mask")
}

fn function(mask: impl Fn(MaskedField, &mut Value) + Send + Sync + 'static) -> Mask {
    let mut rules = MaskRules::default();
    rules.add_function(mask);
    rules.prepare(None).expect("a mask")
}

/// A row without its closing brace, masked.
fn masked_text(mask: &Mask, open_row: &str) -> String {
    let mut out = Vec::new();
    mask.apply(open_row.as_bytes(), &mut out).expect("a row");
    String::from_utf8(out).expect("UTF-8")
}

fn masked(mask: &Mask, row: &Value) -> Value {
    let text = row.to_string();
    let masked = masked_text(mask, text.strip_suffix('}').expect("an object"));
    serde_json::from_str(&(masked + "}")).expect("JSON")
}

fn input(mask: &Mask, input: Value) -> Value {
    masked(mask, &json!({"id": "1", "input": input}))["input"].clone()
}

#[test]
fn secrets_are_told_by_their_shapes() {
    let mask = secrets();
    for (text, expected) in [
        (OPENAI, "[REDACTED]"),
        ("key=sk-ant-api03-Ab3dEf6hIj9kLm2n_p5q.", "key=[REDACTED]."),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[REDACTED]"),
        ("AKIAIOSFODNN7EXAMPLE and text", "[REDACTED] and text"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[REDACTED]"),
        ("line\nsk-0123456789abcdef0123", "line\n[REDACTED]"),
        ("authorization: BEARER abc.def-123", "authorization: BEARER [REDACTED]"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic [REDACTED]"),
        ("postgres://ada:hunter2@db:5432/x", "postgres://ada:[REDACTED]@db:5432/x"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "[REDACTED]"),
        ("it is own:key:of:mine, yes", "it is [REDACTED], yes"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\nend", "[REDACTED]\nend"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow\nIBA\"", "[REDACTED]\""),
    ] {
        assert_eq!(input(&mask, json!({"a": [text]})), json!({"a": [expected]}));
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let mask = secrets();
    for text in [
        "the sk-learn library, task-management-systems-and-more",
        "hf_hub_download_with_progress_bar",
        "Bearer of good news; basic training; a bearer token",
        "https://example.com/a@b:c and mailto://ada@example.com",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "what is your password: tell me, is it a secret?",
        "cookies for ages; the authorization code flow",
    ] {
        assert_eq!(input(&mask, json!(text)), text);
    }
    let logprobs = json!({"logprobs": [{"token": "Hello"}], "max_tokens": 5, "has_password": true, "password": null});
    assert_eq!(input(&mask, logprobs.clone()), logprobs);
}

#[test]
fn secrets_hide_in_keys_texts_within_texts_and_escapes() {
    let mask = secrets();
    let arguments = json!({"headers": {"X-Api-Key": "short", "auth": format!("Bearer {OPENAI}")}, "q": "x"});
    let shown = input(&mask, json!({"arguments": arguments.to_string(), OPENAI: 1}));
    let inner: Value = serde_json::from_str(shown["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(inner, json!({"headers": {"X-Api-Key": "[REDACTED]", "auth": "Bearer [REDACTED]"}, "q": "x"}));
    assert_eq!(shown["[REDACTED]"], 1);

    let escaped = r#"{"id":"1","input":"\u0073k-0123456789abcdef0123","output":"Bearer ab\/cd1234\/x","metadata":{"pass\u0077ord":"x"}"#;
    let expected =
        r#"{"id":"1","input":"[REDACTED]","output":"Bearer [REDACTED]","metadata":{"password":"[REDACTED]"}"#;
    assert_eq!(masked_text(&mask, escaped), expected);
}

#[test]
fn entries_are_told_by_their_names_in_any_spelling() {
    let mask = named(&["home_address", "SSN"]);
    let value =
        json!({"homeAddress": {"street": "x"}, "Home-Address": 1, "ssn": "1", "my_ssn": "2", "a": [{"SSN": [1]}]});
    let hidden = json!({"homeAddress": "[REDACTED]", "Home-Address": "[REDACTED]", "ssn": "[REDACTED]", "my_ssn": "2",
        "a": [{"SSN": "[REDACTED]"}]});
    assert_eq!(input(&mask, value), hidden);
    assert_eq!(
        input(&secrets(), json!({"db_password": 1, "openaiApiKey": "x"})),
        json!({"db_password": "[REDACTED]", "openaiApiKey": "[REDACTED]"})
    );
}

#[test]
fn entries_are_hidden_in_debug_texts_and_queries() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by its Debug")]
    struct Login<'a> {
        user: &'a str,
        password: Option<&'a str>,
        api_key: &'a str,
    }
    let login = Login { user: "ada", password: Some("hunter \"2\""), api_key: "k" };
    let shown = r#"Login { user: "ada", password: Some("[REDACTED]"), api_key: "[REDACTED]" }"#;
    assert_eq!(input(&secrets(), json!(format!("{login:?}"))), shown);
    assert_eq!(input(&secrets(), json!("GET /?q=1&api_key=abc&x=2")), "GET /?q=1&api_key=[REDACTED]&x=2");
    assert_eq!(
        input(&named(&["ssn"]), json!("ssn=1 my_ssn=2 ssn: \"3\"")),
        "ssn=[REDACTED] my_ssn=2 ssn: \"[REDACTED]\""
    );
}

#[test]
fn named_numbers_are_left_out() {
    let row = json!({"metrics": {"weight": 80, "start": 1.5}, "scores": {"weight": 1}, "metadata": {"weight": 80}});
    let expected = json!({"metrics": {"start": 1.5}, "scores": {}, "metadata": {"weight": "[REDACTED]"}});
    assert_eq!(masked(&named(&["weight"]), &row), expected);
}

#[test]
fn what_makes_a_row_a_row_is_not_meant_by_any_name() {
    let row = json!({"span_attributes": {"name": "n", "type": "llm", "x": {"name": "a"}}, "comment": {"text": "t"},
        "metrics": {"start": 1.5, "end": 2.5}, "context": {"caller_lineno": 1, "span_origin": {"name": "r"}}});
    let mut expected = row.clone();
    expected["span_attributes"]["x"]["name"] = json!("[REDACTED]");
    assert_eq!(masked(&named(&["name", "type", "text", "start", "caller_lineno"]), &row), expected);
}

#[test]
fn errors_and_tags_are_content_and_ids_are_not() {
    let row = json!({"id": OPENAI, "error": format!("refused {OPENAI}"), "tags": [OPENAI], "span_attributes": {"name": OPENAI},
        "comment": {"text": OPENAI}, "span_id": OPENAI});
    let expected = json!({"id": OPENAI, "error": "refused [REDACTED]", "tags": ["[REDACTED]"],
        "span_attributes": {"name": "[REDACTED]"}, "comment": {"text": "[REDACTED]"}, "span_id": OPENAI});
    assert_eq!(masked(&secrets(), &row), expected);
}

#[test]
fn what_is_not_masked_stays_byte_for_byte() {
    let open_row = concat!(
        r#"{"id":"1","metrics":{"start":1795295964.343250,"n":340282366920938463463374607431768211455},"input":"sk-"#,
        r#"0123456789abcdef","output":{"z":1.50,"a":1e2},"metadata":{"password":"x"},"_is_merge":false"#
    );
    let expected =
        open_row.replace("sk-0123456789abcdef", "[REDACTED]").replace(r#"password":"x"#, r#"password":"[REDACTED]"#);
    assert_eq!(masked_text(&secrets(), open_row), expected);
    let masked = masked_text(
        &function(|field, value| {
            if field == "input" {
                *value = json!(1)
            }
        }),
        open_row,
    );
    assert_eq!(masked, open_row.replace(r#""sk-0123456789abcdef""#, "1"));
}

#[test]
fn functions_are_called_for_the_documented_fields() {
    let row = json!({"id": "1", "input": 1, "output": 2, "expected": 3, "metadata": {"a": 4}, "context": {"b": 5},
        "scores": {"c": 6}, "metrics": {"d": 7}, "error": "e", "tags": ["t"], "span_attributes": {"name": "n"},
        "comment": {"text": "x"}, "_audit_metadata": {"y": 1}, "origin": {"id": "z"}, "created": "now"});
    let mut expected = row.clone();
    for field in ["input", "output", "expected", "metadata", "context", "scores", "metrics"] {
        expected[field] = json!({ "was": field });
    }
    assert_eq!(masked(&function(|field, value| *value = json!({"was": field.as_str()})), &row), expected);
}

#[test]
fn a_panic_puts_an_error_text_in_the_fields_place() {
    let mask = function(|_, _| panic!("what was to be hidden"));
    let row = json!({"id": "1", "input": 1, "output": 2, "expected": 3, "metadata": {"a": 4}, "context": {"b": 5},
        "scores": {"c": 6}, "metrics": {"d": 7}, "error": "own", "tags": ["t"]});
    let text = |field: &str| format!("ERROR: Failed to mask field '{field}' - panic");
    let expected = json!({"id": "1", "input": text("input"), "output": text("output"), "expected": text("expected"),
        "metadata": {"error": text("metadata")}, "context": text("context"),
        "error": format!("own; {}; {}", text("metrics"), text("scores")), "tags": ["t"]});
    assert_eq!(masked(&mask, &row), expected);
    let lone = masked(&mask, &json!({"id": "1", "metrics": {}}));
    assert_eq!(lone, json!({"id": "1", "error": text("metrics")}));
}

#[test]
fn what_cannot_be_read_does_not_go_out() {
    let deep = format!("{}\"{OPENAI}\"{}", "[".repeat(200), "]".repeat(200));
    let row = format!(r#"{{"id":"1","input":{deep},"metrics":{{"password":{deep}}}"#);
    let masked = masked_text(&function(|_, _| {}), &row);
    assert!(!masked.contains("sk-") && masked.contains("'input' - unreadable JSON"), "{masked}");
    for broken in ["[\"password\"", "{\"a\":sk-0123456789abcdef", "{\"input\":\"password", "{\"password\":1}{"] {
        let mut out = Vec::new();
        assert!(secrets().apply(broken.as_bytes(), &mut out).is_err() && out.is_empty(), "{broken}");
    }
}

#[test]
fn ways_of_masking_are_applied_in_their_order() {
    let mut rules = MaskRules::default();
    rules.add_function(|field, value| {
        if field == MaskedField::Output {
            *value = json!({"password": OPENAI, "said": "ssn"});
        }
    });
    rules.add_secrets();
    rules.add_function(|_, value| {
        if value["said"] == "ssn" {
            value["seen"] = value["password"].clone();
        }
    });
    let mask = rules.prepare(None).expect("a mask");
    let row = masked(&mask, &json!({"output": 1}));
    assert_eq!(row, json!({"output": {"password": "[REDACTED]", "said": "ssn", "seen": "[REDACTED]"}}));
}

#[test]
fn no_rules_are_no_mask() {
    assert!(MaskRules::default().prepare(None).is_none());
    assert!(secrets().leaves_alone(br#"{"id":"1","input":{"q":"how are you?","n":[1,2]},"output":"fine\n""#));
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z \"\\\\/:=.\n\u{1}é]{0,12}",
        Just(format!("x {OPENAI}")),
        Just(format!("\\\"{OPENAI}\\\"")),
        Just(json!({"a": OPENAI}).to_string()),
        Just("-----BEGIN PRIVATE KEY-----\\\"".to_owned()),
        Just("bearer \\\"http://a:b\"@c".to_owned()),
        Just("password: \"a\\\"".to_owned()),
    ];
    let leaf = prop_oneof![text.clone().prop_map(Value::from), any::<i32>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn a_masked_row_is_a_row_without_secrets(input in value(), output in value()) {
        let row = json!({"id": "1", "input": input, "output": output});
        let once = masked(&secrets(), &row);
        prop_assert!(!once.to_string().contains(OPENAI), "{once}");
        prop_assert_eq!(masked(&secrets(), &once), once.clone(), "masking again changes nothing");
        prop_assert_eq!(kinds(&once["input"]), kinds(&row["input"]), "the shape of values stays");
    }
}

/// How many arrays, objects and leaves there are.
fn kinds(value: &Value) -> [usize; 3] {
    let inner: Vec<_> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => return [0, 0, 1],
    };
    let own = if value.is_array() { [1, 0, 0] } else { [0, 1, 0] };
    inner.into_iter().map(kinds).fold(own, |sum, more| [sum[0] + more[0], sum[1] + more[1], sum[2] + more[2]])
}

/// Read once for each beginning of a secret, such texts would take minutes each.
#[test]
fn whatever_a_text_repeats_it_is_masked_in_time_by_its_length() {
    let mut rules = MaskRules::default();
    rules.add_secrets();
    let mask = rules.prepare(None).expect("rules");
    let check = |input: String| {
        let text = format!(r#"{{"id":1,"input":{input}"#);
        let begun = std::time::Instant::now();
        mask.apply(text.as_bytes(), &mut Vec::new()).expect("a row");
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{}: {:?}", &input[..30], begun.elapsed());
    };
    for piece in ["sk-", "eyJ", "eyJ-", "bearer-", "-----BEGIN ", "://u:", "Basic ", "password:", "api_key=", "AKIA"] {
        check(format!(r#""{}""#, piece.repeat(300_000 / piece.len())));
    }
    check(format!(r#"{{"password":1,"{}":1}}"#, "a_".repeat(150_000)));
}
