//! restic(1) with one repository. Address and password are in its environment, which only root can read,
//! and in no argument.

use super::BackupError;
use crate::provision::settings::backup::{Repository, Settings};
use crate::sys::fs::trusted_path;
use crate::sys::process::exec::{self, Output};
use crate::sys::process::tool;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// How long restic may take to answer a question.
const QUESTION: Duration = Duration::from_mins(10);
/// How long it may take for a whole repository.
const WHOLE: Duration = Duration::from_hours(6);
/// Maximum size of its answer, in bytes.
const MAX_OUTPUT: usize = 64 << 20;
/// Maximum size of the file of variables, in bytes.
const MAX_ENVIRONMENT: u64 = 64 << 10;
/// Maximum length of its message where it is repeated, in characters.
const MAX_MESSAGE: usize = 500;
const CACHE: &str = "/var/cache/terminal-lobby/restic";
/// Marks the snapshots that are ours.
pub(super) const TAG: &str = "terminal-lobby";

/// restic's exit code of a backup that lacks files that it could not read (restic-backup(1)).
const INCOMPLETE: i32 = 3;

#[derive(Debug)]
pub struct Restic<'a> {
    settings: &'a Settings,
    variables: Vec<(String, String)>,
}

/// A backup of one home.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Snapshot {
    pub id: String,
    /// RFC 3339.
    pub time: String,
    #[serde(default)]
    pub hostname: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub paths: Vec<String>,
}

impl Snapshot {
    /// The user whose home it is.
    pub fn user(&self) -> Option<&str> {
        self.tags.iter().find_map(|tag| tag.strip_prefix("home="))
    }
}

/// Whether a backup has every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backup {
    Complete,
    /// Some files could not be read: what restic says.
    Incomplete(String),
}

impl<'a> Restic<'a> {
    /// restic with a repository.
    ///
    /// # Errors
    /// It is not installed, or the password or the variables are not root's alone.
    pub fn new(settings: &'a Settings, repository: &Repository) -> Result<Self, BackupError> {
        if !tool::exists("restic") {
            return Err(BackupError::NoRestic);
        }
        let password = settings.password_file.as_str();
        let (file, real) = trusted_path::open_file(Path::new(password))?;
        crate::sys::net::secret::read_open(file, &real)?;
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut variables = match &settings.environment_file {
            Some(path) => environment(path.as_str())?,
            None => Vec::new(),
        };
        variables.extend([
            variable("RESTIC_REPOSITORY", repository.address()),
            variable("RESTIC_PASSWORD_FILE", password),
            variable("RESTIC_CACHE_DIR", CACHE),
        ]);
        Ok(Self { settings, variables })
    }

    /// Makes the repository.
    pub fn init(&self) -> Result<(), BackupError> {
        self.run(&["init"], QUESTION).map(drop)
    }

    /// Whether the repository is there and the password opens it.
    pub fn open(&self) -> Result<(), BackupError> {
        self.run(&["cat", "config"], QUESTION)?;
        // Only locks of processes that have ended: a host that went down leaves one.
        let _ = self.run(&["unlock"], QUESTION);
        Ok(())
    }

    /// The backups of one home, or of all, oldest first; of one host, or of all.
    pub fn snapshots(
        &self,
        user: Option<&str>,
        host: Option<&str>,
    ) -> Result<Vec<Snapshot>, BackupError> {
        let tags = user.map_or(TAG.to_owned(), |user| format!("{TAG},home={user}"));
        let mut args = vec!["snapshots", "--json", "--no-lock", "--tag", &tags];
        args.extend(host.into_iter().flat_map(|host| ["--host", host]));
        let answer = self.run(&args, QUESTION)?.stdout;
        let answer = serde_json::from_slice::<Option<Vec<Snapshot>>>(&answer);
        let answered = |source| BackupError::Answer { verb: "snapshots".to_owned(), source };
        let mut all = answer.map_err(answered)?.unwrap_or_default();
        all.sort_by_cached_key(|one| chrono::DateTime::parse_from_rfc3339(&one.time).ok());
        Ok(all)
    }

    /// Backs one home up. restic sees it through a mount of its own that is read-only, holds no other file
    /// system and on which no symbolic link is followed (mount(8), `nosymfollow`): whatever the user
    /// exchanges meanwhile, it leads nowhere else.
    pub fn backup(&self, user: &str, home: &Path, host: &str) -> Result<Backup, BackupError> {
        const SCRIPT: &str = "home=$1; shift
            mount --bind -- \"$home\" \"$home\"
            mount -o remount,bind,ro,nosymfollow,nosuid,nodev -- \"$home\"
            exec \"$@\"";
        let tag = format!("home={user}");
        let size = self.settings.max_file_size.as_str();
        let restic = ["restic", "backup", "--quiet", "--one-file-system", "--exclude-caches"];
        let mut args: Vec<OsString> =
            ["--mount", "--propagation", "private", "--", "sh", "-euc", SCRIPT, "sh"]
                .map(OsString::from)
                .to_vec();
        args.push(home.into());
        args.extend(restic.map(OsString::from));
        args.extend(["--tag", TAG, "--tag", &tag, "--host", host].map(OsString::from));
        args.extend(["--exclude-larger-than", size].map(OsString::from));
        for pattern in &self.settings.exclude {
            args.extend(["--exclude".into(), OsString::from(pattern.as_str())]);
        }
        args.extend(["--".into(), home.as_os_str().to_owned()]);
        let minutes = u64::from(self.settings.home_minutes);
        let output = self.spawn("unshare", &args, Duration::from_mins(minutes))?;
        match output.status.code() {
            Some(0) => Ok(Backup::Complete),
            Some(INCOMPLETE) => Ok(Backup::Incomplete(message(&output))),
            _ => Err(failed("backup", &output)),
        }
    }

    /// Removes what the policy does not keep.
    pub fn forget(&self, host: &str) -> Result<(), BackupError> {
        let keep = [
            ("--keep-daily", self.settings.keep_daily),
            ("--keep-weekly", self.settings.keep_weekly),
            ("--keep-monthly", self.settings.keep_monthly),
        ];
        let keep: Vec<(&str, String)> =
            keep.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| (key, n.to_string())).collect();
        let mut args = vec!["forget", "--quiet", "--prune", "--tag", TAG, "--host", host];
        args.extend(["--group-by", "host,tags"]);
        args.extend(keep.iter().flat_map(|(key, n)| [*key, n.as_str()]));
        self.run(&args, WHOLE).map(drop)
    }

    /// Checks the repository, and reads a share of its data.
    pub fn check(&self) -> Result<(), BackupError> {
        let share = format!("--read-data-subset={}%", self.settings.verify_percent.get());
        self.run(&["check", "--quiet", &share], WHOLE).map(drop)
    }

    /// Restores a snapshot below a directory, with owners and modes as recorded, and reads it again.
    pub fn restore(&self, snapshot: &Snapshot, target: &Path) -> Result<(), BackupError> {
        let args = ["restore", "--verify", "--target"].map(OsString::from).into_iter();
        let args = args.chain([target.into(), "--".into(), (&snapshot.id).into()]);
        let output = self.spawn("restic", &args.collect::<Vec<_>>(), WHOLE)?;
        if output.status.success() { Ok(()) } else { Err(failed("restore", &output)) }
    }

    fn run(&self, args: &[&str], deadline: Duration) -> Result<Output, BackupError> {
        let arguments: Vec<OsString> = args.iter().map(OsString::from).collect();
        let output = self.spawn("restic", &arguments, deadline)?;
        if output.status.success() { Ok(output) } else { Err(failed(args[0], &output)) }
    }

    fn spawn(
        &self,
        program: &str,
        args: &[OsString],
        deadline: Duration,
    ) -> Result<Output, BackupError> {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let program = tool::prepared(program, args, &variables);
        Ok(program.deadline(deadline).max_output(MAX_OUTPUT).run()?)
    }
}

fn failed(verb: &str, output: &Output) -> BackupError {
    let (verb, how) = (verb.to_owned(), exec::describe(output.status));
    BackupError::Restic { verb, how, text: message(output) }
}

/// The end of what it printed: the reason comes last.
fn message(output: &Output) -> String {
    let text = String::from_utf8_lossy(output.stderr.trim_ascii());
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    last.chars().take(MAX_MESSAGE).collect()
}

/// The variables of a file of root's: `NAME=VALUE` lines, `#` comments.
fn environment(path: &str) -> Result<Vec<(String, String)>, BackupError> {
    let bytes = trusted_path::read(Path::new(path), MAX_ENVIRONMENT)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let pair = |(at, line): (usize, &str)| {
        let name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let (key, value) = line
            .split_once('=')
            .filter(|(key, _)| name(key))
            .ok_or_else(|| BackupError::Environment { path: path.to_owned(), line: at + 1 })?;
        Ok((key.to_owned(), value.to_owned()))
    };
    lines.map(pair).collect()
}
