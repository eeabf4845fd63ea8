//! What is at a path of the home, without starting git, which would run what the repository names:
//! bounded, no link followed, no pipe waited for.

use super::config::{self, Config};
use super::home::Home;
use super::markers;
use crate::provision::home::HomeError;
use crate::provision::protocol::clip;
use crate::provision::protocol::code::{CloneFacts, CloneLocation, DefaultBranch, PathState};
use crate::provision::settings::repository;
use crate::sys::Dir;
use rustix::fs::FileType;

/// Maximum size of a clone's configuration, in bytes.
const MAX_CONFIG: u64 = 256 << 10;
/// Maximum size of a list of packed refs that is searched, in bytes.
const MAX_PACKED_REFS: u64 = 4 << 20;
/// Maximum length of a branch's name, in characters: longer ones are clipped in an answer.
const MAX_NAME: usize = 300;

/// The state of a managed location.
pub(super) fn of_location(home: &Home, location: &CloneLocation) -> PathState {
    match (location, home.dir().open_dir("code")) {
        (CloneLocation::Code, _) => of_name(home.dir(), "code"),
        (_, Ok(code)) => of_name(&code, location.name()),
        (_, Err(error)) if error.is_not_found() => PathState::Absent,
        (_, Err(error)) => PathState::Unknown(clip(&error.to_string())),
    }
}

/// The state of a name inside the clone at `outer`.
pub(super) fn of_nested(home: &Home, outer: &CloneLocation, name: &str) -> PathState {
    match home.dir().open_dir(outer.path()) {
        Ok(outer) => of_name(&outer, name),
        Err(error) => PathState::Unknown(clip(&error.to_string())),
    }
}

/// The state of a name in a directory.
pub(super) fn of_name(dir: &Dir, name: &str) -> PathState {
    let stat = match dir.stat(name) {
        Ok(None) => return PathState::Absent,
        Ok(Some(stat)) => stat,
        Err(error) => return PathState::Unknown(clip(&error.to_string())),
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => PathState::Link,
        FileType::Directory => of_directory(dir, name)
            .unwrap_or_else(|error| PathState::Unknown(clip(&error.to_string()))),
        other => PathState::Other(kind(other).to_owned()),
    }
}

fn kind(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a directory",
        FileType::RegularFile => "a file",
        FileType::Symlink => "a link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    }
}

fn of_directory(parent: &Dir, name: &str) -> Result<PathState, HomeError> {
    let problem = |text: &str| Err(HomeError::Precondition(text.to_owned()));
    let dir = parent.open_dir(name)?;
    if !dir.is_own()? {
        return problem("it belongs to another account");
    }
    let Some(stat) = dir.stat(".git")? else { return Ok(PathState::Directory) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {}
        FileType::RegularFile => return problem("its repository is elsewhere"),
        other => return problem(&format!("its .git is {}", kind(other))),
    }
    let git = dir.open_dir(".git")?;
    if !git.is_own()? {
        return problem("its .git belongs to another account");
    }
    let bytes = git.read("config", MAX_CONFIG)?;
    let config = match config::parse(&String::from_utf8_lossy(&bytes)) {
        Ok(config) => config,
        Err(error) => return problem(&error.to_string()),
    };
    if config.includes && config.remotes.is_empty() {
        return problem("its configuration is elsewhere");
    }
    clone_facts(&git, config).map(PathState::Clone)
}

fn clone_facts(git: &Dir, config: Config) -> Result<CloneFacts, HomeError> {
    let head = git.read("HEAD", 4096)?;
    let branch = head.strip_prefix(b"ref: refs/heads/").map(|name| {
        let name = name.trim_ascii();
        clip(&String::from_utf8_lossy(name))
    });
    let branch = branch.filter(|name| is_plain(name));
    let mut clone = CloneFacts { moving: markers::is_moving(git)?, ..CloneFacts::default() };
    if let Some(branch) = branch {
        clone.upstream = config.upstreams.contains(&branch);
        if !clone.upstream {
            let names = config.remotes.iter().map(|remote| remote.name.as_str());
            let has = |name: &&str| is_plain(name) && has_branch(git, name, &branch);
            clone.tracking = names.filter(has).map(clip).collect();
        }
        clone.branch = Some(branch);
    }
    clone.default_branch = default_branch(git, &config);
    clone.remotes = config.remotes;
    for remote in &mut clone.remotes {
        remote.name = clip(&remote.name);
        remote.url = repository::without_login(&remote.url);
    }
    Ok(clone)
}

/// The branch that `origin` has checked out, as the clone remembers it.
fn default_branch(git: &Dir, config: &Config) -> Option<DefaultBranch> {
    let head = git.read("refs/remotes/origin/HEAD", 4096).ok()?;
    let name = head.trim_ascii().strip_prefix(b"ref: refs/remotes/origin/")?;
    let name = String::from_utf8(name.to_vec()).ok().filter(|name| is_plain(name))?;
    let upstream = match config.merges.get(&name) {
        Some((Some(remote), Some(merge))) if *merge == format!("refs/heads/{name}") => {
            Some(clip(remote))
        }
        _ => None,
    };
    Some(DefaultBranch { name, upstream })
}

/// Whether a name is safe as a path below `refs` and as an argument.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.chars().count() < MAX_NAME
        && !name
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || "\u{fffd}~^:?*[\\".contains(c))
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn has_branch(git: &Dir, remote: &str, branch: &str) -> bool {
    let name = format!("refs/remotes/{remote}/{branch}");
    if git.has_file(&name).unwrap_or(false) {
        return true;
    }
    let packed = git.read("packed-refs", MAX_PACKED_REFS).unwrap_or_default();
    let is_it = |line: &[u8]| line.split(|byte| *byte == b' ').nth(1) == Some(name.as_bytes());
    packed.split(|byte| *byte == b'\n').any(is_it)
}
