//! The system's own tools (useradd, systemctl, ...), run by root on root's own ground.

use super::exec::{self, ExecError, Program};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Where a tool is looked for, whatever the caller's PATH says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// No message of a tool is longer where it is repeated (characters).
const MAX_MESSAGE: usize = 2000;

/// Why a tool did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It did not run to its end.
    #[error("{0}")]
    Exec(#[from] ExecError),
    /// It ended with another code than 0.
    #[error("{name} {how}{}{said}", if said.is_empty() { "" } else { ": " })]
    Ended {
        /// The tool.
        name: String,
        /// Its exit code; `None` when a signal killed it.
        code: Option<i32>,
        /// One sentence on its end.
        how: String,
        /// What it said on standard error, not escaped.
        said: String,
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

/// Runs a tool to its end with a fixed environment and gives its standard output. It goes on when
/// this process is killed: a half-written account is worse than one nobody heard of.
///
/// # Errors
/// When it does not end within `deadline`, or not with 0.
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
    to_its_end(name, prepared(name, args, variables).outliving_us(), deadline)
}

/// As [`run`], but it ends when this process does: for work that is begun anew then.
pub fn run_with_us(
    name: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    deadline: Duration,
) -> Result<Vec<u8>, ToolError> {
    to_its_end(name, prepared(name, args, &[]), deadline)
}

/// A tool that the caller talks with: its file, and an environment as fixed as that of [`run`].
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
    let said = String::from_utf8_lossy(output.stderr.trim_ascii());
    Err(ToolError::Ended {
        name: name.to_owned(),
        code: output.status.code(),
        how: exec::describe(output.status),
        said: said.chars().take(MAX_MESSAGE).collect(),
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

/// The file of a tool on the fixed path; its bare name where there is none, for the error.
fn found(name: &str) -> String {
    let files = PATH.split(':').map(|dir| format!("{dir}/{name}"));
    let mut there = files.filter(|file| std::path::Path::new(file).is_file());
    there.next().unwrap_or_else(|| name.to_owned())
}
