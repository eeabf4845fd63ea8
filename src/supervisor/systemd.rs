//! Requests to the service manager, through its own programs.

use super::error::Error;
use crate::sys::process::exec::{self, Program};
use crate::text::escape;
use std::path::Path;
use std::time::Duration;

/// What `systemctl` prints.
pub(crate) fn systemctl(args: &[&str], deadline: Duration) -> Result<String, Error> {
    run("systemctl", Program::new("systemctl").args(args).deadline(deadline))
}

/// Waits until the file system below a path is mounted: a transient unit that requires the path
/// and does nothing else.
pub(crate) fn wait_for_mount(path: &Path, deadline: Duration) -> Result<(), Error> {
    let path = path.to_str().ok_or(Error::NotUtf8)?;
    let quoted = path.replace('\\', r"\\").replace('"', "\\\"");
    let requires = format!("--property=RequiresMountsFor=\"{quoted}\"");
    let options = ["--quiet", "--wait", "--collect", "--service-type=oneshot"];
    let program = Program::new("systemd-run").args(options).args([requires.as_str(), "--", "true"]);
    run("systemd-run", program.deadline(deadline)).map(drop)
}

/// A property in the output of `systemctl show`, escaped: the status of a keeper is its user's to
/// choose.
pub(crate) fn property(shown: &str, name: &str) -> String {
    let found = shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    escape(found.unwrap_or_default().as_bytes())
}

fn run(name: &'static str, program: Program) -> Result<String, Error> {
    let _span = tracing::debug_span!("tool", name).entered();
    let output = program.run()?;
    tracing::debug!(status = exec::describe(output.status), "ended");
    if !output.status.success() {
        let (status, stderr) = (exec::describe(output.status), escape(output.stderr.trim_ascii()));
        return Err(Error::Systemd { program: name, status, stderr });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_keeper_is_one_escaped_line() {
        let shown = "Result=success\nStatusText=2 \x1b[2Jsessions\nStatusTextual=x\n";
        assert_eq!(property(shown, "StatusText"), "2 \\x1b[2Jsessions");
        assert_eq!(property(shown, "Result"), "success");
        assert_eq!(property(shown, "Absent"), "");
    }
}
