//! What is found out about one logger's place in Braintrust, for those who make links and slugs on other threads.

use std::sync::{PoisonError, RwLock};

/// Answers, each there from the first time that it is known; the latest one counts. A logger without a backend has none.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    /// The organization that the login chose.
    org_name: RwLock<Option<String>>,
    /// What the logger's own project was registered as.
    project_id: RwLock<Option<String>>,
}

impl Resolution {
    /// The organization that the login chose.
    pub(crate) fn org_name(&self) -> Option<String> {
        read(&self.org_name)
    }

    pub(crate) fn set_org_name(&self, name: &str) {
        write(&self.org_name, name);
    }

    /// What the logger's own project was registered as.
    pub(crate) fn project_id(&self) -> Option<String> {
        read(&self.project_id)
    }

    pub(crate) fn set_project_id(&self, id: &str) {
        write(&self.project_id, id);
    }
}

fn read(answer: &RwLock<Option<String>>) -> Option<String> {
    answer.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn write(answer: &RwLock<Option<String>>, text: &str) {
    *answer.write().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
}
