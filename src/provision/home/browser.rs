//! The browser tool's registration in the caller's home.
//!
//! Inspecting reads Claude Code's own file; only a task runs the agent, which takes half a second. It
//! is never run over an invalid file: the agent would begin a new one (2.1.197) or refuse it (2.1.332).

use super::HomeError;
use super::files::{self, FileState};
use crate::provision::protocol::{BrowserFacts, BrowserQuery, BrowserTask};
use crate::sys::process::exec::{self, ExecError, Output, Program};
use std::ffi::OsString;
use std::time::Duration;

/// Where Claude Code keeps its user's servers.
const FILE: &str = ".claude.json";
/// Maximum size of that file, in bytes; it grows with every project.
const MAX_FILE: u64 = 32 << 20;
/// How long one call of the agent may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// Maximum length of a server's address in an answer, in characters.
const MAX_URL: usize = 200;

pub(super) fn inspect(query: &BrowserQuery) -> BrowserFacts {
    match files::open_home() {
        Ok(home) => registered(files::read(&home, FILE, MAX_FILE), &query.name),
        Err(error) => BrowserFacts::Unknown(error.to_string()),
    }
}

fn registered(state: FileState, name: &str) -> BrowserFacts {
    let bytes = match state {
        FileState::Absent => return BrowserFacts::Absent,
        FileState::Unusable(error) => return BrowserFacts::Unknown(error.to_string()),
        FileState::Content(bytes) => bytes,
    };
    let value: serde_json::Value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(error) => return BrowserFacts::Unknown(format!("~/{FILE} is not valid JSON: {error}")),
    };
    if !value.is_object() || value.get("mcpServers").is_some_and(|servers| !servers.is_object()) {
        return BrowserFacts::Unknown(format!(
            "~/{FILE} does not have the form that the agent writes"
        ));
    }
    let Some(server) = value.get("mcpServers").and_then(|servers| servers.get(name)) else {
        return BrowserFacts::Absent;
    };
    let url = server.get("url").and_then(serde_json::Value::as_str);
    BrowserFacts::Registered(url.map(|url| url.chars().take(MAX_URL).collect()))
}

pub(super) fn perform(task: &BrowserTask) -> Result<Vec<String>, HomeError> {
    let BrowserTask::Register { agent, name, url, headers } = task;
    let query = BrowserQuery { name: name.clone() };
    let existing = || vec![format!("the agent has a server {name} already: left as it is")];
    match inspect(&query) {
        BrowserFacts::Absent => {}
        BrowserFacts::Registered(_) => return Ok(existing()),
        BrowserFacts::Unknown(why) => return Err(HomeError::Precondition(why)),
    }
    // `mcp get` sees more than that file: other scopes, and what the host's administrator provides.
    let get = run(agent, &["mcp", "get", name])?;
    if get.status.success() {
        return Ok(existing());
    }
    // How the agent says that it knows no such server differs between its releases: adding decides.
    let mut args = vec!["mcp", "add", "--scope", "user", "--transport", "http", name, url];
    for header in headers {
        args.extend(["--header", header]);
    }
    let add = run(agent, &args)?;
    let is_there = matches!(inspect(&query), BrowserFacts::Registered(_));
    if !add.status.success() {
        return if is_there { Ok(existing()) } else { Err(failed(agent, "add", &add)) };
    }
    if is_there {
        return Ok(vec![format!("registered the server {name} with the agent: {url}")]);
    }
    let text = format!("reported success, but ~/{FILE} has no server {name}");
    Err(HomeError::Command { command: format!("{agent} mcp add"), text })
}

fn run(agent: &str, args: &[&str]) -> Result<Output, ExecError> {
    let program = Program::new(agent).args(args).environment(environment());
    program.deadline(DEADLINE).max_output(1 << 20).run()
}

fn failed(agent: &str, verb: &str, output: &Output) -> HomeError {
    let command = format!("{agent} mcp {verb} {}", exec::describe(output.status));
    HomeError::Command { command, text: output_text(output) }
}

/// The caller's environment, with everything switched off that the agent does on its own account.
fn environment() -> Vec<(OsString, OsString)> {
    let quiet = [
        "DISABLE_AUTOUPDATER",
        "DISABLE_TELEMETRY",
        "DISABLE_ERROR_REPORTING",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    ];
    std::env::vars_os().chain(quiet.map(|name| (name.into(), "1".into()))).collect()
}

/// The beginning of what a program printed.
fn output_text(output: &Output) -> String {
    const MAX: usize = 500;
    let both = [output.stderr.trim_ascii(), output.stdout.trim_ascii()].concat();
    String::from_utf8_lossy(&both).chars().take(MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_found_in_the_agents_own_file_or_is_unknown() {
        for (text, there) in [
            (r"{}", Some(false)),
            (r#"{"mcpServers": {}}"#, Some(false)),
            (r#"{"mcpServers": {"other": {}}}"#, Some(false)),
            (r#"{"mcpServers": {"playwright": {"url": "http://x"}}}"#, Some(true)),
            (r#"{"mcpServers": {"playwright": 7}}"#, Some(true)),
            (r#"{"mcpServers": []}"#, None),
            (r"[]", None),
            (r"{", None),
            ("", None),
        ] {
            let found = match registered(FileState::Content(text.into()), "playwright") {
                BrowserFacts::Absent => Some(false),
                BrowserFacts::Registered(_) => Some(true),
                BrowserFacts::Unknown(_) => None,
            };
            assert_eq!(found, there, "{text}");
        }
    }
}
