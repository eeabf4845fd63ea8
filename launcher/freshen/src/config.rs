//! The settings in a clone's configuration that change how it may be fetched.
//!
//! Asking git costs a process for each clone. The files are read first: only one that could
//! matter makes us ask.

use super::Job;
use super::git::git;
use super::layout::{GitDirs, bounded_file};
use shared::child::{self, Stopped, Until};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Settings that affect a fetch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FetchSettings {
    /// `core.sshCommand`.
    pub(super) ssh_command: Option<String>,
    /// Where fetching writes.
    pub(super) target: Target,
    /// The hooks that the configuration defines, by name (git 2.54).
    hooks: Vec<String>,
}

impl FetchSettings {
    /// Keeps the configured hooks from running; `core.hooksPath` is only about those in a directory.
    pub(super) fn switch_hooks_off(
        &self,
        command: &mut Command,
        environment: &[(OsString, OsString)],
    ) {
        if self.hooks.is_empty() {
            return;
        }
        // Variables, not `-c`: a name may hold an equals sign.
        let before = variable(environment, "GIT_CONFIG_COUNT");
        let before = before.and_then(|count| count.to_str()?.parse::<usize>().ok()).unwrap_or(0);
        for (number, hook) in (before..).zip(&self.hooks) {
            command.env(format!("GIT_CONFIG_KEY_{number}"), format!("hook.{hook}.enabled"));
            command.env(format!("GIT_CONFIG_VALUE_{number}"), "false");
        }
        command.env("GIT_CONFIG_COUNT", (before + self.hooks.len()).to_string());
    }
}

/// Where the refspecs of all remotes write.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// Below `refs/remotes/` or nowhere, as a clone is made.
    #[default]
    Tracking,
    /// Elsewhere too (tags, notes): there, pruning would delete what is the user's own.
    Elsewhere,
    /// Into the clone's own branches.
    Branches,
}

/// Configuration that all clones share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Whether it could change how a clone is fetched.
    matters: bool,
}

impl Shared {
    pub(super) fn read(environment: &[(OsString, OsString)], until: Until<'_>) -> Self {
        let from_variables = ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"];
        let matters = from_variables.iter().any(|name| variable(environment, name).is_some())
            || global_files(environment).iter().any(|file| file_matters(file))
            || match system_files(environment, until) {
                Some(files) => files.iter().any(|file| file_matters(file)),
                None => true,
            };
        Self { matters }
    }
}

/// Reads the settings of a clone.
pub(super) fn read_settings(
    clone: &Path,
    dirs: &GitDirs,
    job: &Job,
) -> Result<FetchSettings, Stopped> {
    let own = [dirs.common.join("config"), dirs.own.join("config.worktree")];
    if !job.shared().matters && !own.iter().any(|file| file_matters(file)) {
        return Ok(FetchSettings::default());
    }
    let mut command = git(clone, &job.options.environment);
    let keys = r"^(core\.sshcommand|remote\..*\.fetch|hook\..*\.(event|command))$";
    command.args(["config", "--null", "--get-regexp", keys]);
    Ok(parse(&child::run(command, job.until())?.stdout))
}

/// The value of a variable as git will see it.
fn variable(environment: &[(OsString, OsString)], name: &str) -> Option<OsString> {
    let given = environment.iter().rev().find(|(key, _)| key == name);
    given.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
}

fn global_files(environment: &[(OsString, OsString)]) -> Vec<PathBuf> {
    let get = |name| variable(environment, name).map(PathBuf::from);
    let home = get("HOME").unwrap_or_default();
    let xdg = get("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    get("GIT_CONFIG_GLOBAL")
        .map_or_else(|| vec![home.join(".gitconfig"), xdg.join("git/config")], |file| vec![file])
}

/// The system's files; `None` if they are unknown. Where git looks depends on how it was built.
fn system_files(environment: &[(OsString, OsString)], until: Until<'_>) -> Option<Vec<PathBuf>> {
    let get = |name| variable(environment, name);
    let without = get("GIT_CONFIG_NOSYSTEM").filter(|value| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        !matches!(&*value, "" | "0" | "false" | "no" | "off")
    });
    if without.is_some() {
        return Some(Vec::new());
    }
    if let Some(file) = get("GIT_CONFIG_SYSTEM") {
        return Some(vec![file.into()]);
    }
    let path = get("PATH").unwrap_or_default();
    let program = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|p| p.is_file());
    if let Some("/usr/bin/git" | "/bin/git") = program.as_deref().and_then(Path::to_str) {
        return Some(vec!["/etc/gitconfig".into()]);
    }
    let mut command = git(Path::new("/"), environment);
    command.args(["var", "GIT_CONFIG_SYSTEM"]);
    let output = child::run(command, until).ok().filter(|output| output.success)?;
    let file = output.stdout.strip_suffix(b"\n")?;
    (!file.is_empty()).then(|| vec![PathBuf::from(OsStr::from_bytes(file))])
}

fn file_matters(file: &Path) -> bool {
    match bounded_file(file, 1 << 20) {
        Ok(bytes) => text_matters(&String::from_utf8_lossy(&bytes)),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Whether git could report more than the defaults; true in case of doubt.
fn text_matters(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("include")
        || text.contains("sshcommand")
        || text.contains("[hook")
        || text.contains("\\\n")
        || text.lines().any(|line| {
            line.contains("fetch") && line.contains(':') && !line.contains(":refs/remotes/")
        })
}

fn parse(answer: &[u8]) -> FetchSettings {
    let mut settings = FetchSettings::default();
    for entry in answer.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let Some((key, value)) = entry.split_once('\n') else { continue };
        if key == "core.sshcommand" {
            settings.ssh_command = Some(value.to_owned());
        } else if let Some(hook) = key.strip_prefix("hook.") {
            let hook = hook.rsplit_once('.').map_or(hook, |(name, _)| name).to_owned();
            if !settings.hooks.contains(&hook) {
                settings.hooks.push(hook);
            }
        } else {
            settings.target = target(value).max(settings.target);
        }
    }
    settings
}

fn target(refspec: &str) -> Target {
    let Some((_, target)) = refspec.split_once(':') else { return Target::Tracking };
    if target.is_empty() || target.starts_with("refs/remotes/") {
        Target::Tracking
    } else if target.starts_with("refs/") && !"refs/heads/".starts_with(prefix(target)) {
        Target::Elsewhere
    } else {
        // Short names mean branches; so may a pattern that begins above them.
        Target::Branches
    }
}

/// A target up to its pattern, but no longer than the name of the branches' directory.
fn prefix(target: &str) -> &str {
    let fixed = target.split('*').next().unwrap_or_default();
    fixed.get(.."refs/heads/".len()).unwrap_or(fixed)
}

/// The ssh command for git: as the user configured it, but unable to prompt. `None` for git's own choice.
pub(super) fn ssh_command(
    settings: &FetchSettings,
    environment: &[(OsString, OsString)],
    seconds: u64,
) -> Option<OsString> {
    let get = |name| variable(environment, name).filter(|value| !value.is_empty());
    let quiet = format!(" -oBatchMode=yes -oConnectTimeout={}", seconds.max(1));
    let own = get("GIT_SSH_COMMAND").or_else(|| settings.ssh_command.clone().map(OsString::from));
    match own {
        // Another program or a shell command: it has no terminal to ask on.
        Some(own) if !is_plain_ssh(&own) => Some(own),
        Some(mut own) => {
            own.push(quiet);
            Some(own)
        }
        None if get("GIT_SSH").is_some() => None,
        None => Some(format!("ssh{quiet}").into()),
    }
}

/// `ssh` with arguments, to which more can be added.
fn is_plain_ssh(command: &OsStr) -> bool {
    let Some(command) = command.to_str() else { return false };
    let program = command.split_whitespace().next().unwrap_or_default();
    program.rsplit('/').next() == Some("ssh")
        && !command.contains([';', '|', '&', '<', '>', '#', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_configuration_costs_no_process() {
        let clone = "[remote \"origin\"]\n\turl = https://h/r\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n";
        assert!(!text_matters(clone));
        assert!(text_matters("[remote \"origin\"]\n\tFetch = +refs/heads/*:refs/heads/*\n"));
        assert!(text_matters("[includeIf \"gitdir:~/x\"]\n\tpath = y\n"));
        assert!(text_matters("[core]\n\tsshCommand = ssh -i k\n"));
        assert!(text_matters("[hook \"deps\"]\n\tevent = post-merge\n"));
    }

    #[test]
    fn refspecs_that_write_outside_tracking_branches_are_recognised() {
        for (refspec, expected) in [
            ("+refs/heads/*:refs/remotes/origin/*", Target::Tracking),
            ("refs/heads/main", Target::Tracking),
            ("+refs/pull/*/head:refs/remotes/origin/pr/*", Target::Tracking),
            ("+refs/tags/*:refs/tags/*", Target::Elsewhere),
            ("+refs/notes/*:refs/notes/*", Target::Elsewhere),
            ("+refs/heads/*:refs/heads/*", Target::Branches),
            ("+refs/*:refs/*", Target::Branches),
            ("main:main", Target::Branches),
        ] {
            assert_eq!(target(refspec), expected, "{refspec}");
        }
        let parsed = parse(
            b"core.sshcommand\nssh -i k\0remote.o.fetch\na:refs/tags/a\0hook.a.B=c.event\npost-merge\0hook.a.B=c.command\nx\0",
        );
        assert_eq!(
            parsed,
            FetchSettings {
                ssh_command: Some("ssh -i k".into()),
                target: Target::Elsewhere,
                hooks: vec!["a.B=c".into()]
            }
        );
    }

    #[test]
    fn ssh_is_called_as_the_user_does_but_cannot_ask() {
        let call = |own: Option<&str>, configured: Option<&str>| {
            let environment: Vec<(OsString, OsString)> =
                own.map(|own| ("GIT_SSH_COMMAND".into(), own.into())).into_iter().collect();
            let settings = FetchSettings {
                ssh_command: configured.map(str::to_owned),
                ..FetchSettings::default()
            };
            ssh_command(&settings, &environment, 10).unwrap().into_string().unwrap()
        };
        let quiet = "-oBatchMode=yes -oConnectTimeout=10";
        assert_eq!(call(None, None), format!("ssh {quiet}"));
        assert_eq!(call(None, Some("/usr/bin/ssh -i k")), format!("/usr/bin/ssh -i k {quiet}"));
        assert_eq!(call(Some("ssh -v"), Some("other")), format!("ssh -v {quiet}"));
        assert_eq!(call(Some("plink -x"), None), "plink -x");
        assert_eq!(call(None, Some("ssh -v 2>log")), "ssh -v 2>log");
    }
}
