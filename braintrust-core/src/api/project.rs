//! Project registration: from a name to an id. A project that does not exist yet is made.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::client::{Api, Call};
use super::failure::Failure;

#[derive(Serialize)]
struct Registration<'a> {
    project_name: &'a str,
    org_id: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

impl Api {
    /// The id of the project called `name`.
    pub(crate) async fn register_project(&self, app_url: &str, name: &str, org_id: &str) -> Result<String, Failure> {
        let registration = Registration { project_name: name, org_id };
        let body = serde_json::to_vec(&registration)
            .map_err(|error| Failure::permanent(format!("registration of project {name:?}: {error}")))?;
        let path = "/api/project/register";
        let call = Call { method: Method::POST, base: app_url, path, body: Some(body.into()), limit: None };
        let answer: Answer = self.fetch(call).await?;
        Ok(answer.project.id)
    }
}
