//! Where spools are, and whose is which.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

/// Where spools are, and how much each holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpoolPlace {
    pub(crate) dir: PathBuf,
    pub(crate) max_bytes: u64,
}

/// Whose rows they are.
#[derive(Clone, Copy)]
pub(crate) struct Tenant<'a> {
    pub(crate) app_url: &'a str,
    pub(crate) api_url: Option<&'a str>,
    pub(crate) org_name: Option<&'a str>,
    pub(crate) key: &'a str,
}

impl SpoolPlace {
    /// The folder of a tenant's rows. Its name is made of a hash, which tells nothing of the key.
    pub(super) fn folder_of(&self, tenant: &Tenant<'_>) -> PathBuf {
        self.dir.join(tenant.fingerprint())
    }
}

impl Tenant<'_> {
    fn fingerprint(&self) -> String {
        let Tenant { app_url, api_url, org_name, key } = *self;
        let mut hash = Context::new(&SHA256);
        for part in [app_url, api_url.unwrap_or_default(), org_name.unwrap_or_default(), key] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finish().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The folder for programs that name none: where the platform wants the state of a user's programs. `variable` looks up
/// the environment.
pub(crate) fn default_dir(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        set("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        set("HOME")?.join("Library/Application Support")
    } else {
        set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(Path::new(".local/state"))))?
    };
    Some(state.join("braintrust").join("spool"))
}
