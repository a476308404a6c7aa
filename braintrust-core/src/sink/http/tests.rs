//! `HttpSink` against a real HTTP server on loopback.

mod chaos;
mod containers;
mod disk_counts;
mod disk_order;
mod knowledge;
mod overflow;
mod server_errors;
mod splitting;
mod spooled;
mod waiting;

use std::future::{pending, ready};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::*;
use tokio::task::LocalSet;

use crate::api::http_client;
use crate::api::tests::backend::{Backend, ORG_ID, PROJECT_ID, Seen};
use crate::container::{Container, ProjectRef};
use crate::report::{LossReason, Losses, Stats};
use crate::secret::ApiKey;

const KEY: &str = "sk-secret-0123456789";

/// Far longer than any test takes, and far shorter than anybody waits.
const HANGING: Duration = Duration::from_secs(60);

fn settings(variables: &[(&str, &str)]) -> Arc<Settings> {
    let no_spool = ("BRAINTRUST_SPOOL_DIR", "off");
    let all = variables.iter().chain([&no_spool]);
    let find = |name: &str| all.clone().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let settings = Settings::from_lookup(find);
    assert_eq!(settings.warnings, [""; 0]);
    Arc::new(settings)
}

fn target(app_url: &str) -> Target {
    Target {
        api_key: ApiKey::new(KEY).expect("not blank"),
        app_url: app_url.to_owned(),
        api_url: None,
        org_name: None,
        project: ProjectRef::Name("my-project".to_owned()),
    }
}

/// A sink with the tasks and the books that belong to it.
struct TestSink {
    sink: HttpSink,
    ledger: Arc<Ledger>,
    local: LocalSet,
}

/// What became of some rows.
struct Delivery {
    delivered: u64,
    lost: Losses,
    error: Option<String>,
}

/// A sink that loses no time between attempts.
fn sink_with(target: Target, variables: &[(&str, &str)]) -> TestSink {
    sink_that_tells(target, settings(variables), &Arc::default())
}

fn sink_that_tells(target: Target, settings: Arc<Settings>, resolution: &Arc<Resolution>) -> TestSink {
    let http = http_client(&settings).expect("TLS is set up");
    let pacing = Pacing { first: Duration::from_millis(2), longest: Duration::from_millis(20) };
    let (ledger, local) = (Arc::new(Ledger::default()), LocalSet::new());
    let entered = local.enter();
    let sink = HttpSink::paced(target, settings, http, Arc::clone(resolution), Arc::clone(&ledger), pacing);
    drop(entered);
    TestSink { sink, ledger, local }
}

fn sink(backend: &Backend) -> TestSink {
    sink_with(target(&backend.url), &[])
}

impl TestSink {
    fn accept(&mut self, rows: RowBatch) {
        self.ledger.queued(rows.len(), rows.bytes());
        self.sink.accept(rows);
    }

    /// Waits until all rows are settled.
    async fn settled(&mut self) {
        let settled = self.sink.settled();
        within(self.local.run_until(settled)).await;
    }

    fn stats(&self) -> Stats {
        self.ledger.stats()
    }
}

fn batch(ids: impl IntoIterator<Item = u32>) -> RowBatch {
    let mut batch = RowBatch::default();
    for id in ids {
        batch.push_with(u64::from(id), None, |text| text.extend_from_slice(format!(r#"{{"id":{id}"#).as_bytes()));
    }
    batch
}

async fn deliver(sink: &mut TestSink, rows: RowBatch) -> Delivery {
    let before = sink.stats().delivered;
    drop(sink.ledger.report(None));
    sink.accept(rows);
    sink.settled().await;
    let stats = sink.stats();
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0), "what is settled takes no memory");
    let (lost, error) = match sink.ledger.report(None) {
        Ok(report) => (report.lost, None),
        Err(error) => (error.report().expect("a flush").lost, stats.last_error),
    };
    Delivery { delivered: stats.delivered - before, lost, error }
}

async fn deliver_well(sink: &mut TestSink, rows: RowBatch) {
    let count = rows.len() as u64;
    let delivery = deliver(sink, rows).await;
    assert_eq!((delivery.delivered, delivery.lost, delivery.error), (count, Losses::NONE, None));
}

/// Delivers what is refused, and gives the reason.
async fn deliver_in_vain(sink: &mut TestSink, rows: RowBatch) -> String {
    let count = rows.len() as u64;
    let delivery = deliver(sink, rows).await;
    assert_eq!((delivery.delivered, delivery.lost), (0, Losses::of(LossReason::Rejected, count)));
    let error = delivery.error.expect("a reason");
    assert!(!error.contains(KEY), "{error}");
    error
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGING, future).await.expect("this hangs")
}

/// The ids in each accepted request for rows, in the order of the requests.
fn ids(requests: &[Seen]) -> Vec<Vec<u64>> {
    let ids = |seen: &Seen| {
        let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
        body["rows"].as_array().expect("rows").iter().map(|row| row["id"].as_u64().expect("an id")).collect()
    };
    requests.iter().map(ids).collect()
}

fn answer(status: u16, body: &'static str) -> Option<Response> {
    Some((StatusCode::from_u16(status).expect("a status"), body).into_response())
}

#[tokio::test]
async fn rows_arrive_in_the_envelope_byte_for_byte() {
    let backend = Backend::start(|_| ready(None)).await;
    let mut sink = sink(&backend);
    deliver_well(&mut sink, batch([1, 2])).await;

    let requests = backend.requests();
    let lines: Vec<_> = requests.iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    let expected = ["POST /api/apikey/login", "POST /api/project/register", "GET /version", "POST /logs3"];
    assert_eq!(lines, expected);
    for seen in &requests {
        assert_eq!(seen.header("authorization"), format!("Bearer {KEY}"), "{}", seen.path);
    }
    assert_eq!((requests[0].header("content-length"), requests[0].body.len()), ("0", 0));
    assert_eq!(requests[1].json(), json!({"project_name": "my-project", "org_id": ORG_ID}));
    assert_eq!(requests[3].header("content-type"), "application/json");
    let closing = format!(r#","project_id":"{PROJECT_ID}","log_id":"g"}}"#);
    let body = format!(r#"{{"rows": [{{"id":1{closing},{{"id":2{closing}], "api_version": 2}}"#);
    assert_eq!(requests[3].body, body);
}

#[tokio::test]
async fn what_the_backend_has_told_is_not_asked_again() {
    let backend = Backend::start(|_| ready(None)).await;
    let mut sink = sink(&backend);
    for id in 1..=3 {
        deliver_well(&mut sink, batch([id])).await;
    }
    for (path, times) in [("/api/apikey/login", 1), ("/api/project/register", 1), ("/version", 1), ("/logs3", 3)] {
        assert_eq!(backend.requests_to(path).len(), times, "{path}");
    }
}

#[tokio::test]
async fn no_rows_no_request() {
    let backend = Backend::start(|_| ready(None)).await;
    deliver_well(&mut sink(&backend), RowBatch::default()).await;
    assert_eq!(backend.requests().len(), 0);
}

#[tokio::test]
async fn a_known_project_is_not_registered() {
    let backend = Backend::start(|_| ready(None)).await;
    let project = ProjectRef::Id { id: "the \"id\"".to_owned(), name: Some("my-project".to_owned()) };
    let mut sink = sink_with(Target { project, ..target(&backend.url) }, &[]);
    deliver_well(&mut sink, batch([1])).await;
    assert_eq!(backend.requests_to("/api/project/register").len(), 0);
    assert_eq!(backend.requests_to("/logs3")[0].json()["rows"][0]["project_id"], "the \"id\"");
}

#[tokio::test]
async fn an_own_api_url_goes_before_that_of_the_login() {
    let app = Backend::start(|_| ready(None)).await;
    let api = Backend::start(|_| ready(None)).await;
    let mut sink = sink_with(Target { api_url: Some(format!("{}/", api.url)), ..target(&app.url) }, &[]);
    deliver_well(&mut sink, batch([1])).await;
    assert_eq!((app.requests_to("/logs3").len(), api.requests_to("/logs3").len()), (0, 1));
}

#[tokio::test]
async fn the_servers_limit_and_the_users_are_kept_to() {
    let backend = Backend::start(|seen| {
        ready(seen.is("/version").then(|| json!({"logs3_payload_max_bytes": 300}).to_string().into_response()))
    })
    .await;
    for (variables, most_rows, most_bytes) in [
        (&[][..], 100, 300),
        (&[("BRAINTRUST_MAX_REQUEST_SIZE", "200")], 100, 200),
        (&[("BRAINTRUST_DEFAULT_BATCH_SIZE", "2")], 2, 300),
    ] {
        let before = backend.requests_to("/logs3").len();
        deliver_well(&mut sink_with(target(&backend.url), variables), batch(1..=20)).await;
        let requests = backend.requests_to("/logs3").split_off(before);
        let mut all = ids(&requests);
        assert!(all.len() > 1);
        assert!(all.iter().all(|ids| ids.len() <= most_rows), "{all:?}");
        assert!(requests.iter().all(|seen| seen.body.len() <= most_bytes));
        all.sort();
        assert_eq!(all.concat(), (1..=20).collect::<Vec<_>>(), "each row once, in order");
    }
}

#[tokio::test]
async fn a_limit_that_is_not_told_holds_no_rows_back() {
    for status in [404, 503] {
        let backend =
            Backend::start(move |seen| ready(if seen.is("/version") { answer(status, "") } else { None })).await;
        let mut sink = sink(&backend);
        deliver_well(&mut sink, batch([1])).await;
        deliver_well(&mut sink, batch([2])).await;
        assert_eq!(backend.requests_to("/version").len(), 1, "not asked again at once");
    }
}

#[tokio::test]
async fn requests_are_under_way_at_once_but_never_more_than_allowed() {
    let pair = Arc::new(Barrier::new(2));
    let backend = Backend::start(move |seen| {
        let pair = pair.clone();
        async move {
            if seen.is("/logs3") {
                // Nobody passes alone: with one request at a time, this test hangs. Then there is time for a third.
                pair.wait().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            None
        }
    })
    .await;
    let variables = [("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "2"), ("BRAINTRUST_DEFAULT_BATCH_SIZE", "1")];
    deliver_well(&mut sink_with(target(&backend.url), &variables), batch(1..=6)).await;
    assert_eq!(backend.most_at_once(), 2);
}

#[tokio::test]
async fn a_refused_key_is_told_without_showing_it() {
    let backend = Backend::start(|seen| {
        let echo = format!("no such key: {}\n", seen.header("authorization"));
        ready(seen.is("/logs3").then(|| (StatusCode::UNAUTHORIZED, echo).into_response()))
    })
    .await;
    let error = deliver_in_vain(&mut sink(&backend), batch([1, 2, 3])).await;
    let expected = format!(
        "POST {}/logs3: HTTP 401 Unauthorized: no such key: Bearer sk***89; check that BRAINTRUST_API_KEY (or the key \
         given in code) is valid for this organization",
        backend.url
    );
    assert_eq!(error, expected);
    assert_eq!(backend.requests_to("/logs3").len(), 1, "a refusal is final");
}

#[tokio::test]
async fn a_long_explanation_is_cut() {
    let backend = Backend::start(|seen| {
        ready(seen.is("/logs3").then(|| (StatusCode::BAD_REQUEST, "é".repeat(100_000)).into_response()))
    })
    .await;
    let error = deliver_in_vain(&mut sink(&backend), batch([1])).await;
    assert!(error.ends_with(&format!("HTTP 400 Bad Request: {}", "é".repeat(200))), "{error}");
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_refused_at_once() {
    let backend = Backend::start(|_| ready(None)).await;
    let api_key = ApiKey::new("sk-secret\n0123456789").expect("not blank");
    let mut sink = sink_with(Target { api_key, ..target(&backend.url) }, &[]);
    let error = deliver_in_vain(&mut sink, batch([1])).await;
    assert!(error.contains("the request cannot be made") && error.contains("BRAINTRUST_API_KEY"), "{error}");
    assert!(!error.contains("0123"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_no_delivery() {
    let backend = Backend::start(|seen| {
        ready(seen.is("/logs3").then(|| (StatusCode::FOUND, [(LOCATION, "/version")]).into_response()))
    })
    .await;
    let error = deliver_in_vain(&mut sink(&backend), batch([1])).await;
    assert!(error.contains("HTTP 302 Found to /version; set BRAINTRUST_APP_URL or BRAINTRUST_API_URL"), "{error}");
}

#[tokio::test]
async fn a_row_that_is_refused_takes_no_other_with_it() {
    let backend = Backend::start(|seen| {
        let refused = seen.is("/logs3") && [r#""id":3,"#, r#""id":70,"#].iter().any(|bad| seen.text().contains(bad));
        ready(if refused { answer(400, "no") } else { None })
    })
    .await;
    let mut sink = sink(&backend);
    let delivery = deliver(&mut sink, batch(1..=100)).await;
    assert_eq!((delivery.delivered, delivery.lost), (98, Losses::of(LossReason::Rejected, 2)));
    assert!(backend.requests_to("/logs3").len() < 30, "{}", backend.requests_to("/logs3").len());
}

#[tokio::test]
async fn a_backend_that_refuses_every_row_is_not_asked_about_each() {
    let backend = Backend::start(|seen| ready(if seen.is("/logs3") { answer(400, "no") } else { None })).await;
    let delivery = deliver(&mut sink(&backend), batch(1..=1000)).await;
    assert_eq!((delivery.delivered, delivery.lost), (0, Losses::of(LossReason::Rejected, 1000)));
    assert!(backend.requests_to("/logs3").len() < 100, "{}", backend.requests_to("/logs3").len());
}

#[tokio::test]
async fn an_unknown_organization_is_told_with_those_there_are() {
    let backend = Backend::start(|_| ready(None)).await;
    let mut sink = sink_with(Target { org_name: Some("nope".to_owned()), ..target(&backend.url) }, &[]);
    let error = deliver_in_vain(&mut sink, batch([1])).await;
    let expected = format!("login at {}: Organization nope not found. Must be one of test-org, other-org", backend.url);
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_refused_login_or_registration_is_not_remembered() {
    for path in ["/api/apikey/login", "/api/project/register"] {
        let backend = Backend::start(move |seen| {
            ready(if seen.is(path) && seen.nth == 1 { answer(401, "no such key") } else { None })
        })
        .await;
        let mut sink = sink(&backend);
        let error = deliver_in_vain(&mut sink, batch([1])).await;
        assert!(error.contains(path) && error.contains("HTTP 401") && error.contains("BRAINTRUST_API_KEY"), "{error}");
        deliver_well(&mut sink, batch([2])).await;
        assert_eq!(ids(&backend.requests_to("/logs3")), [[2]]);
    }
}

#[tokio::test]
async fn a_login_or_registration_that_fails_for_now_holds_the_rows() {
    for path in ["/api/apikey/login", "/api/project/register"] {
        let backend =
            Backend::start(move |seen| ready(if seen.is(path) && seen.nth <= 2 { answer(503, "") } else { None }))
                .await;
        deliver_well(&mut sink(&backend), batch([1])).await;
        assert_eq!(backend.requests_to(path).len(), 3);
    }
}

/// What is said while rows wait.
async fn trouble(sink: &mut TestSink) -> String {
    let ledger = Arc::clone(&sink.ledger);
    let told = async {
        loop {
            match ledger.trouble() {
                Some(trouble) => break trouble,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    within(sink.local.run_until(told)).await
}

#[tokio::test]
async fn what_is_no_braintrust_is_told_so_and_takes_no_rows() {
    let page = "<html>Welcome!</html>";
    for path in ["/api/apikey/login", "/api/project/register", "/logs3"] {
        let backend =
            Backend::start(move |seen| ready(if seen.is(path) && seen.nth <= 4 { answer(200, page) } else { None }))
                .await;
        let mut sink = sink(&backend);
        sink.accept(batch([1]));
        let trouble = trouble(&mut sink).await;
        assert!(trouble.contains(path) && trouble.contains("not what Braintrust answers"), "{trouble}");
        sink.settled().await;
        assert_eq!(sink.stats().delivered, 1);
    }
}

#[tokio::test]
async fn half_an_answer_is_no_refusal() {
    for path in ["/api/apikey/login", "/api/project/register", "/version", "/logs3"] {
        let half = r#"{"org_info": [{"id": "#;
        let backend =
            Backend::start(move |seen| ready(if seen.is(path) && seen.nth == 1 { answer(200, half) } else { None }))
                .await;
        deliver_well(&mut sink(&backend), batch([1])).await;
    }
}

#[tokio::test]
async fn rows_wait_for_a_server_that_is_not_up_yet() {
    let place = Backend::reserve();
    let url = place.url();
    let mut sink = sink_with(target(&url), &[]);
    let ledger = Arc::clone(&sink.ledger);

    let server_comes_up = async {
        let error = loop {
            match ledger.trouble() {
                Some(error) => break error,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        let backend = place.start(|_| ready(None)).await;
        (error, backend)
    };
    sink.accept(batch([1]));
    let ((), (error, backend)) = within(futures::future::join(sink.settled(), server_comes_up)).await;

    assert_eq!(sink.stats().delivered, 1);
    assert!(error.starts_with(&format!("POST {url}/api/apikey/login: Connection refused")), "{error}");
    assert!(error.contains("; retrying in 0.0 s"), "{error}");
    assert_eq!(ledger.trouble(), None);
    assert_eq!(ids(&backend.requests_to("/logs3")), [[1]]);
}
