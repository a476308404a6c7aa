//! Attachments whose program is gone before they could be uploaded: the next one uploads them.

use std::time::Instant;

use braintrust_test_backend::{Backend, Endpoint, Fault, Trouble};
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::program::Program;
use crate::scene::{LIMIT, RECOVERY, TENANT};
use crate::trial;

const DATA: &str = "what a picture says";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("attachments: the program ends while the backend is away", ends_while_away),
        trial("attachments: the program is killed in durable mode", killed_in_durable_mode),
    ]
}

struct Case {
    backend: Backend,
    folder: TempDir,
}

impl Case {
    fn new(fault: Fault) -> Self {
        let backend = Backend::start();
        backend.fail(fault);
        Self { backend, folder: tempfile::tempdir().unwrap() }
    }

    fn start(&self, durable: &str) -> Program {
        let spool = self.folder.path().to_str().unwrap();
        Program::start(&self.backend, &[("BRAINTRUST_SPOOL_DIR", spool), ("BRAINTRUST_DURABLE", durable)])
    }

    fn requests(&self, path: &str) -> Vec<Vec<u8>> {
        let requests = self.backend.requests().into_iter();
        requests.filter(|request| request.path.starts_with(path)).map(|request| request.body.to_vec()).collect()
    }

    /// The next program uploads the data, once, says so, and leaves nothing behind.
    fn recover(&self) {
        self.backend.heal();
        let before = self.requests("/upload/").len();
        let mut next = self.start("false");
        next.calls(TENANT, 0, 1);
        let deadline = Instant::now() + RECOVERY;
        while self.requests("/attachment/status").is_empty() {
            next.flush(LIMIT);
            assert!(Instant::now() < deadline, "the attachment is not uploaded");
        }
        let complaints = next.end();
        assert_eq!(complaints, "");
        assert_eq!(self.requests("/upload/")[before..], [DATA.as_bytes()]);
        let status: String =
            self.requests("/attachment/status").iter().map(|body| String::from_utf8_lossy(body)).collect();
        assert!(status.contains(r#""upload_status":"done""#), "{status}");

        let mut third = self.start("false");
        third.calls(TENANT, 1, 1);
        third.flush(RECOVERY);
        third.end();
        assert_eq!(self.requests("/upload/").len(), before + 1, "what was uploaded is gone from the disk");
    }
}

fn ends_while_away() {
    let case = Case::new(Fault::Down);
    let mut program = case.start("false");
    program.attach(TENANT, DATA);
    let complaints = program.end();
    assert!(!complaints.contains("lost") && !complaints.contains("queued"), "{complaints}");
    case.recover();
}

fn killed_in_durable_mode() {
    let case = Case::new(Fault::At(Endpoint::Upload, Trouble::Hang));
    let mut program = case.start("true");
    program.attach(TENANT, DATA);
    assert!(case.backend.wait_until(RECOVERY, || !case.requests("/logs3").is_empty()), "the row does not come");
    program.kill();
    case.recover();
}
