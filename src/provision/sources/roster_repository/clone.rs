//! The clone, in which git runs as its owner.

use super::RepositoryError;
use crate::provision::settings::roster_repository::RosterRepository;
use crate::sys::Account;
use crate::sys::accounts;
use crate::sys::fs::trusted_path;
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{ExecError, Output};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::process::tool;
use crate::text::escape;
use freshen::{QUIET_ENVIRONMENT, QUIET_SETTINGS, error_line};
use std::path::Path;
use std::time::Duration;

/// How long git may take without a network.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
/// Maximum size of the commits and of the roster's directories, packed, in bytes.
pub(super) const MAX_PACK: usize = 64 << 20;
/// Maximum number of commits between the one that was applied last and the new one.
const MAX_COMMITS: usize = 20_000;
/// Parts of a clone by which its content is decided, if they exist.
const DECIDING: [&str; 6] = [
    ".git/config",
    ".git/config.worktree",
    ".git/HEAD",
    ".git/refs",
    ".git/packed-refs",
    ".git/objects",
];

/// The clone, in which git runs as its owner.
pub(super) struct Clone<'a> {
    pub(super) from: &'a RosterRepository,
    owner: Account,
}

impl<'a> Clone<'a> {
    pub(super) fn of(from: &'a RosterRepository) -> Result<Self, RepositoryError> {
        let owner = accounts::by_name(&from.owner)?;
        if owner.uid.is_root() {
            let clone = Path::new(from.clone.as_str());
            for part in DECIDING {
                match trusted_path::check(&clone.join(part)) {
                    Err(error) if error.is_not_found() && part != ".git/config" => {}
                    checked => drop(checked?),
                }
            }
        }
        Ok(Self { from, owner })
    }

    pub(super) fn name(&self) -> String {
        self.from.clone.as_str().to_owned()
    }

    pub(super) fn failed(&self, why: &(impl ToString + ?Sized)) -> RepositoryError {
        RepositoryError::Git { clone: self.name(), why: why.to_string() }
    }

    pub(super) fn is_roots(&self) -> bool {
        self.owner.uid.is_root()
    }

    /// Runs git in the clone as its owner; gives its output, or the line that says why it failed.
    // A String: the line of git that the callers put into their errors.
    pub(super) fn git(
        &self,
        args: &[&str],
        input: Option<&[u8]>,
        deadline: Duration,
    ) -> Result<Vec<u8>, String> {
        output_of(&self.run(args, input, deadline)?)
    }

    /// As [`Clone::git`], whatever its exit code.
    // A String: the line that the callers put into their errors.
    pub(super) fn run(
        &self,
        args: &[&str],
        input: Option<&[u8]>,
        deadline: Duration,
    ) -> Result<Output, String> {
        let variables = QUIET_ENVIRONMENT.into_iter().chain([
            ("GIT_ALLOW_PROTOCOL", self.from.protocols()),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
        ]);
        // A process that becomes a user has a fixed environment: env(1) adds to it.
        let mut words: Vec<String> =
            variables.map(|(name, value)| format!("{name}={value}")).collect();
        words.extend(["git", "-C", self.from.clone.as_str()].map(str::to_owned));
        for setting in QUIET_SETTINGS.into_iter().chain(["submodule.recurse=false"]) {
            words.extend(["-c".to_owned(), setting.to_owned()]);
        }
        words.extend(args.iter().map(|&arg| arg.to_owned()));
        let mut program = tool::prepared("env", words, &[]);
        if !self.is_roots() {
            let (account, new_privileges) = (self.owner.clone(), NewPrivileges::Deny);
            program = program.becoming(Become { account, umask: 0o022, new_privileges });
        }
        if let Some(input) = input {
            program = program.input(input).map_err(|error| crate::text::io_reason(&error))?;
        }
        let output = program.deadline(deadline).max_output(MAX_PACK + 1).run();
        output.map_err(|error: ExecError| error.to_string())
    }

    /// The ids that git prints, one a line.
    pub(super) fn ids(&self, args: &[&str]) -> Result<Vec<String>, RepositoryError> {
        let output = self.git(args, None, DEADLINE);
        let output = output.map_err(|why| {
            let tracking = self.from.tracking_ref();
            self.failed(&format!("{tracking} or {}: {why}", self.from.path.as_str()))
        })?;
        let ids: Vec<String> =
            String::from_utf8_lossy(&output).lines().map(str::to_owned).collect();
        match ids.iter().find(|id| !is_id(id)) {
            Some(other) => Err(self.failed(&format!("'{}' is no id", escape(other.as_bytes())))),
            None => Ok(ids),
        }
    }

    /// The commits after `last`, up to `new`; `new` alone if `last` is not known there.
    pub(super) fn commits(&self, new: &str, last: &str) -> Vec<String> {
        let max = format!("--max-count={MAX_COMMITS}");
        let range = ["rev-list", &max, "--end-of-options", new, &format!("^{last}")];
        let mut commits = self.ids(&range).unwrap_or_default();
        if !commits.iter().any(|commit| commit == new) {
            commits.push(new.to_owned());
        }
        commits
    }
}

/// Whether a text is the id of an object.
pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The output of a git that succeeded, or the line that says why it failed.
// A String: the line of git that the callers put into their errors.
pub(super) fn output_of(output: &Output) -> Result<Vec<u8>, String> {
    if output.status.success() {
        return Ok(output.stdout.clone());
    }
    Err(error_of(output))
}

/// The line of a git that failed.
pub(super) fn error_of(output: &Output) -> String {
    escape(error_line(&String::from_utf8_lossy(&output.stderr)).as_bytes())
}
