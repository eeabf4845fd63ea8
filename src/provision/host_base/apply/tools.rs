//! Programs of the system: with a fixed environment, a deadline and bounded output.

use crate::provision::host_base::HostChangeError;
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{Output, Program, describe};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::{Account, clock};
use nix::unistd::{Gid, Uid};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The uid and gid of no account (`user_namespaces(7)`), which own no files.
const NOBODY: u32 = 65534;
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

/// Runs a program as a new account would: with no rights and no files of its own.
pub(crate) fn run_as_nobody(argv: &[&str], deadline: Duration) -> Result<Output, HostChangeError> {
    tracing::debug!(?argv, "running as nobody");
    let account = Account {
        name: "nobody".to_owned(),
        uid: Uid::from_raw(NOBODY),
        gid: Gid::from_raw(NOBODY),
        home: PathBuf::from("/nonexistent"),
        shell: PathBuf::from("/bin/sh"),
        groups: vec![Gid::from_raw(NOBODY)],
    };
    let new_privileges = NewPrivileges::Deny;
    let program = Program::new(argv[0])
        .args(&argv[1..])
        .becoming(Become { account, umask: 0o077, new_privileges })
        .deadline(deadline);
    let name = format!("{}, run as a new account,", argv[0]);
    finish(&name, program).map_err(|error| match error {
        HostChangeError::Exec(error) => {
            let (how, message) = ("failed".to_owned(), error.to_string());
            HostChangeError::Program { program: name, how, message }
        }
        other => other,
    })
}

/// How long a lock that another program holds is waited for.
const LOCK_PATIENCE: Duration = Duration::from_mins(2);
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// Runs a program of dpkg's or apt's again for as long as another one holds one of their locks: apt's own
/// option for that does not wait for the lock of its lists, nor for that of its downloads.
pub(crate) fn waiting_for_locks<T>(
    mut call: impl FnMut() -> Result<T, HostChangeError>,
) -> Result<T, HostChangeError> {
    let begun = Instant::now();
    loop {
        match call() {
            Err(HostChangeError::Program { message, .. })
                if is_locked(&message) && begun.elapsed() < LOCK_PATIENCE =>
            {
                clock::pause(LOCK_PAUSE);
            }
            result => return result,
        }
    }
}

/// Whether a message of apt's or dpkg's, in its untranslated form, is about a lock.
fn is_locked(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("could not get lock")
        || message.contains("unable to lock")
        || message.contains("unable to acquire the dpkg")
        || message.contains("locked by another process")
        || message.contains("is another process using it")
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

/// Has a service read its configuration, and start at each boot.
pub(crate) fn restart(unit: &str) -> Result<(), HostChangeError> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    run(&["systemctl", "enable", "--quiet", "--", unit], Duration::from_secs(90))?;
    run(&["systemctl", "restart", "--", unit], Duration::from_secs(90)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> HostChangeError {
        let (program, how) = ("apt-get".to_owned(), "exited with 100".to_owned());
        HostChangeError::Program { program, how, message: message.to_owned() }
    }

    #[test]
    fn a_lock_is_waited_for_and_any_other_error_is_not() {
        for message in [
            "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)",
            "E: Unable to lock directory /var/lib/apt/lists/",
            "E: Unable to lock the download directory",
            "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
            "dpkg: error: dpkg frontend lock was locked by another process with pid 7",
        ] {
            let mut tries = 0;
            let result = waiting_for_locks(|| {
                tries += 1;
                if tries == 1 { Err(failure(message)) } else { Ok(tries) }
            });
            assert_eq!(result.unwrap(), 2, "{message}");
        }
        let mut tries = 0;
        let result = waiting_for_locks(|| {
            tries += 1;
            Err::<(), _>(failure("E: Unable to locate package x"))
        });
        assert!(result.is_err() && tries == 1);
    }
}
