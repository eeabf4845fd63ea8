//! The units of instances, through systemctl(1).

use crate::sys::process::tool::{self, ToolError};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(10);
/// How long a start or a stop may take: a stop is killed by the service manager after 30 s.
const CHANGE: Duration = Duration::from_mins(2);

/// What the service manager says of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub active: bool,
    /// Whether it is active, or about to be.
    pub runs: bool,
    /// Since when it is active, in microseconds of the monotonic clock.
    pub since: u64,
}

/// The unit of a user's instance.
pub fn instance(user: &str) -> String {
    format!("t3-serve@{user}.service")
}

/// The states of units, by name. A unit of which nothing is said, or nothing that can be read, is left out.
///
/// # Errors
/// If the service manager does not answer.
pub fn states(units: &[String]) -> Result<BTreeMap<String, State>, ToolError> {
    states_within(units, QUESTION)
}

fn states_within(
    units: &[String],
    deadline: Duration,
) -> Result<BTreeMap<String, State>, ToolError> {
    if units.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut args = vec!["show", "--property=Id,ActiveState,ActiveEnterTimestampMonotonic", "--"];
    args.extend(units.iter().map(String::as_str));
    Ok(parse(&run(&args, deadline)?))
}

/// Whether a unit runs, or is about to. A service manager that is busy is waited for as for a change: what depends on the
/// answer would be undone otherwise.
pub fn runs(unit: &str) -> Result<bool, ToolError> {
    let states = states_within(&[unit.to_owned()], CHANGE)?;
    Ok(states.get(unit).is_some_and(|state| state.runs))
}

/// The arguments with which a unit starts its program, as the site has them; `${T3_PORT}` and the like are not
/// replaced. `None` if the service manager does not say.
pub fn arguments(unit: &str) -> Option<Vec<String>> {
    let output = run(&["show", "--property=ExecStart", "--", unit], QUESTION).ok()?;
    arguments_of(output.lines().find_map(|line| line.strip_prefix("ExecStart="))?)
}

/// Starts a unit, and waits until it has; one that failed too often is tried again.
pub fn start(unit: &str) -> Result<(), ToolError> {
    let _ = run(&["reset-failed", "--", unit], CHANGE); // fails if it is not loaded
    run(&["start", "--", unit], CHANGE).map(drop)
}

/// Has a unit started, and does not wait for it.
pub fn start_later(unit: &str) -> Result<(), ToolError> {
    run(&["start", "--no-block", "--", unit], QUESTION).map(drop)
}

/// Restarts a unit, if it is active.
pub fn restart(unit: &str) -> Result<(), ToolError> {
    run(&["try-restart", "--", unit], CHANGE).map(drop)
}

/// Stops a unit, and waits until it has ended.
pub fn stop(unit: &str) -> Result<(), ToolError> {
    run(&["stop", "--", unit], CHANGE).map(drop)
}

fn run(args: &[&str], deadline: Duration) -> Result<String, ToolError> {
    let output = tool::run("systemctl", args, deadline)?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// Reads blocks of `NAME=VALUE`, with blank lines between them.
fn parse(shown: &str) -> BTreeMap<String, State> {
    let block = |block: &str| {
        let value =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let state = value("ActiveState")?;
        let active = state == "active";
        let runs = matches!(state, "active" | "activating" | "reloading");
        let since = value("ActiveEnterTimestampMonotonic")?.parse().ok()?;
        Some((value("Id")?.to_owned(), State { active, runs, since }))
    };
    shown.split("\n\n").filter_map(block).collect()
}

/// The arguments in `{ path=... ; argv[]=PROGRAM ARGUMENTS ; ignore_errors=... }`.
fn arguments_of(value: &str) -> Option<Vec<String>> {
    let words = value.split_once("argv[]=")?.1.split_once(" ; ")?.0;
    let arguments: Vec<String> = words.split_whitespace().skip(1).map(str::to_owned).collect();
    arguments.iter().any(|word| word == "serve").then_some(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let shown = "Id=t3-serve@ann.service\nActiveState=active\nActiveEnterTimestampMonotonic=17\n\n\
            ActiveEnterTimestampMonotonic=0\nActiveState=activating\nId=t3-serve@bob.service\n\n\
            ActiveEnterTimestampMonotonic=0\nActiveState=inactive\nId=t3-serve@joe.service\n\n\
            Id=t3-serve@eve.service\nActiveState=active\nActiveEnterTimestampMonotonic=soon\n\nFailed\n";
        let states = parse(shown);
        assert_eq!(states.len(), 3);
        let of = |user| states[&instance(user)];
        assert_eq!(of("ann"), State { active: true, runs: true, since: 17 });
        assert_eq!(of("bob"), State { active: false, runs: true, since: 0 });
        assert_eq!(of("joe"), State { active: false, runs: false, since: 0 });
        assert!(parse("").is_empty());
    }

    #[test]
    fn the_arguments_are_those_of_the_unit() {
        let value = "{ path=/opt/t3/users/ann/bin/t3 ; argv[]=/opt/t3/users/ann/bin/t3 serve --host 127.0.0.1 \
                     --port ${T3_PORT} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }";
        let expected = ["serve", "--host", "127.0.0.1", "--port", "${T3_PORT}"];
        assert_eq!(arguments_of(value).unwrap(), expected);
        assert_eq!(arguments_of(""), None);
        assert_eq!(arguments_of("{ argv[]=/bin/sleep 1 ; x }"), None);
    }
}
