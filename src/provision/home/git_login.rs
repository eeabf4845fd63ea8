//! The caller's login at a forge, and the settings of git that go with it.

use super::HomeError;
use super::files::{self, FileState};
use crate::provision::protocol::staged::{CREDENTIALS_FILE, is_login_for};
use crate::provision::protocol::{
    ForgeLogin, GitFacts, GitQuery, GitSetting, GitSettings, GitTask, clip,
};
use crate::provision::state::digest;
use crate::sys::Dir;
use crate::sys::fs::Existing;
use crate::sys::process::exec::Program;
use freshen::{QUIET_ENVIRONMENT, error_line};
use std::ffi::OsString;
use std::time::Duration;

/// Maximum size of the file of logins, in bytes.
const MAX: u64 = 256 << 10;
const DEADLINE: Duration = Duration::from_secs(10);
/// git-credential-store(1) reads this one, too, if it exists.
const OTHER_FILE: (&[&str], &str) = (&[".config", "git"], "credentials");
/// What git makes while it changes the file.
const LOCK: &str = ".git-credentials.lock";

pub(super) fn inspect(query: &GitQuery) -> GitFacts {
    let login = match login(&query.forge) {
        Ok(Some(line)) => ForgeLogin::Present(digest::of(&line)),
        Ok(None) => ForgeLogin::Absent,
        Err(error) => ForgeLogin::Unusable(error.to_string()),
    };
    let settings =
        GitSetting::ALL.into_iter().filter_map(|setting| match has(setting, &query.forge) {
            Ok(true) => Some(Ok(setting)),
            Ok(false) => None,
            Err(error) => Some(Err(clip(&error.to_string()))),
        });
    let settings = match settings.collect() {
        Ok(present) => GitSettings::Present(present),
        Err(why) => GitSettings::Unknown(why),
    };
    GitFacts { login, settings }
}

/// The line with the login, in whichever file git reads first.
fn login(forge: &str) -> Result<Option<Vec<u8>>, HomeError> {
    let line = |text: &[u8]| {
        let mut lines = text.split(|byte| *byte == b'\n');
        lines.find(|line| is_login_for(line, forge)).map(|line| line.trim_ascii().to_vec())
    };
    let home = files::open_home()?;
    if let Some(line) = text(&home, CREDENTIALS_FILE)?.and_then(|text| line(&text)) {
        return Ok(Some(line));
    }
    let (directories, file) = OTHER_FILE;
    let Some(dir) = files::dir_at(home, directories)? else { return Ok(None) };
    Ok(text(&dir, file)?.and_then(|text| line(&text)))
}

fn text(dir: &Dir, name: &str) -> Result<Option<Vec<u8>>, HomeError> {
    match files::read(dir, name, MAX) {
        FileState::Absent => Ok(None),
        FileState::Content(bytes) => Ok(Some(bytes)),
        FileState::Unusable(error) => Err(error),
    }
}

/// Whether a setting has a value, wherever git has it from.
fn has(setting: GitSetting, forge: &str) -> Result<bool, HomeError> {
    let args: Vec<&str> = match setting {
        GitSetting::Name => vec!["config", "--get", "user.name"],
        GitSetting::Email => vec!["config", "--get", "user.email"],
        GitSetting::Helper => vec!["config", "--get-urlmatch", "credential.helper", forge],
    };
    Ok(git(&args, true)?.is_some_and(|value| !value.trim_ascii().is_empty()))
}

/// Runs git outside of every repository. With `may_lack`, exit code 1 says that there is no value.
fn git(args: &[&str], may_lack: bool) -> Result<Option<Vec<u8>>, HomeError> {
    let kept = ["HOME", "USER", "LOGNAME", "PATH", "LANG"].into_iter();
    let mut environment: Vec<(OsString, OsString)> =
        kept.filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect();
    environment.extend(QUIET_ENVIRONMENT.map(|(name, value)| (name.into(), value.into())));
    let git = Program::new("git").args(["-C", "/"]).args(args).environment(environment);
    let output = git.deadline(DEADLINE).max_output(64 << 10).run()?;
    match output.status.code() {
        Some(0) => Ok(Some(output.stdout)),
        Some(1) if may_lack => Ok(None),
        _ => {
            let text = error_line(&String::from_utf8_lossy(&output.stderr));
            Err(HomeError::Command { command: "git".to_owned(), text })
        }
    }
}

pub(super) fn perform(task: &GitTask) -> Result<Vec<String>, HomeError> {
    match task {
        GitTask::Login { forge, line, before } => write_login(forge, &line.0, before.as_deref()),
        GitTask::Set { forge, setting, value } => {
            let key = setting.key(forge);
            if has(*setting, forge)? {
                return Ok(vec![format!("git has {key} already")]);
            }
            git(&["config", "--global", &key, value], false)?;
            Ok(vec![format!("set git's {key}")])
        }
    }
}

/// Adds the login, or replaces the one that was found.
fn write_login(forge: &str, line: &str, before: Option<&str>) -> Result<Vec<String>, HomeError> {
    let path = format!("~/{CREDENTIALS_FILE}");
    let found = login(forge)?.map(|line| digest::of(&line));
    if found.as_deref() == Some(&digest::of(line.as_bytes())) {
        return Ok(vec![format!("{path} has the login already")]);
    }
    if found.as_deref() != before {
        return Err(HomeError::unusable(path, "another login is there: left as it is"));
    }
    let home = files::open_home()?;
    if files::exists(&home, LOCK)? {
        return Err(HomeError::unusable(format!("~/{LOCK}"), "git is changing the logins"));
    }
    let old = text(&home, CREDENTIALS_FILE)?;
    let existing = if old.is_some() { Existing::Replaced } else { Existing::Kept };
    let mut new = Vec::new();
    for kept in old.unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        if before.is_none() || Some(digest::of(kept.trim_ascii()).as_str()) != before {
            new.extend(kept);
        }
    }
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    new.extend(line.as_bytes());
    new.push(b'\n');
    home.write(CREDENTIALS_FILE, &new, existing)?;
    Ok(vec![format!("login for {forge} written to {path} (0600)")])
}
