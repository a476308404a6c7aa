//! Rows that name the object they belong to, beside rows of the logger's own project.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::api::tests::backend::id_of;

fn project(name: &str) -> Option<Container> {
    Some(Container::Project(ProjectRef::Name(name.to_owned())))
}

fn experiment(id: &str) -> Option<Container> {
    Some(Container::Experiment(id.to_owned()))
}

/// Rows with the ids 1, 2, …, one for each container.
fn rows_in(containers: impl IntoIterator<Item = Option<Container>>) -> RowBatch {
    let mut batch = RowBatch::default();
    for (container, id) in containers.into_iter().zip(1..) {
        let container = container.map(|container| container.encode());
        batch.push_with(id, container.as_deref(), |text| text.extend_from_slice(format!(r#"{{"id":{id}"#).as_bytes()));
    }
    batch
}

/// The names that registrations asked for.
fn registered(backend: &Backend) -> Vec<String> {
    let name = |seen: &Seen| seen.json()["project_name"].as_str().expect("a name").to_owned();
    let mut names: Vec<_> = backend.requests_to("/api/project/register").iter().map(name).collect();
    names.sort();
    names
}

/// All ids that arrived, sorted.
fn all_ids(backend: &Backend) -> Vec<u64> {
    let mut ids = ids(&backend.requests_to("/logs3")).concat();
    ids.sort();
    ids
}

#[tokio::test]
async fn one_request_holds_rows_of_all_known_containers() {
    let backend = Backend::start(|_| ready(None)).await;
    let own = ProjectRef::Id { id: "own".to_owned(), name: None };
    let mut sink = sink_with(Target { project: own, ..target(&backend.url) }, &[]);
    let by_id = Container::Project(ProjectRef::Id { id: "p".to_owned(), name: Some("n".to_owned()) });
    let playground = Container::Playground("s".to_owned());
    deliver_well(&mut sink, rows_in([None, Some(by_id), experiment("e"), Some(playground), None])).await;

    assert_eq!(registered(&backend), [""; 0]);
    let requests = backend.requests_to("/logs3");
    assert_eq!(requests.len(), 1);
    let expected = json!([
        {"id": 1, "project_id": "own", "log_id": "g"},
        {"id": 2, "project_id": "p", "log_id": "g"},
        {"id": 3, "experiment_id": "e"},
        {"id": 4, "prompt_session_id": "s", "log_id": "x"},
        {"id": 5, "project_id": "own", "log_id": "g"},
    ]);
    assert_eq!(requests[0].json()["rows"], expected);
}

#[tokio::test]
async fn a_project_is_registered_once_and_then_shares_requests() {
    let backend = Backend::start(|_| ready(None)).await;
    let mut sink = sink(&backend);
    let rows = || rows_in([None, project("other"), project("other"), project("third"), project("my-project")]);
    deliver_well(&mut sink, rows()).await;
    assert_eq!(all_ids(&backend), [1, 2, 3, 4, 5]);
    let before = backend.requests_to("/logs3").len();
    deliver_well(&mut sink, rows()).await;

    assert_eq!(
        registered(&backend),
        ["my-project", "other", "third"],
        "the own project named by name is the own project"
    );
    assert_eq!(backend.requests_to("/version").len(), 1);
    let later = &backend.requests_to("/logs3")[before..];
    assert_eq!(ids(later), [[1, 2, 3, 4, 5]]);
    let body = later[0].json();
    let project_ids: Vec<_> = (0..5).map(|row| body["rows"][row]["project_id"].as_str().expect("an id")).collect();
    assert_eq!(project_ids, [PROJECT_ID, &id_of("other"), &id_of("other"), &id_of("third"), PROJECT_ID]);
}

#[tokio::test]
async fn a_project_that_is_refused_loses_its_own_rows_only() {
    let backend = Backend::start(|seen| {
        let refused = seen.is("/api/project/register") && seen.json()["project_name"] == "secret";
        ready(if refused { answer(403, "not yours") } else { None })
    })
    .await;
    let mut sink = sink(&backend);
    let delivery = deliver(&mut sink, rows_in([None, project("secret"), experiment("e"), project("secret")])).await;

    assert_eq!((delivery.delivered, delivery.lost), (2, Losses::of(LossReason::Rejected, 2)));
    let error = delivery.error.expect("a reason");
    assert!(error.contains("/api/project/register: HTTP 403"), "{error}");
    assert_eq!(all_ids(&backend), [1, 3]);
    deliver_well(&mut sink, batch([5])).await;
    assert_eq!(backend.requests_to("/api/apikey/login").len(), 1, "what is known stays known");
}

#[tokio::test]
async fn the_own_project_refused_takes_no_other_rows_with_it() {
    let backend =
        Backend::start(|seen| ready(if seen.is("/api/project/register") { answer(403, "no") } else { None })).await;
    let delivery = deliver(&mut sink(&backend), rows_in([None, experiment("e")])).await;
    assert_eq!((delivery.delivered, delivery.lost), (1, Losses::of(LossReason::Rejected, 1)));
    assert_eq!(all_ids(&backend), [2]);
}

#[tokio::test]
async fn a_project_that_fails_for_now_holds_no_others_rows_back() {
    let arrived = Arc::new(AtomicBool::new(false));
    let backend = Backend::start(move |seen| {
        if seen.is("/logs3") {
            arrived.store(true, Ordering::Relaxed);
        }
        let fails = seen.is("/api/project/register") && seen.json()["project_name"] == "slow";
        ready(if fails && !arrived.load(Ordering::Relaxed) { answer(503, "") } else { None })
    })
    .await;
    deliver_well(&mut sink(&backend), rows_in([project("slow"), None, project("slow")])).await;
    assert_eq!(ids(&backend.requests_to("/logs3")), [vec![2], vec![1, 3]]);
}

#[tokio::test]
async fn registrations_that_hang_hold_no_others_rows_back() {
    // Both registrations and the rows that have nothing to do with them are under way at once, or this test hangs.
    let all = Arc::new(Barrier::new(3));
    let backend = Backend::start(move |seen| {
        let all = all.clone();
        async move {
            let foreign = seen.is("/api/project/register") && seen.json()["project_name"] != "my-project";
            if foreign || seen.is("/logs3") && seen.nth == 2 {
                all.wait().await;
            }
            None
        }
    })
    .await;
    let mut sink = sink_with(target(&backend.url), &[("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "1")]);
    deliver_well(&mut sink, batch([1])).await;
    deliver_well(&mut sink, rows_in([project("slow"), project("slower"), None])).await;
    assert_eq!(ids(&backend.requests_to("/logs3"))[..2], [vec![1], vec![3]]);
}

#[tokio::test]
async fn no_more_registrations_are_under_way_than_the_server_can_bear() {
    let backend = Backend::start(|seen| async move {
        if seen.is("/api/project/register") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    })
    .await;
    deliver_well(&mut sink(&backend), rows_in((0..40).map(|number| project(&format!("p{number}"))))).await;
    assert_eq!(registered(&backend).len(), 40);
    assert!(backend.most_at_once() <= 16, "{} at once", backend.most_at_once());
}

#[tokio::test]
async fn requests_are_filled_by_each_rows_own_closing() {
    let backend = Backend::start(|_| ready(None)).await;
    let long = "e".repeat(1000);
    // Rows of 1 000 and of 30 bytes and more: each is measured with its own closing or the cuts come out wrong.
    let closing = |id: &str| Container::Experiment(id.to_owned()).closing().len();
    let row = r#"{"id":1"#.len();
    let limit = crate::api::ENVELOPE + 2 * row + closing(&long) + closing("e") + 1;
    let variables = [("BRAINTRUST_MAX_REQUEST_SIZE", &*limit.to_string())];
    let containers = || [experiment("e"), experiment(&long), experiment(&long), experiment("e"), experiment("e")];

    deliver_well(&mut sink_with(target(&backend.url), &variables), rows_in(containers())).await;
    let requests = backend.requests_to("/logs3");
    let mut found = ids(&requests);
    found.sort();
    assert_eq!(found, [vec![1, 2], vec![3, 4], vec![5]]);
    assert!(requests.iter().all(|seen| seen.body.len() <= limit));

    let one_byte_less = [("BRAINTRUST_MAX_REQUEST_SIZE", &*(limit - 1).to_string())];
    deliver_well(&mut sink_with(target(&backend.url), &one_byte_less), rows_in(containers())).await;
    let mut found = ids(&backend.requests_to("/logs3")[3..]);
    found.sort();
    assert_eq!(found, [vec![1], vec![2], vec![3], vec![4, 5]]);
}

#[tokio::test]
async fn a_container_that_the_server_refuses_takes_no_others_rows_with_it() {
    let backend = Backend::start(|seen| {
        let refused = seen.is("/logs3") && seen.text().contains("of another organization");
        ready(if refused { answer(400, "no such experiment") } else { None })
    })
    .await;
    let mut sink = sink(&backend);
    deliver_well(&mut sink, batch([9])).await;
    let foreign = || experiment("of another organization");
    let delivery = deliver(&mut sink, rows_in([foreign(), None, experiment("e"), None, foreign()])).await;

    assert_eq!((delivery.delivered, delivery.lost), (3, Losses::of(LossReason::Rejected, 2)));
    let error = delivery.error.expect("a reason");
    assert!(error.contains("HTTP 400 Bad Request: no such experiment"), "{error}");
    let mut parts = ids(&backend.requests_to("/logs3")[2..]);
    parts.sort();
    let tried = [vec![1], vec![1, 5], vec![2, 4], vec![3], vec![5]];
    assert_eq!(parts, tried, "each container by itself after all in one, and what is refused row by row");
}

#[tokio::test]
async fn a_container_that_is_refused_puts_nothing_in_doubt_that_others_rely_on() {
    let backend = Backend::start(|seen| {
        let refused = seen.is("/logs3") && seen.text().contains("of another organization");
        ready(if refused { answer(403, "not yours") } else { None })
    })
    .await;
    let mut sink = sink(&backend);
    deliver_well(&mut sink, batch([9])).await;
    for _ in 0..2 {
        let delivery = deliver(&mut sink, rows_in([experiment("of another organization"), None])).await;
        assert_eq!((delivery.delivered, delivery.lost), (1, Losses::of(LossReason::Rejected, 1)));
    }
    for path in ["/api/apikey/login", "/api/project/register", "/version"] {
        assert_eq!(backend.requests_to(path).len(), 1, "{path}");
    }
}

/// Those of other objects fill the first requests, so that the own project is not asked for before they are on their way.
#[tokio::test]
async fn own_rows_that_are_read_back_behind_many_of_others_leave() {
    let (dir, is_away) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(AtomicBool::new(true)));
    let away = Arc::clone(&is_away);
    let backend = Backend::start(move |_| {
        let is_away = away.load(Ordering::Relaxed);
        ready(if is_away { answer(503, "not now") } else { None })
    })
    .await;
    let dir = dir.path().to_str().expect("text");
    let variables =
        [("BRAINTRUST_SPOOL_DIR", dir), ("BRAINTRUST_NUM_RETRIES", "0"), ("BRAINTRUST_MAX_REQUEST_SIZE", "4000")];
    let mut rows = RowBatch::default();
    for id in 1..=6 {
        let container = (id < 6).then(|| Container::Experiment("e".to_owned()).encode());
        let text = format!(r#"{{"id":{id},"input":"{}""#, "x".repeat(1000));
        rows.push_with(id, container.as_deref(), |out| out.extend_from_slice(text.as_bytes()));
    }
    let mut earlier = sink_with(target(&backend.url), &variables);
    earlier.accept(rows);
    earlier.settled().await;
    assert_eq!(earlier.stats().spooled, 6);
    drop(earlier);

    is_away.store(false, Ordering::Relaxed);
    let mut next = sink_with(target(&backend.url), &variables);
    let all_have_arrived = async {
        while all_ids(&backend) != [1, 2, 3, 4, 5, 6] {
            next.settled().await;
            next.local.run_until(tokio::task::yield_now()).await;
        }
    };
    within(all_have_arrived).await;
}
