//! What is found out about one logger's place in Braintrust, for those who make links and slugs on other threads.

use std::sync::OnceLock;

/// Answers, each there from the first time that it is known; the latest one counts. A logger without a backend has none.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    /// The organization that the login chose.
    org_name: Answer,
    /// What the logger's own project was registered as.
    project_id: Answer,
}

/// A text, and those that it was before. Reading takes no lock, which a thread might hold while another forks; and there
/// are few, since only another answer than the last adds one.
#[derive(Debug, Default)]
struct Answer(OnceLock<Box<Given>>);

#[derive(Debug)]
struct Given {
    text: String,
    next: Answer,
}

impl Resolution {
    /// The organization that the login chose.
    pub(crate) fn org_name(&self) -> Option<String> {
        self.org_name.latest().map(str::to_owned)
    }

    pub(crate) fn set_org_name(&self, name: &str) {
        self.org_name.give(name);
    }

    /// What the logger's own project was registered as.
    pub(crate) fn project_id(&self) -> Option<String> {
        self.project_id.latest().map(str::to_owned)
    }

    pub(crate) fn set_project_id(&self, id: &str) {
        self.project_id.give(id);
    }
}

impl Answer {
    fn given(&self) -> impl Iterator<Item = &Given> {
        std::iter::successors(self.0.get(), |given| given.next.0.get()).map(|given| &**given)
    }

    fn latest(&self) -> Option<&str> {
        self.given().last().map(|given| given.text.as_str())
    }

    /// For the exporter's thread alone.
    fn give(&self, text: &str) {
        let latest = self.given().last();
        if latest.is_none_or(|latest| latest.text != text) {
            let end = latest.map_or(self, |latest| &latest.next);
            let _ = end.0.set(Box::new(Given { text: text.to_owned(), next: Self::default() }));
        }
    }
}
