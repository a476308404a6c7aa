//! The object that holds a span's rows: a project's logs, an experiment, or a playground's session.

use serde::{Deserialize, Serialize};

/// Which object holds a row, where it is not the project of its logger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Container {
    /// The logs of a project.
    Project(ProjectRef),
    /// An experiment, by id.
    Experiment(String),
    /// A playground's session, by id.
    Playground(String),
}

/// What is known of a project.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProjectRef {
    /// Its name; it is registered, and made if need be, before the first row is sent.
    Name(String),
    /// Its id, which is trusted as it is, and perhaps its name as well.
    Id { id: String, name: Option<String> },
}

impl ProjectRef {
    /// What to call the project before people: its name if that is known.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Name(name) | Self::Id { name: Some(name), .. } => name,
            Self::Id { id, name: None } => id,
        }
    }
}

impl Container {
    /// The container as a record carries it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The last fields of a row in this container, and its brace; a project known only by name is named.
    pub(crate) fn closing(&self) -> Vec<u8> {
        let (field, value, log_id) = match self {
            Self::Project(ProjectRef::Id { id, .. }) => ("project_id", id, Some("g")),
            Self::Project(ProjectRef::Name(name)) => ("project_name", name, Some("g")),
            Self::Experiment(id) => ("experiment_id", id, None),
            Self::Playground(id) => ("prompt_session_id", id, Some("x")),
        };
        let value = serde_json::Value::from(value.as_str());
        let log_id = log_id.map_or_else(String::new, |log_id| format!(r#","log_id":"{log_id}""#));
        format!(r#","{field}":{value}{log_id}}}"#).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_container_closes_rows_with_its_own_fields() {
        let closing = |container: Container| String::from_utf8(container.closing()).unwrap();
        let id = ProjectRef::Id { id: "p \"1\"".to_owned(), name: None };
        assert_eq!(closing(Container::Project(id)), r#","project_id":"p \"1\"","log_id":"g"}"#);
        let name = Container::Project(ProjectRef::Name("n".to_owned()));
        assert_eq!(closing(name.clone()), r#","project_name":"n","log_id":"g"}"#);
        assert_eq!(closing(Container::Experiment("e".to_owned())), r#","experiment_id":"e"}"#);
        assert_eq!(closing(Container::Playground("s".to_owned())), r#","prompt_session_id":"s","log_id":"x"}"#);
        assert_eq!(Container::decode(&name.encode()), Some(name));
    }
}
