//! Of a home, the browser tool's registration: what is there, and work on it, as the user.
//!
//! Looking reads Claude Code's own file; only work runs the agent, which takes half a second. It is
//! never run over a file that does not parse: the agent would begin a new one (seen with 2.1.197).

use super::files::{self, There};
use crate::sys::process::exec::{self, Output, Program};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::time::Duration;

/// Where Claude Code keeps its user's servers.
const FILE: &str = ".claude.json";
/// It grows with every project; no sound one is larger (bytes).
const MAX_FILE: u64 = 32 << 20;
/// What the agent says of a server that it does not know.
const NONE: &str = "No MCP server named";
/// How long the agent may take each time.
const DEADLINE: Duration = Duration::from_secs(20);
/// No address of a server is told beyond this (characters).
const MAX_URL: usize = 200;

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The server's name.
    pub name: String,
}

/// Whether the agent knows the server, in every project of the user's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Facts {
    /// No.
    #[default]
    Absent,
    /// Yes; its address, where it has one.
    There(Option<String>),
    /// It cannot be told: why.
    Unfit(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// Has the agent register the server, unless it knows one of that name.
    Register {
        /// The agent.
        agent: String,
        /// The server's name.
        name: String,
        /// Its address.
        url: String,
        /// Headers of its requests. They are arguments of the agent, which others can read: they
        /// name variables of the agent's environment, and hold no secret.
        headers: Vec<String>,
    },
}

/// Looks, as the user.
pub(super) fn look(look: &Look) -> Facts {
    match files::home() {
        Ok(home) => registered(files::read(&home, FILE, MAX_FILE), &look.name),
        Err(why) => Facts::Unfit(why),
    }
}

fn registered(there: There, name: &str) -> Facts {
    let bytes = match there {
        There::Nothing => return Facts::Absent,
        There::Unfit(why) => return Facts::Unfit(why),
        There::File(bytes) => bytes,
    };
    let value: serde_json::Value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(error) => return Facts::Unfit(format!("~/{FILE} does not parse: {error}")),
    };
    if !value.is_object() || value.get("mcpServers").is_some_and(|servers| !servers.is_object()) {
        return Facts::Unfit(format!("~/{FILE} is not what the agent writes"));
    }
    let Some(server) = value.get("mcpServers").and_then(|servers| servers.get(name)) else {
        return Facts::Absent;
    };
    let url = server.get("url").and_then(serde_json::Value::as_str);
    Facts::There(url.map(|url| url.chars().take(MAX_URL).collect()))
}

/// Works, as the user.
pub(super) fn perform(work: &Work) -> Result<Vec<String>, String> {
    let Work::Register { agent, name, url, headers } = work;
    let known = || vec![format!("the agent has a server {name} already: left as it is")];
    match look(&Look { name: name.clone() }) {
        Facts::Absent => {}
        Facts::There(_) => return Ok(known()),
        Facts::Unfit(why) => return Err(why),
    }
    // It looks beyond that file: other scopes, and what the machine's administrator gives.
    let get = run(agent, &["mcp", "get", name])?;
    if get.status.success() {
        return Ok(known());
    }
    if !said(&get).contains(NONE) {
        return Err(format!("{agent} mcp get {}: {}", exec::describe(get.status), said(&get)));
    }
    let mut args = vec!["mcp", "add", "--scope", "user", "--transport", "http", name, url];
    for header in headers {
        args.extend(["--header", header]);
    }
    let add = run(agent, &args)?;
    if !add.status.success() {
        return Err(format!("{agent} mcp add {}: {}", exec::describe(add.status), said(&add)));
    }
    match look(&Look { name: name.clone() }) {
        Facts::There(_) => Ok(vec![format!("the agent has a server {name} now: {url}")]),
        _ => Err(format!("{agent} mcp add did nothing: no server {name} in ~/{FILE}")),
    }
}

fn run(agent: &str, args: &[&str]) -> Result<Output, String> {
    let program = Program::new(agent).args(args).environment(environment());
    program.deadline(DEADLINE).max_output(1 << 20).run().map_err(|error| error.to_string())
}

/// The caller's, and no errand of the agent's own beside what it is asked.
fn environment() -> Vec<(OsString, OsString)> {
    let quiet = [
        "DISABLE_AUTOUPDATER",
        "DISABLE_TELEMETRY",
        "DISABLE_ERROR_REPORTING",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    ];
    std::env::vars_os().chain(quiet.map(|name| (name.into(), "1".into()))).collect()
}

fn said(output: &Output) -> String {
    const MOST: usize = 500;
    let both = [output.stderr.trim_ascii(), output.stdout.trim_ascii()].concat();
    String::from_utf8_lossy(&both).chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_found_in_the_agents_own_file_or_it_cannot_be_told() {
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
            let found = match registered(There::File(text.into()), "playwright") {
                Facts::Absent => Some(false),
                Facts::There(_) => Some(true),
                Facts::Unfit(_) => None,
            };
            assert_eq!(found, there, "{text}");
        }
    }
}
