//! Running the system's own tools (useradd, systemctl, ...) as root, with a fixed environment.

use super::exec::{self, ExecError, Program};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// The directories of tools, whatever the caller's PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Maximum length of a tool's message that is repeated, in characters.
const MAX_MESSAGE: usize = 2000;

/// Why a tool failed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It did not run to its end.
    #[error("{0}")]
    Exec(#[from] ExecError),
    /// It ended, but not with exit code 0.
    #[error("{name} {end}{}{stderr}", if stderr.is_empty() { "" } else { ": " })]
    Ended {
        name: String,
        /// `None` if a signal killed it.
        code: Option<i32>,
        /// How it ended: 'exited with 1'.
        end: String,
        /// Its standard error, not escaped.
        stderr: String,
    },
}

impl ToolError {
    /// The exit code, if it ended by itself.
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Exec(_) => None,
            Self::Ended { code, .. } => *code,
        }
    }
}

/// Runs a tool to its end with a fixed environment and returns its standard output. It continues when
/// this process is killed: an incomplete account is worse than one that was not reported.
///
/// # Errors
/// It does not end within `deadline`, or not with exit code 0.
pub fn run(
    name: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    deadline: Duration,
) -> Result<Vec<u8>, ToolError> {
    run_with(name, args, &[], deadline)
}

/// As [`run`], with more variables in its environment.
pub fn run_with(
    name: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    variables: &[(&str, &str)],
    deadline: Duration,
) -> Result<Vec<u8>, ToolError> {
    to_its_end(name, prepared(name, args, variables).outlive_parent(), deadline)
}

/// As [`run`], but the tool is killed with this process: for work that is repeated then.
pub fn run_with_us(
    name: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    deadline: Duration,
) -> Result<Vec<u8>, ToolError> {
    to_its_end(name, prepared(name, args, &[]), deadline)
}

/// A tool with the environment of [`run`], for a caller that runs it itself.
pub fn prepared(
    name: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    variables: &[(&str, &str)],
) -> Program {
    let fixed = [("PATH", PATH), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("HOME", "/root")];
    let pair = |(key, value): &(&str, &str)| (OsString::from(key), OsString::from(value));
    let environment = fixed.iter().chain(variables).map(pair).collect();
    Program::new(found(name)).args(args).environment(environment)
}

fn to_its_end(name: &str, program: Program, deadline: Duration) -> Result<Vec<u8>, ToolError> {
    let output = program.deadline(deadline).run()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(output.stderr.trim_ascii());
    Err(ToolError::Ended {
        name: name.to_owned(),
        code: output.status.code(),
        end: exec::describe(output.status),
        stderr: stderr.chars().take(MAX_MESSAGE).collect(),
    })
}

/// Whether the host has a tool.
pub fn exists(name: &str) -> bool {
    found(name).starts_with('/')
}

/// Whether systemd runs this host.
pub fn systemd_runs() -> bool {
    std::path::Path::new("/run/systemd/system").is_dir()
}

/// The file of a tool on the fixed path; its bare name if there is none, for the error.
fn found(name: &str) -> String {
    let files = PATH.split(':').map(|dir| format!("{dir}/{name}"));
    let mut there = files.filter(|file| std::path::Path::new(file).is_file());
    there.next().unwrap_or_else(|| name.to_owned())
}
