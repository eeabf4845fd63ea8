//! Where an applied roster came from: its commit, if it is in a clone of root's.

use crate::provision::state::digest;
use crate::sys::fs::trusted_path;
use crate::sys::process::tool;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);
/// A clone of root's may still name programs in its configuration; these settings keep git from running
/// them.
const RUN_NOTHING: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];

/// Where an applied roster came from. The file may differ from what is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterSource {
    /// The file, as it is printed.
    pub file: String,
    /// The hash of its bytes.
    pub hash: String,
    /// The commit of the clone around it; `None` outside a clone of root's.
    pub commit: Option<String>,
    /// Whether the file differs from that commit's.
    pub edited: Option<bool>,
    /// Whether it was read from the commit, not from the file: the next one must follow on it.
    #[serde(skip)]
    pub is_from_commit: bool,
}

/// The origin of the roster at `path`. git is asked only if the clone and all directories above it are
/// root's own: in another user's clone git would run what that user configured.
pub fn of(path: &Path, name: &str, bytes: &[u8]) -> RosterSource {
    let (file, hash) = (name.to_owned(), digest::of(bytes));
    let mut source = RosterSource { file, hash, ..RosterSource::default() };
    let Ok(real) = path.canonicalize() else { return source };
    let clone = real.ancestors().skip(1).find(|dir| dir.join(".git").is_dir());
    let Some(clone) = clone.filter(|dir| trusted_path::check(&dir.join(".git/config")).is_ok())
    else {
        return source;
    };
    let git = |args: &[&str]| {
        let place = clone.to_string_lossy();
        let args = [&RUN_NOTHING[..], &["-C", &place], args].concat();
        let variables = [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_CONFIG_NOSYSTEM", "1")];
        tool::run_with("git", args, &variables, DEADLINE).ok()
    };
    let Some(commit) = git(&["rev-parse", "--verify", "HEAD"]) else { return source };
    let commit = String::from_utf8_lossy(commit.trim_ascii()).into_owned();
    if commit.bytes().all(|byte| byte.is_ascii_hexdigit()) && commit.len() >= 40 {
        let inside = real.strip_prefix(clone).unwrap_or(&real).to_string_lossy().into_owned();
        let committed = git(&["cat-file", "blob", &format!("HEAD:{inside}")]);
        source.edited = Some(committed.as_deref() != Some(bytes));
        source.commit = Some(commit);
    }
    source
}
