//! The unit of a user's instance, through systemctl(1).

use crate::sys::process::tool::{self, ToolError};
use std::time::Duration;

/// How long a start or a stop may take: a stop is killed by the service manager after 30 s.
const DEADLINE: Duration = Duration::from_mins(2);

/// How the service manager sees an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Whether it runs, or is about to.
    pub active: bool,
    /// `active`, `failed`, `inactive`, ...
    pub state: String,
}

/// The name of the unit.
pub fn name(user: &str) -> String {
    format!("t3-serve@{user}.service")
}

/// Starts it; one that failed too often is tried again.
pub fn start(user: &str) -> Result<(), ToolError> {
    let unit = name(user);
    let _ = run(&["reset-failed", "--", &unit]); // fails if it is not loaded
    run(&["start", "--", &unit]).map(drop)
}

/// Stops it, and waits until it has ended.
pub fn stop(user: &str) -> Result<(), ToolError> {
    run(&["stop", "--", &name(user)]).map(drop)
}

/// How it is.
pub fn state(user: &str) -> Result<UnitState, ToolError> {
    let output = run(&["show", "--property=ActiveState", "--", &name(user)])?;
    let state = property(&output, "ActiveState").to_owned();
    let active = matches!(state.as_str(), "active" | "activating" | "reloading");
    Ok(UnitState { active, state })
}

/// The arguments with which the unit starts the program, as the site has them; `${T3_PORT}` and the like are not
/// replaced. `None` if the service manager does not say.
pub fn arguments(user: &str) -> Option<Vec<String>> {
    let output = run(&["show", "--property=ExecStart", "--", &name(user)]).ok()?;
    arguments_of(property(&output, "ExecStart"))
}

/// The arguments in `{ path=... ; argv[]=PROGRAM ARGUMENTS ; ignore_errors=... }`.
fn arguments_of(value: &str) -> Option<Vec<String>> {
    let words = value.split_once("argv[]=")?.1.split_once(" ; ")?.0;
    let arguments: Vec<String> = words.split_whitespace().skip(1).map(str::to_owned).collect();
    arguments.iter().any(|word| word == "serve").then_some(arguments)
}

fn property<'a>(output: &'a str, name: &str) -> &'a str {
    let values = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.unwrap_or_default()
}

fn run(args: &[&str]) -> Result<String, ToolError> {
    let output = tool::run("systemctl", args, DEADLINE)?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
