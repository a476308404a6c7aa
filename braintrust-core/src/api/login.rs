//! Login: which organization a key belongs to, and where that organization's data plane is.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;

use super::address::{check_api_url, check_app_url};
use super::client::{Api, Call};
use super::failure::Failure;

/// What a login gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) org_id: String,
    pub(crate) org_name: String,
    /// The data plane.
    pub(crate) api_url: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    org_info: Vec<Organization>,
}

#[derive(Deserialize)]
struct Organization {
    id: String,
    name: String,
    #[serde(default)]
    api_url: Option<String>,
}

impl Api {
    /// Logs in to the organization called `org_name`, or to the key's first one; `api_url` goes before the URL that the
    /// organization names.
    pub(crate) async fn login(
        &self,
        app_url: &str,
        org_name: Option<&str>,
        api_url: Option<&str>,
    ) -> Result<Session, Failure> {
        // All requests go to one of these two, or to where this login says, and none comes before it.
        check_app_url(app_url)?;
        api_url.map_or(Ok(()), check_api_url)?;
        let path = "/api/apikey/login";
        let body = Some(Bytes::new());
        let call = Call { method: Method::POST, base: app_url, path, body, limit: None };
        let answer: Answer = self.fetch(call).await?;
        choose(answer.org_info, org_name, api_url)
            .map_err(|reason| Failure::permanent(format!("login at {app_url}: {reason}")))
    }
}

fn choose(organizations: Vec<Organization>, org_name: Option<&str>, api_url: Option<&str>) -> Result<Session, String> {
    if organizations.is_empty() {
        return Err("This user is not part of any organizations.".to_owned());
    }
    let names: Vec<_> = organizations.iter().map(|organization| organization.name.clone()).collect();
    let mut organizations = organizations.into_iter();
    let chosen = match org_name {
        None => organizations.next(),
        Some(name) => organizations.find(|organization| organization.name == name),
    };
    let Some(chosen) = chosen else {
        return Err(format!(
            "Organization {} not found. Must be one of {}",
            org_name.unwrap_or_default(),
            names.join(", ")
        ));
    };
    let own_url = chosen.api_url.filter(|url| !url.trim().is_empty());
    match (api_url.map(str::to_owned).or(own_url), org_name) {
        (Some(api_url), _) => Ok(Session { org_id: chosen.id, org_name: chosen.name, api_url }),
        (None, Some(name)) => Err(format!(
            "Unable to log into organization '{name}'. Are you sure this credential is scoped to the organization?"
        )),
        (None, None) => Err("Unable to log into any organization with the provided credential.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organizations(json: &str) -> Vec<Organization> {
        serde_json::from_str::<Answer>(json).expect("a login's answer").org_info
    }

    const TWO: &str = r#"{"org_info": [
        {"id": "1", "name": "a", "api_url": "https://a.test", "proxy_url": "https://p.test", "git_metadata": null},
        {"id": "2", "name": "b", "api_url": "https://b.test"}
    ]}"#;

    #[test]
    fn the_first_organization_is_chosen_unless_one_is_named() {
        let session = |texts: [&str; 3]| {
            let [org_id, org_name, api_url] = texts.map(str::to_owned);
            Ok(Session { org_id, org_name, api_url })
        };
        assert_eq!(choose(organizations(TWO), None, None), session(["1", "a", "https://a.test"]));
        assert_eq!(choose(organizations(TWO), Some("b"), None), session(["2", "b", "https://b.test"]));
        assert_eq!(choose(organizations(TWO), Some("b"), Some("https://own")), session(["2", "b", "https://own"]));
    }

    #[test]
    fn refusals_read_as_in_the_other_sdks() {
        let refusal = |json, name| choose(organizations(json), name, None).expect_err("a refusal");
        assert_eq!(refusal(TWO, Some("B")), "Organization B not found. Must be one of a, b");
        assert_eq!(refusal("{}", Some("a")), "This user is not part of any organizations.");
        let homeless = r#"{"org_info": [{"id": "1", "name": "a", "api_url": null}]}"#;
        assert_eq!(refusal(homeless, None), "Unable to log into any organization with the provided credential.");
        assert_eq!(
            refusal(homeless, Some("a")),
            "Unable to log into organization 'a'. Are you sure this credential is scoped to the organization?"
        );
    }

    #[test]
    fn an_own_url_makes_up_for_an_organization_without_one() {
        let homeless = r#"{"org_info": [{"id": "1", "name": "a", "api_url": " "}]}"#;
        let session = choose(organizations(homeless), None, Some("https://own")).expect("a session");
        assert_eq!(session.api_url, "https://own");
    }
}
