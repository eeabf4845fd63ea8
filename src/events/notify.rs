//! The site's command for notifications (`watch.notify`), run as the user: one at a time, for a bounded time,
//! with the event as JSON on standard input. An event for which there is no turn is counted as dropped.

use super::event::Event;
use super::store;
use crate::sys::fs::{Dir, FileError};
use crate::sys::locks;
use crate::sys::process::exec::{ExecError, Program, describe};
use crate::text::tsv::{self, Writer};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

pub(super) const COUNTS: &str = "notify.tsv";
pub(super) const LOCK: &str = "notify.lock";
/// Maximum size of an event as JSON, in bytes.
pub const LONGEST: usize = 64 << 10;
/// How long the command may run.
const DEADLINE: Duration = Duration::from_secs(10);
/// How much it may print. Nobody reads it.
const MAX_OUTPUT: usize = 64 << 10;
const MAX_COUNTS: u64 = 4 << 10;

/// What is run for each event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hook {
    /// The site's command with its arguments; empty if there is none.
    pub command: Vec<String>,
    /// Options with which another `persist` works on the same state.
    pub options: Vec<OsString>,
}

/// What became of the site's command, in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ended with 0.
    pub done: u64,
    /// Could not be started, ended otherwise, or was killed at its deadline.
    pub failed: u64,
    /// Not run: another one was running.
    pub dropped: u64,
}

impl Counts {
    /// The counts with their names in the file and as a metric's label.
    pub fn named(&self) -> [(&'static str, u64); 3] {
        [("done", self.done), ("failed", self.failed), ("dropped", self.dropped)]
    }
}

type Number = fn(&mut Counts) -> &mut u64;

/// Hands an event to a process of our own, which runs the command and is not waited for.
pub(super) fn hand_over(hook: &Hook, dir: &Path, event: &Event) -> Result<(), NotifyError> {
    let dir = Dir::open(dir)?;
    if is_running(&dir)? {
        return Ok(count(&dir, |counts| &mut counts.dropped)?);
    }
    let json = event.json().to_string();
    let program = Program::ourselves().args(&hook.options).args(["notify"]);
    let program = program.outlive_parent().like_a_service().input(json.as_bytes())?;
    let output = program.run()?;
    if output.status.success() { Ok(()) } else { Err(NotifyError::Ended(describe(output.status))) }
}

fn is_running(dir: &Dir) -> Result<bool, FileError> {
    match locks::exclusive(dir, LOCK, Duration::ZERO) {
        Ok(_) => Ok(false),
        Err(error) if error.is_timeout() => Ok(true),
        Err(error) => Err(error),
    }
}

/// Runs the site's command with this input, unless another one runs.
pub fn run(command: &[String], dir: &Path, input: &[u8]) -> Result<(), NotifyError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let dir = Dir::open(dir)?;
    let _turn = match locks::exclusive(&dir, LOCK, Duration::ZERO) {
        Err(error) if error.is_timeout() => {
            return Ok(count(&dir, |counts| &mut counts.dropped)?);
        }
        turn => turn?,
    };
    let program = Program::new(program).args(arguments).like_a_service().input(input)?;
    let ran = program.deadline(DEADLINE).max_output(MAX_OUTPUT).run();
    let result = match ran {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(NotifyError::Ended(describe(output.status))),
        Err(error) => Err(error.into()),
    };
    let number: Number =
        if result.is_ok() { |counts| &mut counts.done } else { |counts| &mut counts.failed };
    count(&dir, number)?;
    result
}

/// What became of the command in all, from the user's state directory; zeros if nothing is recorded.
pub fn counts(dir: &Path) -> Result<Counts, FileError> {
    match Dir::open(dir).and_then(|dir| read_counts(&dir)) {
        Err(error) if error.is_not_found() => Ok(Counts::default()),
        read => read,
    }
}

fn read_counts(dir: &Dir) -> Result<Counts, FileError> {
    let text = match dir.read(COUNTS, MAX_COUNTS) {
        Err(error) if error.is_not_found() => return Ok(Counts::default()),
        read => read?,
    };
    let mut counts = Counts::default();
    tsv::records(&text, |line| {
        let [name, number] = line.exactly()?;
        let number = std::str::from_utf8(number).ok()?.parse().ok()?;
        match name {
            b"done" => counts.done = number,
            b"failed" => counts.failed = number,
            b"dropped" => counts.dropped = number,
            _ => return None,
        }
        Some(())
    });
    Ok(counts)
}

fn count(dir: &Dir, number: Number) -> Result<(), FileError> {
    let _lock = store::lock(dir)?;
    let mut counts = read_counts(dir)?;
    let number = number(&mut counts);
    *number = number.saturating_add(1);
    let mut file = Writer::default();
    for (name, number) in counts.named() {
        file.raw(name.as_bytes()).plain(number).end();
    }
    let bytes = file.into_bytes();
    match dir.write_hint(COUNTS, &bytes) {
        // The process that has just taken the store's lock removed our temporary file as a leftover.
        Err(error) if error.is_not_found() => dir.write_hint(COUNTS, &bytes),
        written => written,
    }
}

/// Why the site's command was not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("preparing the command's input: {}", crate::text::io_reason(.0))]
    Input(#[from] std::io::Error),
    #[error("the command {0}")]
    Ended(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn sh(script: &str, arguments: &[&Path]) -> Vec<String> {
        let mut command = vec!["/bin/sh".to_owned(), "-c".into(), script.into(), "sh".into()];
        command.extend(arguments.iter().map(|path| path.to_str().unwrap().to_owned()));
        command
    }

    #[test]
    fn the_command_gets_the_event_and_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        run(&sh("cat > \"$1\"", &[&out]), dir.path(), b"{\"kind\":\"death\"}").unwrap();
        assert_eq!(std::fs::read(out).unwrap(), b"{\"kind\":\"death\"}");
        let error = run(&sh("exit 3", &[]), dir.path(), b"").unwrap_err().to_string();
        assert_eq!(error, "the command exited with 3");
        assert!(run(&["/no/such/command".to_owned()], dir.path(), b"").is_err());
        let expected = Counts { done: 1, failed: 2, dropped: 0 };
        assert_eq!(counts(dir.path()).unwrap(), expected);
    }

    #[test]
    fn while_one_runs_others_are_dropped_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let held = Dir::open(dir.path()).unwrap();
        let turn = locks::exclusive(&held, LOCK, Duration::ZERO).unwrap();
        for _ in 0..3 {
            run(&sh("exit 0", &[]), dir.path(), b"").unwrap();
        }
        let hook = Hook { command: sh("exit 0", &[]), options: Vec::new() };
        hand_over(&hook, dir.path(), &Event::default()).unwrap();
        assert_eq!(counts(dir.path()).unwrap(), Counts { dropped: 4, ..Counts::default() });
        drop(turn);
        run(&sh("exit 0", &[]), dir.path(), b"").unwrap();
        assert_eq!(counts(dir.path()).unwrap().done, 1);
    }

    #[test]
    fn what_the_command_leaves_in_its_group_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let (pids, begin) = (dir.path().join("pids"), Instant::now());
        run(&sh("sleep 600 & echo $! > \"$1\"", &[&pids]), dir.path(), b"").unwrap();
        assert!(begin.elapsed() < Duration::from_secs(9));
        let pid = std::fs::read_to_string(pids).unwrap();
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        while runs() {
            assert!(begin.elapsed() < Duration::from_secs(30), "still runs");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_command_that_prints_without_end_is_ended_and_failed() {
        let dir = tempfile::tempdir().unwrap();
        assert!(run(&sh("while :; do echo yyyyyyyyyyyyyyyy; done", &[]), dir.path(), b"").is_err());
        assert_eq!(counts(dir.path()).unwrap().failed, 1);
    }
}
