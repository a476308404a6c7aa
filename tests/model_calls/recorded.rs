//! Responses that real providers gave, with the metrics that they must come to. Where the folder is not there (it is no
//! part of the project), nothing is tested here; `bodies.rs` has bodies of the same shapes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use braintrust::llm::detect;
use braintrust::testing::memory_logger;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{LIMIT, Response, call, merged};

struct Recorded {
    name: String,
    url: String,
    request: String,
    response: Response,
}

/// The metrics by the names of the bodies.
type Expected = BTreeMap<String, Map<String, Value>>;

/// The folder with the bodies: as the environment says, or beside the project.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("BRAINTRUST_RECORDED_BODIES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/llm")), PathBuf::from);
    let is_there = folder.join("expected_metrics.json").exists();
    if !is_there {
        println!(
            "skipped: no recorded bodies at {}; BRAINTRUST_RECORDED_BODIES names another folder",
            folder.display()
        );
    }
    is_there.then_some(folder)
}

fn read_json(path: &PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn recorded() -> Option<(Vec<Recorded>, Expected)> {
    let folder = folder()?;
    let expected: Expected = serde_json::from_value(read_json(&folder.join("expected_metrics.json"))).unwrap();
    let mut bodies = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.with_extension("meta.json");
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".meta.json") || !meta.exists() {
            continue;
        }
        let meta = read_json(&meta);
        let response = Response {
            status: meta["status"].as_u64().unwrap().try_into().unwrap(),
            content_type: meta["content_type"].as_str().unwrap().to_owned(),
            body: fs::read(&path).unwrap().into(),
        };
        let url = meta["url"].as_str().unwrap().to_owned();
        bodies.push(Recorded { name, url, request: meta["request_body"].to_string(), response });
    }
    assert!(bodies.len() >= expected.len() && !expected.is_empty());
    Some((bodies, expected))
}

/// What is tested of a row that came of a recording: exactly the expected metrics, beside the times.
fn check(recorded: &Recorded, row: &Value, expected: Option<&Map<String, Value>>) {
    let name = &recorded.name;
    let mut metrics = row["metrics"].as_object().unwrap().clone();
    for time in ["start", "end"] {
        assert!(metrics.remove(time).is_some_and(|time| time.as_f64() > Some(1e9)), "{name}: {row}");
    }
    let is_stream = !name.ends_with(".json");
    assert_eq!(metrics.remove("time_to_first_token").is_some(), is_stream, "{name}: {row}");
    assert_eq!(&metrics, expected.unwrap_or(&Map::new()), "{name}: {row}");
    assert_eq!(row["error"].is_string(), recorded.response.status >= 400, "{name}: {row}");
    assert_eq!(row["output"].is_null(), recorded.response.status >= 400, "{name}: {row}");
    assert_eq!(row["span_attributes"]["response_notes"], Value::Null, "{name}: {row}");
}

fn run(lengths: &[usize]) {
    let Some((bodies, expected)) = recorded() else { return };
    let (logger, rows) = memory_logger();
    let mut ids = BTreeMap::new();
    for recorded in &bodies {
        let address = recorded.url.trim_start_matches("https://");
        let (host, path) = address.split_once('/').unwrap();
        let endpoint = detect(host, &format!("/{path}")).unwrap();
        ids.insert(call(&logger, &endpoint, &recorded.request, &recorded.response, lengths), recorded);
    }
    logger.flush_blocking(LIMIT).unwrap();
    let rows = merged(&rows);
    assert_eq!(rows.len(), bodies.len());
    for row in &rows {
        let recorded = ids[row["id"].as_str().unwrap()];
        check(recorded, row, expected.get(&recorded.name));
    }
}

#[test]
fn recordings_come_to_the_expected_metrics() {
    run(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn however_they_are_cut(lengths in prop::collection::vec(1usize..=64, 1..40)) {
        run(&lengths);
    }
}
