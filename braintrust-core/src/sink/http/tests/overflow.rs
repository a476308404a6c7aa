//! Rows that are too large for a request, and go by an upload.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A backend that takes requests of so many bytes, and tells where larger ones are to be uploaded.
async fn backend(limit: usize, form: bool, uploads_fail: usize) -> Backend {
    let place = Backend::reserve();
    let url = place.url();
    place
        .start(move |seen| {
            let fields = json!({"policy": "p", "Content-Type": "application/json"});
            ready(match seen.path.as_str() {
                "/version" => Some(json!({"logs3_payload_max_bytes": limit}).to_string().into_response()),
                "/logs3/overflow" => Some(
                    json!({
                        "method": if form { "POST" } else { "PUT" },
                        "signedUrl": format!("{url}/bucket"),
                        "headers": {"x-test": "1"},
                        "fields": if form { fields } else { json!({}) },
                        "key": format!("key-{}", seen.nth),
                    })
                    .to_string()
                    .into_response(),
                ),
                "/bucket" if seen.nth <= uploads_fail => answer(403, "expired"),
                "/bucket" => answer(200, ""),
                _ => None,
            })
        })
        .await
}

fn large(id: u32) -> RowBatch {
    let mut batch = RowBatch::default();
    batch.push_with(u64::from(id), None, |text| {
        text.extend_from_slice(format!(r#"{{"id":{id},"comment":{{}},"input":"{}""#, "x".repeat(2000)).as_bytes());
    });
    batch
}

#[tokio::test]
async fn a_row_over_the_limit_is_uploaded_and_named() {
    for form in [false, true] {
        let backend = backend(1000, form, 1).await;
        deliver_well(&mut sink(&backend), large(1)).await;

        let body = r#"{"rows": [{"id":1,"comment":{},"input":""#.to_owned()
            + &"x".repeat(2000)
            + &format!(r#"","project_id":"{PROJECT_ID}","log_id":"g"}}], "api_version": 2}}"#);
        let uploads = backend.requests_to("/bucket");
        assert_eq!(uploads.len(), 2, "another address after a failed upload");
        for upload in &uploads {
            assert!(!upload.headers.contains_key("authorization"), "the key has no business there");
            assert_eq!(upload.header("x-test"), "1");
            if form {
                let text = upload.text();
                assert!(upload.header("content-type").starts_with("multipart/form-data; boundary="));
                assert!(text.find("name=\"policy\"") < text.find("name=\"file\"") && text.contains(&body), "{text}");
            } else {
                assert_eq!((upload.method.as_str(), upload.text()), ("PUT", &*body));
            }
        }
        let meta = backend.requests_to("/logs3/overflow")[0].json();
        assert_eq!(meta["size_bytes"], body.len());
        let row = json!({
            "object_ids": {"project_id": PROJECT_ID, "log_id": "g"},
            "has_comment": true,
            "is_delete": false,
            "input_row": {"byte_size": body.len() - 30},
        });
        assert_eq!(meta["rows"], json!([row]));
        let named = backend.requests_to("/logs3")[0].json();
        let expected = json!({"type": "logs3_overflow", "key": "key-2", "size_bytes": body.len()});
        assert_eq!(named, json!({"rows": expected, "api_version": 2}));
    }
}

#[tokio::test]
async fn an_upload_that_went_well_is_not_repeated() {
    let backend = Backend::start(|seen| {
        ready(match seen.path.as_str() {
            "/version" => Some(json!({"logs3_payload_max_bytes": 1000}).to_string().into_response()),
            "/logs3/overflow" => {
                let url = format!("http://{}/bucket", seen.header("host"));
                Some(json!({"method": "PUT", "signedUrl": url, "headers": {}, "key": "k"}).to_string().into_response())
            }
            "/bucket" => answer(200, ""),
            "/logs3" if seen.nth <= 2 => answer(500, "boom"),
            _ => None,
        })
    })
    .await;
    deliver_well(&mut sink(&backend), large(1)).await;
    assert_eq!((backend.requests_to("/bucket").len(), backend.requests_to("/logs3").len()), (1, 3));
}

#[tokio::test]
async fn without_a_limit_there_is_no_upload() {
    let backend = Backend::start(|seen| {
        ready(if seen.is("/logs3") && seen.body.len() > 1000 { answer(413, "too large") } else { None })
    })
    .await;
    let delivery = deliver(&mut sink(&backend), large(1)).await;
    assert_eq!(delivery.lost, Losses::of(LossReason::TooLarge, 1));
    assert_eq!(backend.requests_to("/logs3/overflow").len(), 0);
}

/// A backend that takes small requests, and whose storage takes nothing as long as it is away.
async fn moody_storage() -> (Backend, Arc<AtomicBool>) {
    let is_away = Arc::new(AtomicBool::new(true));
    let away = Arc::clone(&is_away);
    let place = Backend::reserve();
    let url = place.url();
    let backend = place
        .start(move |seen| {
            ready(match seen.path.as_str() {
                "/version" => Some(json!({"logs3_payload_max_bytes": 1000}).to_string().into_response()),
                "/logs3/overflow" => {
                    let key = format!("/bucket/{}", seen.nth);
                    let place = json!({"method": "PUT", "signedUrl": format!("{url}{key}"), "headers": {}, "key": key});
                    Some(place.to_string().into_response())
                }
                path if path.starts_with("/bucket/") && away.load(Ordering::Relaxed) => {
                    Some((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response())
                }
                path if path.starts_with("/bucket/") => answer(200, ""),
                _ => None,
            })
        })
        .await;
    (backend, is_away)
}

fn uploads(backend: &Backend) -> usize {
    backend.requests().iter().filter(|seen| seen.path.starts_with("/bucket/")).count()
}

/// The ids of all rows that have arrived, and whether they came by way of storage.
fn arrived(backend: &Backend) -> Vec<(u64, bool)> {
    let rows = |seen: Seen| match &seen.json()["rows"] {
        Value::Array(rows) => rows.iter().map(|row| (row["id"].as_u64().expect("an id"), false)).collect(),
        named => {
            let uploaded = &backend.requests_to(named["key"].as_str().expect("a key"))[0];
            vec![(uploaded.json()["rows"][0]["id"].as_u64().expect("an id"), true)]
        }
    };
    backend.requests_to("/logs3").into_iter().flat_map(rows).collect()
}

async fn until(sink: &TestSink, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(sink.local.run_until(waiting)).await;
}

#[tokio::test]
async fn storage_that_is_away_holds_up_the_spans_that_need_it_and_no_others() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for spool in ["off", dir.path().to_str().expect("text")] {
        let (backend, is_away) = moody_storage().await;
        let variables = [("BRAINTRUST_SPOOL_DIR", spool), ("BRAINTRUST_NUM_RETRIES", "0")];
        let mut sink = sink_with(target(&backend.url), &variables);
        sink.accept(large(1));
        until(&sink, || sink.stats().last_error.is_some_and(|error| error.contains("others go on"))).await;
        // The next row of that span waits with it.
        sink.accept(batch([2, 3, 1]));
        sink.accept(large(4));
        sink.accept(batch([5]));
        until(&sink, || arrived(&backend).len() >= 3).await;
        let mut others = arrived(&backend);
        others.sort();
        assert_eq!(others, [(2, false), (3, false), (5, false)]);
        // It is tried again, and in vain.
        until(&sink, || uploads(&backend) > 1).await;

        is_away.store(false, Ordering::Relaxed);
        until(&sink, || arrived(&backend).len() >= 6).await;
        sink.settled().await;
        let late = arrived(&backend).split_off(3);
        let of_one: Vec<_> = late.iter().filter(|(id, _)| *id == 1).collect();
        assert_eq!(of_one, [&(1, true), &(1, false)], "in their order");
        assert!(late.len() == 3 && late.contains(&(4, true)), "{late:?}");
        let stats = sink.stats();
        assert_eq!((stats.delivered, stats.queued, stats.spooled, stats.lost), (6, 0, 0, Losses::NONE));
    }
}

#[tokio::test]
async fn a_flush_does_not_wait_for_storage_that_is_away_and_the_next_program_tries_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (backend, is_away) = moody_storage().await;
    let variables = [("BRAINTRUST_SPOOL_DIR", dir.path().to_str().expect("text")), ("BRAINTRUST_NUM_RETRIES", "0")];
    let mut sink = sink_with(target(&backend.url), &variables);
    sink.accept(large(1));
    sink.accept(batch([2]));
    sink.settled().await;
    let stats = sink.stats();
    assert_eq!((stats.delivered, stats.queued, stats.spooled, stats.queued_bytes), (1, 0, 1, 0));

    drop(sink);
    is_away.store(false, Ordering::Relaxed);
    let mut sink = sink_with(target(&backend.url), &variables);
    sink.accept(batch([3]));
    sink.settled().await;
    let mut arrived = arrived(&backend);
    arrived.sort();
    assert_eq!(arrived, [(1, true), (2, false), (3, false)]);
}
