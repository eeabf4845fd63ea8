//! Where an applied roster came from: its commit, when it lies in a clone of root's.

use crate::provision::apply::RosterSource;
use crate::provision::state::digest;
use crate::sys::fs::trusted_path;
use crate::sys::process::tool;
use std::path::Path;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);
/// A clone of root's may still name programs in its configuration; none of these is run.
const HARMLESS: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];

/// The origin of the roster at `path`. git is asked only where everything down to the clone's own
/// directory is root's: in anybody else's it would run what they say.
pub fn of(path: &Path, name: &str, bytes: &[u8]) -> RosterSource {
    let mut source =
        RosterSource { file: name.to_owned(), hash: digest::of(bytes), commit: None, edited: None };
    let Ok(real) = path.canonicalize() else { return source };
    let clone = real.ancestors().skip(1).find(|dir| dir.join(".git").is_dir());
    let Some(clone) =
        clone.filter(|dir| trusted_path::assert_roots_own(&dir.join(".git/config")).is_ok())
    else {
        return source;
    };
    let git = |args: &[&str]| {
        let place = clone.to_string_lossy();
        let args = [&HARMLESS[..], &["-C", &place], args].concat();
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
