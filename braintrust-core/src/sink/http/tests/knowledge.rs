//! What a sink publishes, forgets, refuses to ask, and shares with other sinks.

use std::collections::BTreeSet;

use super::*;

fn published(resolution: &Resolution) -> (Option<String>, Option<String>) {
    (resolution.org_name(), resolution.project_id())
}

#[tokio::test]
async fn the_organization_and_the_project_are_published_when_they_are_known() {
    let backend = Backend::start(|seen| {
        ready(if seen.is("/api/apikey/login") && seen.nth == 1 { answer(401, "no such key") } else { None })
    })
    .await;
    let resolution = Arc::new(Resolution::default());
    let mut sink = sink_that_tells(target(&backend.url), settings(&[]), &resolution);
    deliver_in_vain(&mut sink, batch([1])).await;
    assert_eq!(published(&resolution), (None, None));
    deliver_well(&mut sink, batch([2])).await;
    assert_eq!(published(&resolution), (Some("test-org".to_owned()), Some(PROJECT_ID.to_owned())));
}

#[tokio::test]
async fn only_the_own_project_is_published() {
    let backend = Backend::start(|_| ready(None)).await;
    let resolution = Arc::new(Resolution::default());
    let mut sink = sink_that_tells(target(&backend.url), settings(&[]), &resolution);
    let mut rows = RowBatch::default();
    let other = Container::Project(ProjectRef::Name("other".to_owned()));
    rows.push_with(0, Some(&other.encode()), |text| text.extend_from_slice(br#"{"id":1"#));
    deliver_well(&mut sink, rows).await;
    assert_eq!(published(&resolution), (Some("test-org".to_owned()), None));
}

#[tokio::test]
async fn a_refusal_of_key_or_object_has_the_sink_ask_anew() {
    for status in [401, 403, 404] {
        let backend = Backend::start(move |seen| {
            ready(if seen.is("/logs3") && seen.nth == 2 { answer(status, "gone") } else { None })
        })
        .await;
        let mut sink = sink(&backend);
        deliver_well(&mut sink, batch([1])).await;
        deliver_in_vain(&mut sink, batch([2])).await;
        deliver_well(&mut sink, batch([3])).await;
        deliver_well(&mut sink, batch([4])).await;
        for path in ["/api/apikey/login", "/api/project/register", "/version"] {
            assert_eq!(backend.requests_to(path).len(), 2, "{path} after {status}");
        }
    }
}

#[tokio::test]
async fn a_project_made_anew_gets_the_rows_after_the_refusal() {
    let backend = Backend::start(|seen| {
        let moved = seen.is("/api/project/register") && seen.nth == 2;
        let stale = seen.is("/logs3") && seen.nth > 1 && seen.text().contains(PROJECT_ID);
        ready(match (moved, stale) {
            (true, _) => answer(200, r#"{"project": {"id": "made anew"}}"#),
            (_, true) => answer(404, "no such project"),
            _ => None,
        })
    })
    .await;
    let mut sink = sink(&backend);
    deliver_well(&mut sink, batch([1])).await;
    deliver_in_vain(&mut sink, batch([2])).await;
    deliver_well(&mut sink, batch([3])).await;
    let requests = backend.requests_to("/logs3");
    assert_eq!(requests.last().expect("requests").json()["rows"][0]["project_id"], "made anew");
}

#[tokio::test]
async fn another_refusal_leaves_what_is_known() {
    let backend =
        Backend::start(|seen| ready(if seen.is("/logs3") && seen.nth == 1 { answer(400, "bad row") } else { None }))
            .await;
    let mut sink = sink(&backend);
    deliver_in_vain(&mut sink, batch([1])).await;
    deliver_well(&mut sink, batch([2])).await;
    assert_eq!(backend.requests_to("/api/apikey/login").len(), 1);
}

#[tokio::test]
async fn a_malformed_address_is_told_and_nothing_is_sent() {
    let backend = Backend::start(|_| ready(None)).await;
    let place = backend.url.trim_start_matches("http://");
    let malformed_app = Target { app_url: place.to_owned(), ..target(&backend.url) };
    let malformed_api = Target { api_url: Some(place.to_owned()), ..target(&backend.url) };
    for (target, setting) in [
        (malformed_app, "BRAINTRUST_APP_URL (or the app_url given in code)"),
        (malformed_api, "BRAINTRUST_API_URL (or the api_url given in code)"),
    ] {
        let error = deliver_in_vain(&mut sink_with(target, &[]), batch([1])).await;
        let expected = format!(
            "{setting} is {place:?}, expected a URL such as https://example.com, without a user name or password; set it to the address of a \
             Braintrust deployment, or remove it"
        );
        assert_eq!(error, expected);
    }
    assert_eq!(backend.requests().len(), 0);
}

#[tokio::test]
async fn a_malformed_variable_sends_no_key_to_the_default_host() {
    let variables = |name: &str| match name {
        "BRAINTRUST_APP_URL" => Some("braintrust.acme.test".to_owned()),
        "BRAINTRUST_SPOOL_DIR" => Some("off".to_owned()),
        _ => None,
    };
    let settings = Arc::new(Settings::from_lookup(variables));
    let target = target(&settings.app_url);
    let mut sink = sink_that_tells(target, settings, &Arc::default());
    let error = deliver_in_vain(&mut sink, batch([1])).await;
    assert!(
        error.starts_with(r#"BRAINTRUST_APP_URL (or the app_url given in code) is "braintrust.acme.test""#),
        "{error}"
    );
}

#[tokio::test]
async fn sinks_with_the_same_settings_share_connections() {
    let backend = Backend::start(|_| ready(None)).await;
    let connections = async |timeout: &'static str| {
        let before = backend.requests().len();
        deliver_well(&mut sink_with(target(&backend.url), &[("BRAINTRUST_HTTP_TIMEOUT", timeout)]), batch([1])).await;
        backend.requests()[before..].iter().map(|seen| seen.from).collect::<BTreeSet<_>>()
    };
    let mut known = connections("30").await;
    // A connection is free again only once both its ends have seen the answer's end, which may come too late for the
    // next sink. Sinks that shared none would never find one.
    let shared = async {
        loop {
            let next = connections("30").await;
            if next.is_subset(&known) {
                break;
            }
            known.extend(next);
        }
    };
    within(shared).await;
    let other = connections("31").await;
    assert!(other.is_disjoint(&known), "{other:?} after {known:?}");
}
