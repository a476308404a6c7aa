//! What links are made of, and what is asked for them.

use std::future::ready;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse as _;

use super::backend::{Backend, ORG_ID, PROJECT_ID, Seen};
use crate::api::{Api, Failure, LinkParts, http_client, resolve_link};
use crate::config::{Settings, Target};
use crate::container::{Container, ProjectRef};
use crate::secret::ApiKey;

fn target(app_url: &str, org_name: Option<&str>) -> Target {
    Target {
        api_key: ApiKey::new("sk-secret-0123456789").expect("not blank"),
        app_url: app_url.to_owned(),
        api_url: None,
        org_name: org_name.map(str::to_owned),
        project: named("own"),
    }
}

fn named(name: &str) -> ProjectRef {
    ProjectRef::Name(name.to_owned())
}

async fn resolve(target: &Target, container: &Container) -> Result<LinkParts, Failure> {
    let settings = Settings::from_lookup(|_| None);
    let api = Api::new(http_client(&settings).expect("TLS is set up"), target.api_key.clone());
    resolve_link(&api, target, &settings, container).await
}

fn parts(app_public_url: &str, org_name: &str, object_type: &'static str, object_id: &str) -> LinkParts {
    let [app_public_url, org_name, object_id] = [app_public_url, org_name, object_id].map(str::to_owned);
    LinkParts { app_public_url, org_name, object_type, object_id }
}

fn paths(backend: &Backend) -> Vec<String> {
    backend.requests().into_iter().map(|seen| seen.path).collect()
}

fn is_login(seen: &Seen) -> bool {
    seen.is("/api/apikey/login")
}

#[tokio::test]
async fn a_project_known_by_name_is_registered() {
    let backend = Backend::start(|_| ready(None)).await;
    let found = resolve(&target(&backend.url, None), &Container::Project(named("my-project"))).await;
    assert_eq!(found.expect("a link"), parts(&backend.url, "test-org", "project_logs", PROJECT_ID));
    assert_eq!(paths(&backend), ["/api/apikey/login", "/api/project/register"]);
    assert_eq!(backend.requests()[1].json()["org_id"], ORG_ID);
}

#[tokio::test]
async fn an_object_known_by_id_needs_a_login_for_the_organization_only() {
    let backend = Backend::start(|_| ready(None)).await;
    let id = |id: &str| id.to_owned();
    let project = Container::Project(ProjectRef::Id { id: id("p"), name: None });
    for (container, object_type, object_id) in [
        (project, "project_logs", "p"),
        (Container::Experiment(id("e")), "experiment", "e"),
        (Container::Playground(id("s")), "playground_logs", "s"),
    ] {
        let found = resolve(&target(&backend.url, None), &container).await.expect("a link");
        assert_eq!(found, parts(&backend.url, "test-org", object_type, object_id));
        let requests = backend.requests().len();
        let found = resolve(&target(&backend.url, Some("acme")), &container).await.expect("a link");
        assert_eq!(found, parts(&backend.url, "acme", object_type, object_id));
        assert_eq!(backend.requests().len(), requests, "nothing was left to ask");
    }
    assert_eq!(paths(&backend), ["/api/apikey/login"; 3]);
}

#[tokio::test]
async fn links_are_to_the_public_address() {
    let variables = |name: &str| (name == "BRAINTRUST_APP_PUBLIC_URL").then(|| "https://traces.test/".to_owned());
    let settings = Settings::from_lookup(variables);
    let target = target("http://localhost:9", Some("acme"));
    let api = Api::new(http_client(&settings).expect("TLS is set up"), target.api_key.clone());
    let found = resolve_link(&api, &target, &settings, &Container::Experiment("e".to_owned())).await;
    assert_eq!(found.expect("a link"), parts("https://traces.test", "acme", "experiment", "e"));
}

#[tokio::test]
async fn a_call_is_made_three_times_at_most() {
    for (failures, succeeds) in [(2, true), (usize::MAX, false)] {
        let backend = Backend::start(move |seen| {
            let fails = is_login(&seen) && seen.nth <= failures;
            ready(fails.then(|| StatusCode::SERVICE_UNAVAILABLE.into_response()))
        })
        .await;
        let found = resolve(&target(&backend.url, None), &Container::Experiment("e".to_owned())).await;
        assert_eq!(found.is_ok(), succeeds);
        assert_eq!(backend.requests().len(), 3);
    }
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_wants_a_minute() {
    let backend = Backend::start(|_| {
        ready(Some((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "60")], "slow down").into_response()))
    })
    .await;
    let failure = resolve(&target(&backend.url, None), &Container::Experiment("e".to_owned())).await;
    assert!(failure.expect_err("a refusal").text.ends_with("HTTP 429 Too Many Requests: slow down"));
    assert_eq!(backend.requests().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let backend = Backend::start(|seen| {
        let refused = seen.is("/api/project/register");
        ready(refused.then(|| (StatusCode::FORBIDDEN, "not yours").into_response()))
    })
    .await;
    let failure = resolve(&target(&backend.url, None), &Container::Project(named("secret"))).await;
    let text = failure.expect_err("a refusal").text;
    assert!(text.contains("/api/project/register: HTTP 403 Forbidden: not yours"), "{text}");
    assert_eq!(backend.requests().len(), 2);
}

#[tokio::test]
async fn there_is_no_link_to_a_malformed_address() {
    let failure = resolve(&target("acme.test", Some("acme")), &Container::Experiment("e".to_owned())).await;
    let text = failure.expect_err("a refusal").text;
    assert!(text.starts_with(r#"BRAINTRUST_APP_URL (or the app_url given in code) is "acme.test""#), "{text}");
}
