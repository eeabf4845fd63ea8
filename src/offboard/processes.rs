//! Ends all sessions and processes of a user, until the kernel has none left.

use super::error::OffboardError;
use super::record::CutRecord;
use super::step_runner::StepResult;
use crate::sys::fs::{set_id, trusted_path};
use crate::sys::process::signal_all::{self, AccountUids};
use crate::sys::process::tool;
use crate::sys::{Dir, clock};
use crate::text::shown;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long ending all processes may take. A process that waits for a disk cannot be ended before the
/// disk answers.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long logind may take: what it does not end is ended all the same.
const LOGIND_DEADLINE: Duration = Duration::from_secs(2);
const SLICES: &str = "/sys/fs/cgroup/user.slice";
/// Maximum number of processes that a message names.
const MAX_NAMES: usize = 10;

const LISTING: &str = "listing processes";
const KILLING: &str = "killing processes";

/// The uids of a record's user.
pub(super) fn uids_of(record: &CutRecord) -> AccountUids {
    let ranges = record.subuids.iter().map(|(first, last)| *first..=*last).collect();
    AccountUids { uid: record.uid, ranges }
}

/// Whether ending the processes would end this one.
pub(super) fn would_end_us(theirs: &AccountUids) -> bool {
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let slice = format!("/user.slice/user-{}.slice/", theirs.uid);
    cgroup.contains(&slice) || signal_all::we_descend_from(theirs)
}

/// Stops all processes. A fork that is in progress is seen by the second round.
pub(super) fn stop_all(record: &CutRecord) -> StepResult {
    let theirs = uids_of(record);
    let mut disarmed = Disarmed::of(&theirs);
    let mut number = 0;
    for _ in 0..2 {
        number = signal_all::stop_all(&theirs, &mut |process| disarmed.look_at(process))
            .map_err(OffboardError::io(KILLING))?;
    }
    disarmed.lines.insert(0, format!("processes: {number} stopped"));
    Ok(disarmed.lines)
}

/// Takes the set-id bits off files of the account that other users run now: they would begin new processes of the
/// account faster than those can be ended.
struct Disarmed<'a> {
    theirs: &'a AccountUids,
    /// One for each file.
    lines: Vec<String>,
}

impl<'a> Disarmed<'a> {
    fn of(theirs: &'a AccountUids) -> Self {
        Self { theirs, lines: Vec::new() }
    }

    /// What a process that also has another uid runs.
    fn look_at(&mut self, process: &signal_all::Process) {
        let disarmed = set_id::disarm(process.pid, &|uid| self.theirs.has(uid));
        self.lines.extend(disarmed.map(|(path, mode)| {
            let path = shown(&path);
            format!("set-id file {path} ({mode:04o}): no longer set-id, as another user ran it")
        }));
    }
}

/// Lets the user's tmux servers go on, for the last save: programs of root's that answer it. What else they
/// let go on ends with them.
pub(super) fn let_tmux_go_on(record: &CutRecord) {
    let theirs = uids_of(record);
    for process in running(&theirs).unwrap_or_default() {
        let program = std::fs::read_link(format!("/proc/{}/exe", process.pid)).unwrap_or_default();
        let is_tmux = program.file_name().is_some_and(|name| name == "tmux");
        if is_tmux && trusted_path::check(&program).is_ok() {
            signal_all::go_on(process.pid, &theirs);
        }
    }
}

/// Kills the processes that run now, once, so that a fork bomb does not hold up the next steps. What
/// starts again before the login is locked and the units are masked is ended later.
pub(super) fn kill_once(record: &CutRecord) -> StepResult {
    let theirs = uids_of(record);
    let number = running(&theirs)?.len();
    let mut disarmed = Disarmed::of(&theirs);
    signal_all::kill_all(&theirs, &mut |process| disarmed.look_at(process))
        .map_err(OffboardError::io(KILLING))?;
    disarmed.lines.insert(0, format!("processes: {number} killed"));
    Ok(disarmed.lines)
}

/// Ends the sessions, then all processes.
pub(super) fn end_all(record: &CutRecord) -> StepResult {
    if tool::systemd_runs() {
        // It fails for a user without sessions. What it leaves is ended below.
        let _ = tool::run("loginctl", ["terminate-user", &record.user], LOGIND_DEADLINE);
        let slice = Path::new(SLICES).join(format!("user-{}.slice", record.uid));
        if let Ok(slice) = Dir::open(&slice) {
            let _ = slice.write_in_place("cgroup.kill", b"1"); // one of Linux 5.14
        }
    }
    let theirs = uids_of(record);
    let first = signal_all::find(&theirs).map_err(OffboardError::io(LISTING))?;
    let (end, mut pause) = (Instant::now() + DEADLINE, Duration::from_millis(1));
    let mut disarmed = Disarmed::of(&theirs);
    loop {
        let left = signal_all::kill_all(&theirs, &mut |process| disarmed.look_at(process))
            .map_err(OffboardError::io(KILLING))?;
        if left.is_empty() && none_left(&theirs)? {
            break;
        }
        if Instant::now() > end {
            let (number, names) = (left.len(), names(&left));
            return Err(OffboardError::StillRunning { number, names });
        }
        clock::pause(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
    disarmed.lines.push(match first.len() {
        0 => "processes: none running".to_owned(),
        number => format!("processes: {number} ended, none running"),
    });
    Ok(disarmed.lines)
}

/// Whether no process is left: the kernel has none to signal, and all that `/proc` lists have ended.
pub(super) fn none_left(theirs: &AccountUids) -> Result<bool, OffboardError> {
    if signal_all::none_left(theirs.uid).map_err(OffboardError::io(KILLING))? {
        return running(theirs).map(|left| left.is_empty());
    }
    // A process that has ended, but whose parent has not read its status, can still be signalled.
    for _ in 0..3 {
        if !running(theirs)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The processes that `/proc` lists and that have not ended. Those that come and go may be missed.
pub(super) fn running(theirs: &AccountUids) -> Result<Vec<signal_all::Process>, OffboardError> {
    let mut left = signal_all::find(theirs).map_err(OffboardError::io(LISTING))?;
    left.retain(|process| !process.ended);
    Ok(left)
}

/// Ids and names of some of them, for a message.
pub(super) fn names(processes: &[signal_all::Process]) -> String {
    let one = |process: &signal_all::Process| format!("{} ({})", process.pid, process.name);
    let mut names: Vec<String> = processes.iter().take(MAX_NAMES).map(one).collect();
    if processes.len() > MAX_NAMES {
        names.push("...".to_owned());
    }
    names.join(", ")
}
