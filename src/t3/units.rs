//! The units of instances, through systemctl(1).

use crate::sys::process::exec::{self, ExecError, Program};
use crate::text::escape;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

/// The directories of tools, whatever the caller's PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(10);
/// How long a restart may take: a stop has 30 seconds.
const CHANGE: Duration = Duration::from_mins(2);

/// Why the service manager did not do or say what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum UnitsError {
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("systemctl {end}: {message}")]
    Ended { end: String, message: String },
}

/// The service manager.
#[derive(Debug, Clone)]
pub struct Units {
    program: OsString,
}

/// What the service manager says of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub active: bool,
    /// Since when, in microseconds of the monotonic clock.
    pub since: u64,
}

impl Units {
    /// The host's.
    pub fn host() -> Self {
        Self::through("systemctl")
    }

    /// Through this program instead of `systemctl`.
    pub fn through(program: impl Into<OsString>) -> Self {
        Self { program: program.into() }
    }

    /// The states of units, by name. A unit of which nothing is said, or nothing that can be read, is left out.
    ///
    /// # Errors
    /// If the service manager does not answer.
    pub fn states(&self, units: &[String]) -> Result<BTreeMap<String, State>, UnitsError> {
        if units.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut args =
            vec!["show", "--property=Id,ActiveState,ActiveEnterTimestampMonotonic", "--"];
        args.extend(units.iter().map(String::as_str));
        Ok(parse(&self.run(&args, QUESTION)?))
    }

    /// Has a unit started, and does not wait for it.
    pub fn start_later(&self, unit: &str) -> Result<(), UnitsError> {
        self.run(&["start", "--no-block", "--", unit], QUESTION).map(drop)
    }

    /// Restarts a unit, if it is active.
    pub fn restart(&self, unit: &str) -> Result<(), UnitsError> {
        self.run(&["try-restart", "--", unit], CHANGE).map(drop)
    }

    fn run(&self, args: &[&str], deadline: Duration) -> Result<String, UnitsError> {
        let environment = [("PATH", PATH), ("LC_ALL", "C.UTF-8")];
        let environment = environment.map(|(name, value)| (name.into(), value.into())).to_vec();
        let program = Program::new(&self.program).args(args).environment(environment);
        let output = program.deadline(deadline).run()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = escape(output.stderr.trim_ascii());
        Err(UnitsError::Ended { end: exec::describe(output.status), message })
    }
}

/// A user's instance.
pub fn instance(user: &str) -> String {
    format!("t3-serve@{user}.service")
}

/// Reads blocks of `NAME=VALUE`, with blank lines between them.
fn parse(shown: &str) -> BTreeMap<String, State> {
    let block = |block: &str| {
        let value =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let since = value("ActiveEnterTimestampMonotonic")?.parse().ok()?;
        Some((value("Id")?.to_owned(), State { active: value("ActiveState")? == "active", since }))
    };
    shown.split("\n\n").filter_map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let shown = "Id=t3-serve@ann.service\nActiveState=active\nActiveEnterTimestampMonotonic=17\n\n\
            ActiveEnterTimestampMonotonic=0\nActiveState=inactive\nId=t3-serve@bob.service\n\n\
            Id=t3-serve@eve.service\nActiveState=active\nActiveEnterTimestampMonotonic=soon\n\nFailed\n";
        let states = parse(shown);
        assert_eq!(states.len(), 2);
        assert_eq!(states["t3-serve@ann.service"], State { active: true, since: 17 });
        assert_eq!(states["t3-serve@bob.service"], State { active: false, since: 0 });
        assert!(parse("").is_empty());
    }
}
