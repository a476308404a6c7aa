//! Rows that are too large for a request, and go by an upload.

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
