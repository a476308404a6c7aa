//! Where the program runs (a CI service, a cloud platform), told from the variables such places set.

use serde::Serialize;

/// The `environment` of a row's `context.span_origin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Environment {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// How a platform gives itself away.
enum Sign {
    /// Any of these variables is set.
    AnySet(&'static [&'static str]),
    /// Any of these variables is set, or `AWS_EXECUTION_ENV` begins with the prefix.
    Aws(&'static [&'static str], &'static str),
}

const CI: &str = "ci";
const SERVER: &str = "server";

/// The platforms in the order in which they are looked for: a CI job may well run inside Kubernetes.
const PLATFORMS: &[(Sign, &str, &str)] = &[
    (Sign::AnySet(&["GITHUB_ACTIONS"]), CI, "github_actions"),
    (Sign::AnySet(&["GITLAB_CI"]), CI, "gitlab_ci"),
    (Sign::AnySet(&["CIRCLECI"]), CI, "circleci"),
    (Sign::AnySet(&["BUILDKITE"]), CI, "buildkite"),
    (Sign::AnySet(&["JENKINS_URL", "JENKINS_HOME"]), CI, "jenkins"),
    (Sign::AnySet(&["TF_BUILD"]), CI, "azure_pipelines"),
    (Sign::AnySet(&["TEAMCITY_VERSION"]), CI, "teamcity"),
    (Sign::AnySet(&["TRAVIS"]), CI, "travis"),
    (Sign::AnySet(&["BITBUCKET_BUILD_NUMBER"]), CI, "bitbucket"),
    (Sign::AnySet(&["CI"]), CI, "ci"),
    (Sign::AnySet(&["VERCEL"]), SERVER, "vercel"),
    (Sign::AnySet(&["NETLIFY"]), SERVER, "netlify"),
    (Sign::Aws(&["ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4"], "AWS_ECS_"), SERVER, "ecs"),
    (Sign::Aws(&["AWS_LAMBDA_FUNCTION_NAME"], "AWS_Lambda_"), SERVER, "aws_lambda"),
    (Sign::AnySet(&["K_SERVICE"]), SERVER, "cloud_run"),
    (Sign::AnySet(&["FUNCTION_TARGET"]), SERVER, "gcp_functions"),
    (Sign::AnySet(&["KUBERNETES_SERVICE_HOST"]), SERVER, "kubernetes"),
    (Sign::AnySet(&["DYNO"]), SERVER, "heroku"),
    (Sign::AnySet(&["FLY_APP_NAME"]), SERVER, "fly"),
    (Sign::AnySet(&["RAILWAY_ENVIRONMENT"]), SERVER, "railway"),
    (Sign::AnySet(&["RENDER_SERVICE_NAME"]), SERVER, "render"),
];

impl Environment {
    /// What somebody says, if they say anything.
    pub(crate) fn of(kind: Option<String>, name: Option<String>) -> Option<Self> {
        (kind.is_some() || name.is_some()).then_some(Self { kind, name })
    }

    /// What the user says with `BRAINTRUST_ENVIRONMENT_TYPE` and `_NAME`, else the first platform recognised.
    ///
    /// `lookup` gives a variable's value, and nothing for a blank one.
    pub(super) fn detect(lookup: &impl Fn(&str) -> Option<String>) -> Option<Self> {
        let kind = lookup("BRAINTRUST_ENVIRONMENT_TYPE");
        let name = lookup("BRAINTRUST_ENVIRONMENT_NAME");
        if let Some(said) = Self::of(kind, name) {
            return Some(said);
        }
        let (_, kind, name) = PLATFORMS.iter().find(|(sign, ..)| sign.shows(lookup))?;
        Some(Self { kind: Some((*kind).to_owned()), name: Some((*name).to_owned()) })
    }
}

impl Sign {
    fn shows(&self, lookup: &impl Fn(&str) -> Option<String>) -> bool {
        let any_set = |variables: &[&str]| variables.iter().any(|variable| lookup(variable).is_some());
        match self {
            Self::AnySet(variables) => any_set(variables),
            Self::Aws(variables, prefix) => {
                any_set(variables) || lookup("AWS_EXECUTION_ENV").is_some_and(|value| value.starts_with(prefix))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let environment = Environment::detect(&lookup)?;
        Some(serde_json::to_string(&environment).expect("two strings"))
    }

    #[test]
    fn nothing_is_detected_on_a_plain_machine() {
        assert_eq!(detect(&[("HOME", "/root"), ("AWS_EXECUTION_ENV", "CloudShell")]), None);
    }

    #[test]
    fn the_users_word_wins_and_may_be_half_said() {
        let variables = [("BRAINTRUST_ENVIRONMENT_NAME", "canary"), ("GITHUB_ACTIONS", "true")];
        assert_eq!(detect(&variables).as_deref(), Some(r#"{"name":"canary"}"#));
        let variables = [("BRAINTRUST_ENVIRONMENT_TYPE", "local"), ("BRAINTRUST_ENVIRONMENT_NAME", "dev")];
        assert_eq!(detect(&variables).as_deref(), Some(r#"{"type":"local","name":"dev"}"#));
    }

    #[test]
    fn a_named_ci_service_goes_before_ci_and_ci_before_the_platform() {
        let all = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("CI", "true"), ("GITLAB_CI", "true")];
        assert_eq!(detect(&all).as_deref(), Some(r#"{"type":"ci","name":"gitlab_ci"}"#));
        assert_eq!(detect(&all[..2]).as_deref(), Some(r#"{"type":"ci","name":"ci"}"#));
        assert_eq!(detect(&all[..1]).as_deref(), Some(r#"{"type":"server","name":"kubernetes"}"#));
    }

    #[test]
    fn aws_is_told_by_a_variable_or_by_the_execution_environment() {
        let ecs = Some(r#"{"type":"server","name":"ecs"}"#);
        assert_eq!(detect(&[("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")]).as_deref(), ecs);
        assert_eq!(detect(&[("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4")]).as_deref(), ecs);
        let lambda = Some(r#"{"type":"server","name":"aws_lambda"}"#);
        assert_eq!(detect(&[("AWS_EXECUTION_ENV", "AWS_Lambda_rust")]).as_deref(), lambda);
        assert_eq!(detect(&[("AWS_LAMBDA_FUNCTION_NAME", "answer")]).as_deref(), lambda);
    }
}
