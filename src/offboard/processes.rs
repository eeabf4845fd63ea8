//! Ending everything that runs in the user's name, until the kernel knows of nothing more.

use super::record::{Kept, Record};
use crate::sys::process::signal_all::{self, Theirs};
use crate::sys::process::tool;
use crate::sys::{Dir, clock};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long ending them may take. One that waits for a disk cannot be ended before that answers.
const PATIENCE: Duration = Duration::from_secs(30);
const SLICES: &str = "/sys/fs/cgroup/user.slice";
/// No more names are told.
const MOST_NAMES: usize = 10;

/// Whose processes a record is about.
pub(super) fn theirs(record: &Record) -> Theirs {
    let ranges = record.subuids.iter().map(|(first, last)| *first..=*last).collect();
    Theirs { uid: record.uid, ranges }
}

/// Whether ending them would end us.
pub(super) fn would_end_us(theirs: &Theirs) -> bool {
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let slice = format!("/user.slice/user-{}.slice/", theirs.uid);
    cgroup.contains(&slice) || signal_all::we_descend_from(theirs)
}

/// Kills what runs now, so that a flood of processes does not hold up what follows. What comes back
/// before the login is locked and the units are masked is ended later.
pub(super) fn thin(kept: &Kept) -> Result<Vec<String>, String> {
    let theirs = theirs(&kept.record);
    let number = seen(&theirs)?.len();
    signal_all::kill_all(&theirs).map_err(|error| error.to_string())?;
    Ok(vec![format!("processes: {number} killed at once")])
}

/// Ends sessions, then every process.
pub(super) fn end(kept: &Kept) -> Result<Vec<String>, String> {
    let record = &kept.record;
    if tool::systemd_runs() {
        // It knows nobody who has no session. What it leaves is ended below.
        let _ = tool::run("loginctl", ["terminate-user", &record.user], Duration::from_secs(30));
        let slice = Path::new(SLICES).join(format!("user-{}.slice", record.uid));
        if let Ok(slice) = Dir::open(&slice) {
            let _ = slice.write_in_place("cgroup.kill", b"1"); // one of Linux 5.14
        }
    }
    let theirs = theirs(record);
    let first = signal_all::of(&theirs).map_err(|error| error.to_string())?;
    let (end, mut pause) = (Instant::now() + PATIENCE, Duration::from_millis(1));
    loop {
        let left = signal_all::kill_all(&theirs).map_err(|e| e.to_string())?;
        if left.is_empty() && is_quiet(&theirs)? {
            break;
        }
        if Instant::now() > end {
            return Err(format!("{} cannot be ended: {}", left.len(), names(&left)));
        }
        clock::pause(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
    Ok(vec![match first.len() {
        0 => "processes: none runs".to_owned(),
        number => format!("processes: {number} ended, none runs"),
    }])
}

/// Whether none is left: neither the kernel knows one to signal, nor is any seen that is not over.
pub(super) fn is_quiet(theirs: &Theirs) -> Result<bool, String> {
    if signal_all::none_of(theirs.uid).map_err(|error| error.to_string())? {
        return seen(theirs).map(|left| left.is_empty());
    }
    // One that has ended and was not asked for its status counts as one to signal.
    for _ in 0..3 {
        if !seen(theirs)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Those that run, as far as a look sees them.
pub(super) fn seen(theirs: &Theirs) -> Result<Vec<signal_all::Process>, String> {
    let mut left = signal_all::of(theirs).map_err(|error| error.to_string())?;
    left.retain(|process| !process.ended);
    Ok(left)
}

/// Some of their numbers and names, as they are told.
pub(super) fn names(processes: &[signal_all::Process]) -> String {
    let one = |process: &signal_all::Process| format!("{} ({})", process.pid, process.name);
    let mut names: Vec<String> = processes.iter().take(MOST_NAMES).map(one).collect();
    if processes.len() > MOST_NAMES {
        names.push("...".to_owned());
    }
    names.join(", ")
}
