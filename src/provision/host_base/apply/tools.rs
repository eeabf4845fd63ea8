//! Programs of the system: with a fixed environment, a deadline and bounded output.

use crate::provision::host_base::HostChangeError;
use crate::sys::process::exec::{Output, Program, describe};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

const ENVIRONMENT: [(&str, &str); 11] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LOGNAME", "root"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TERM", "dumb"),
    // No questions, and no services restarted.
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("NEEDRESTART_MODE", "l"),
    ("NEEDRESTART_SUSPEND", "1"),
];
/// The beginnings of lines that give an error.
const ERROR_MARKS: [&str; 3] = ["E: ", "dpkg: error", "npm error"];
/// Maximum number of lines of a program's output in an error.
const MAX_LINES: usize = 3;
/// Maximum length of a program's output in an error, in characters.
const MAX_CHARS: usize = 300;

pub(crate) fn run(argv: &[&str], deadline: Duration) -> Result<Output, HostChangeError> {
    finish(argv[0], program(argv, deadline))
}

/// Runs a program that goes on if this process is killed: interrupted, it would leave the host worse.
pub(crate) fn run_to_completion(
    argv: &[&str],
    deadline: Duration,
) -> Result<Output, HostChangeError> {
    finish(argv[0], program(argv, deadline).outlive_parent())
}

fn program(argv: &[&str], deadline: Duration) -> Program {
    tracing::debug!(?argv, "running");
    let environment =
        ENVIRONMENT.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Program::new(argv[0])
        .args(&argv[1..])
        .environment(environment.collect())
        .like_a_service()
        .deadline(deadline)
}

fn finish(name: &str, program: Program) -> Result<Output, HostChangeError> {
    let output = program.run()?;
    if output.status.success() {
        return Ok(output);
    }
    let how = describe(output.status);
    let message = error_text(&output);
    Err(HostChangeError::Program { program: name.to_owned(), how, message })
}

/// The lines of its output that give the error, as one line. Not escaped.
fn error_text(output: &Output) -> String {
    let text = String::from_utf8_lossy(if output.stderr.trim_ascii().is_empty() {
        &output.stdout
    } else {
        &output.stderr
    });
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // apt, dpkg and npm mark errors, npm on its first lines; other programs print them last.
    let marked = |line: &&str| ERROR_MARKS.iter().any(|mark| line.starts_with(mark));
    let mut errors: Vec<&str> = lines.iter().copied().filter(marked).collect();
    errors.truncate(MAX_LINES);
    let last = &lines[lines.len().saturating_sub(MAX_LINES)..];
    let lines = if errors.is_empty() { last } else { &errors };
    lines.join("; ").chars().take(MAX_CHARS).collect()
}

/// Has systemd reload its configuration. If it does not run, its next start reads everything.
pub(crate) fn reload() -> Result<(), HostChangeError> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    run(&["systemctl", "daemon-reload"], Duration::from_secs(90)).map(drop)
}
