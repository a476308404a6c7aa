//! Resident memory of this process, as Linux tells it. Zeros elsewhere.

use std::fs;

/// What is resident now, in bytes.
pub fn resident() -> u64 {
    field("VmRSS:")
}

/// The most that has been resident since [`reset_peak`], in bytes.
pub fn peak() -> u64 {
    field("VmHWM:")
}

/// Forgets the peak so far.
pub fn reset_peak() {
    // Where it is not permitted, the peak is that of the whole run: too high, never too low.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn field(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
