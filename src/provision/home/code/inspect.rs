//! Seeing what is there, without starting git where its files tell it: bounded, no link followed, no
//! pipe waited for.

use super::config::{self, Config};
use super::{Clone, Facts, Look, Place, Repo, Spot, clone, git, relocate};
use crate::provision::settings::repository;
use crate::sys::{Dir, FileError};
use rustix::fs::FileType;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No configuration that is read is larger (bytes).
const MAX_CONFIG: u64 = 256 << 10;
/// No list of packed refs that is searched is larger (bytes).
const MAX_PACKED: u64 = 4 << 20;
/// No name and no reason is longer where it is told (characters).
const MAX_TEXT: usize = 300;
/// How long git may take to say whether a name is tracked.
const ASKING: Duration = Duration::from_secs(5);

/// The caller's home, open.
pub(crate) struct Home {
    dir: Dir,
}

impl Home {
    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// `~/code`, which must be a directory of one's own.
    pub(crate) fn code(&self) -> Result<Dir, String> {
        let code = self.dir.open_dir("code").map_err(text)?;
        if code.is_own().map_err(text)? { Ok(code) } else { Err("~/code is not one's own".into()) }
    }

    /// What is at a managed place.
    pub(crate) fn at(&self, spot: &Spot) -> Place {
        match (spot, self.dir.open_dir("code")) {
            (Spot::Code, _) => place(&self.dir, "code"),
            (_, Ok(code)) => place(&code, spot.name()),
            (_, Err(error)) if error.is_not_found() => Place::Absent,
            (_, Err(error)) => Place::Unknown(clipped(&error.to_string())),
        }
    }
}

/// Opens the caller's home.
pub(crate) fn home() -> Result<Home, String> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let real = home.canonicalize().map_err(|error| format!("opening the home: {error}"))?;
    let dir = Dir::open(&real).map_err(text)?;
    if dir.is_own().map_err(text)? { Ok(Home { dir }) } else { Err("not one's own home".into()) }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn text(error: FileError) -> String {
    clipped(&error.to_string())
}

/// Looks, as the user.
pub(in crate::provision::home) fn look(look: &Look) -> Facts {
    match home() {
        Ok(home) => facts(&home, look),
        Err(why) => Facts { code: Place::Unknown(why), ..Facts::default() },
    }
}

fn facts(home: &Home, look: &Look) -> Facts {
    let code = home.at(&Spot::Code);
    let workspace = code == Place::Directory;
    let at = |spot: &Spot| if workspace { home.at(spot) } else { Place::Absent };
    let infra = at(&Spot::Infra);
    let outer = match (&code, &infra) {
        (Place::Clone(_), _) => Some(Spot::Code),
        (_, Place::Clone(_)) => Some(Spot::Infra),
        _ => None,
    };
    let repos = look.repos.iter().filter(|name| Spot::Repo((*name).clone()).is_sound());
    let repos = repos.map(|name| {
        let place = at(&Spot::Repo(name.clone()));
        let found = outer.as_ref().map(|outer| inside(home, outer, name));
        let (nested, tracked) = found.unwrap_or((Place::Absent, false));
        (name.clone(), Repo { place, nested, tracked })
    });
    let mut facts = Facts { repos: repos.collect(), ..Facts::default() };
    let spots = facts.repos.keys().map(|name| Spot::Repo(name.clone()));
    let spots = [Spot::Code, Spot::Infra].into_iter().chain(spots);
    facts.leftovers = spots.filter(|spot| clone::has_leftover(home, spot)).collect();
    facts.between = place(home.dir(), relocate::BETWEEN);
    Facts { code, infra, ..facts }
}

/// A name inside the clone of the infrastructure.
pub(crate) fn nested(home: &Home, outer: &Spot, name: &str) -> Place {
    match home.dir().open_dir(outer.path()) {
        Ok(outer) => place(&outer, name),
        Err(error) => Place::Unknown(clipped(&error.to_string())),
    }
}

/// The same, and for a clone whether the outer one tracks the name.
fn inside(home: &Home, outer: &Spot, name: &str) -> (Place, bool) {
    let nested = nested(home, outer, name);
    if !matches!(nested, Place::Clone(_)) {
        return (nested, false);
    }
    match is_tracked(home, outer, name) {
        Ok(tracked) => (nested, tracked),
        Err(why) => (Place::Unknown(clipped(&why)), false),
    }
}

/// Whether a clone tracks a name or something below it; git is asked, since its index is git's.
pub(crate) fn is_tracked(home: &Home, outer: &Spot, name: &str) -> Result<bool, String> {
    let clone = outer.path();
    let args = [
        format!("--git-dir={clone}/.git"),
        format!("--work-tree={clone}"),
        "ls-files".to_owned(),
        "-z".to_owned(),
        "--".to_owned(),
        format!(":(top,literal){name}"),
    ];
    Ok(!git::git(home, &args, false, ASKING)?.is_empty())
}

/// What is at a name of a directory.
pub(crate) fn place(dir: &Dir, name: &str) -> Place {
    let stat = match dir.stat(name) {
        Ok(None) => return Place::Absent,
        Ok(Some(stat)) => stat,
        Err(error) => return Place::Unknown(text(error)),
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Place::Link,
        FileType::Directory => directory(dir, name).unwrap_or_else(Place::Unknown),
        other => Place::Other(kind(other).to_owned()),
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

fn directory(parent: &Dir, name: &str) -> Result<Place, String> {
    let dir = parent.open_dir(name).map_err(text)?;
    if !dir.is_own().map_err(text)? {
        return Err("it belongs to another account".to_owned());
    }
    let Some(stat) = dir.stat(".git").map_err(text)? else { return Ok(Place::Directory) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {}
        FileType::RegularFile => return Err("its repository is elsewhere".to_owned()),
        other => return Err(format!("its .git is {}", kind(other))),
    }
    let git = dir.open_dir(".git").map_err(text)?;
    if !git.is_own().map_err(text)? {
        return Err("its .git belongs to another account".to_owned());
    }
    let bytes = git.read("config", MAX_CONFIG).map_err(text)?;
    let config = config::parse(&String::from_utf8_lossy(&bytes))?;
    if config.includes && config.remotes.is_empty() {
        return Err("its configuration is elsewhere".to_owned());
    }
    clone_at(&git, config).map(Place::Clone)
}

fn clone_at(git: &Dir, config: Config) -> Result<Clone, String> {
    let head = git.read("HEAD", 4096).map_err(text)?;
    let branch = head.strip_prefix(b"ref: refs/heads/").map(|name| {
        let name = name.trim_ascii();
        clipped(&String::from_utf8_lossy(name))
    });
    let branch = branch.filter(|name| is_plain(name));
    let mut clone = Clone { moving: relocate::is_begun(git)?, ..Clone::default() };
    if let Some(branch) = branch {
        clone.upstream = config.upstreams.contains(&branch);
        if !clone.upstream {
            let names = config.remotes.iter().map(|remote| remote.name.as_str());
            let has = |name: &&str| is_plain(name) && has_branch(git, name, &branch);
            clone.tracking = names.filter(has).map(clipped).collect();
        }
        clone.branch = Some(branch);
    }
    clone.remotes = config.remotes;
    for remote in &mut clone.remotes {
        remote.name = clipped(&remote.name);
        remote.url = repository::without_login(&remote.url);
    }
    Ok(clone)
}

/// A name that is safe as a path below `refs` and as an argument.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.chars().count() < MAX_TEXT
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
    let packed = git.read("packed-refs", MAX_PACKED).unwrap_or_default();
    let is_it = |line: &[u8]| line.split(|byte| *byte == b' ').nth(1) == Some(name.as_bytes());
    packed.split(|byte| *byte == b'\n').any(is_it)
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
