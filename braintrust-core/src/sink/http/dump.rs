//! Copies of requests in files, for whoever wants to see what is sent, or what was refused.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Settings;
use crate::{diagnostics, owner_only};

/// Keeps a copy of a request that is about to be sent, if that is asked for.
pub(super) fn sending(settings: &Settings, body: &[u8]) {
    dump(settings.all_payloads_dir.as_deref(), body);
}

/// Keeps a copy of a request whose rows are refused for good, if that is asked for.
pub(super) fn refused(settings: &Settings, body: &[u8]) {
    dump(settings.failed_payloads_dir.as_deref(), body);
}

fn dump(folder: Option<&Path>, body: &[u8]) {
    let Some(folder) = folder else { return };
    if let Err(error) = write(folder, body) {
        diagnostics::warn_once(&format!("payloads {}", folder.display()), || {
            format!("copies of requests cannot be written to {}: {error}", folder.display())
        });
    }
}

fn write(folder: &Path, body: &[u8]) -> io::Result<()> {
    owner_only::make_folder(folder)?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = format!("payload_{seconds}_{:08x}.json", fastrand::u32(..));
    owner_only::writable_file().create_new(true).open(folder.join(name))?.write_all(body)
}
