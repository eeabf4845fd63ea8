//! The system's own programs: a fixed environment, a deadline, bounded output.

use crate::sys::process::exec::{Output, Program, describe};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// The system's programs, none of a home.
const ENVIRONMENT: [(&str, &str); 11] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LOGNAME", "root"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TERM", "dumb"),
    // Nobody is there to answer, and no service is restarted under somebody's hands.
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("NEEDRESTART_MODE", "l"),
    ("NEEDRESTART_SUSPEND", "1"),
];
/// How lines begin that say what is wrong.
const MARKS: [&str; 3] = ["E: ", "dpkg: error", "npm error"];
/// As many lines as are repeated of what a program says.
const MOST_LINES: usize = 3;
/// As much as is repeated of what a program says.
const MOST: usize = 300;

/// Runs a program; one that says that it failed has.
pub(crate) fn run(argv: &[&str], within: Duration) -> Result<Output, String> {
    finish(argv[0], program(argv, within))
}

/// Runs one that goes on when this process is killed: half way it would leave a worse host.
pub(crate) fn run_to_its_end(argv: &[&str], within: Duration) -> Result<Output, String> {
    finish(argv[0], program(argv, within).outliving_us())
}

fn program(argv: &[&str], within: Duration) -> Program {
    let environment =
        ENVIRONMENT.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Program::new(argv[0])
        .args(&argv[1..])
        .environment(environment.collect())
        .like_a_service()
        .deadline(within)
}

fn finish(name: &str, program: Program) -> Result<Output, String> {
    let output = program.run().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let how = describe(output.status);
    Err(format!("{name} {how}{}", said(&output)))
}

/// What it said at the end, on one line; whoever prints it escapes it.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(if output.stderr.trim_ascii().is_empty() {
        &output.stdout
    } else {
        &output.stderr
    });
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // apt, dpkg and npm mark what is wrong, npm on its first lines; others say it last.
    let marked = |line: &&str| MARKS.iter().any(|mark| line.starts_with(mark));
    let mut errors: Vec<&str> = lines.iter().copied().filter(marked).collect();
    errors.truncate(MOST_LINES);
    let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
    let lines = if errors.is_empty() { last } else { &errors };
    let text = lines.join("; ");
    if text.is_empty() {
        text
    } else {
        format!(": {}", text.chars().take(MOST).collect::<String>())
    }
}

/// Tells systemd, where it runs; elsewhere its next start reads everything.
pub(crate) fn reload() -> Result<(), String> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    run(&["systemctl", "daemon-reload"], Duration::from_secs(90)).map(drop)
}
