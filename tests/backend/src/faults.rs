//! The faults that can be switched on, and the plan that the server follows at the moment.

use std::collections::BTreeMap;
use std::time::Duration;

/// One way for a backend to fail.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nobody listens at the port, which stays reserved; connections that were open are reset.
    Down,
    /// Connections are reset once a part of a request has been read.
    ResetMidBody,
    /// Answers come a byte at a time, with this pause between.
    Drip(Duration),
    /// Rows that are too large for a request are uploaded by a form, which is no fault, but another way.
    Forms,
    /// Requests to an endpoint are received whole, and then something is wrong with the answer.
    At(Endpoint, Trouble),
}

/// The endpoints that can be troubled apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// All of them.
    Any,
    /// The login.
    Login,
    /// The registration of projects.
    Register,
    /// What the data plane tells of itself.
    Version,
    /// Rows, whichever way they come.
    Rows,
    /// Attachments and rows that are too large for a request.
    Upload,
}

/// What is wrong with an answer. No row arrives with a request in trouble, save for [`Slow`](Self::Slow) ones.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// It does not come, until the fault is over.
    Hang,
    /// It comes after this time, and is right.
    Slow(Duration),
    /// It has this status.
    Status(u16),
    /// It is 429, with this many seconds in `Retry-After`.
    Busy(u32),
    /// It is 413 if the body has more bytes than this.
    TooLarge(usize),
    /// It is 200, and a web page.
    Html,
    /// It is 200, and JSON that breaks off, with the connection.
    Truncated,
    /// It is 200, and this.
    Says(&'static str),
}

/// The faults that are on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) is_down: bool,
    pub(crate) resets: bool,
    pub(crate) drip: Option<Duration>,
    pub(crate) takes_forms: bool,
    troubles: BTreeMap<Endpoint, Trouble>,
}

impl Plan {
    pub(crate) fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Down => self.is_down = true,
            Fault::ResetMidBody => self.resets = true,
            Fault::Drip(pause) => self.drip = Some(pause),
            Fault::Forms => self.takes_forms = true,
            Fault::At(endpoint, trouble) => {
                self.troubles.insert(endpoint, trouble);
            }
        }
    }

    /// What is wrong with answers of `endpoint`.
    pub(crate) fn trouble(&self, endpoint: Endpoint) -> Option<&Trouble> {
        self.troubles.get(&endpoint).or_else(|| self.troubles.get(&Endpoint::Any))
    }

    pub(crate) fn hangs(&self, endpoint: Endpoint) -> bool {
        matches!(self.trouble(endpoint), Some(Trouble::Hang))
    }
}
