//! Settings as programs are given them.

use std::path::PathBuf;

use braintrust::Logger;

use crate::{Case, one_call};

pub(crate) const CASES: &[Case] = &[
    Case::new("settings: a malformed value is a warning", one_call, |outcome| {
        let warning = "braintrust: warning: BRAINTRUST_DEFAULT_BATCH_SIZE is \"many\", expected a whole number above 0; \
                       using the default: 100";
        assert_eq!(outcome.stderr.matches(warning).count(), 1, "{}", outcome.stderr);
        outcome.assert_spans(&["leaf"]);
    })
    .with(&[("BRAINTRUST_DEFAULT_BATCH_SIZE", "many")]),
    Case::new("settings: the nearest .env.braintrust", from_a_file, |outcome| outcome.assert_spans(&[])),
];

fn from_a_file(_: &Logger) {
    let folder = folder();
    std::fs::write(
        folder.join(".env.braintrust"),
        "# whose\nexport BRAINTRUST_PROJECT='from a file'\nBRAINTRUST_SYNC_FLUSH=1\nBRAINTRUST_ORG_NAME=far\n",
    )
    .unwrap();
    std::env::set_current_dir(folder.join("below")).unwrap();
    let of_file = Logger::builder().local_folder("rows").build().unwrap();
    assert_eq!(of_file.project(), "from a file");
    assert_eq!(of_file.local_folder().unwrap(), folder.join("below/rows"));
    let given = Logger::builder().project("given").local_folder("rows").build().unwrap();
    assert_eq!(given.project(), "given");
    assert!(std::env::var("BRAINTRUST_PROJECT").is_err(), "the file is not put into the environment");
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("braintrust-settings-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("below")).unwrap();
    folder.canonicalize().unwrap()
}
