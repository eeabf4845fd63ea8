//! Shared rules, skills, agents and files for zsh in the caller's home.

use super::{HomeError, files};
use crate::provision::protocol::shared::{Entry, Folder, Kind, SharedLink};
use crate::provision::protocol::{SharedFacts, SharedTask};
use crate::sys::Dir;
use std::collections::BTreeMap;
use std::ffi::OsStr;

/// Maximum number of entries of a folder.
const MAX_NAMES: usize = 500;
/// Maximum length of a link's target in an answer, in bytes; a longer one is the user's.
const MAX_TARGET: usize = 300;

pub(super) fn inspect() -> SharedFacts {
    let folder = |kind| names(kind).unwrap_or_else(|error| Folder::Unusable(error.to_string()));
    Kind::ALL.into_iter().map(|kind| (kind, folder(kind))).collect()
}

fn names(kind: Kind) -> Result<Folder, HomeError> {
    let Some(dir) = open(&files::open_home()?, kind)? else {
        return Ok(Folder::Names(BTreeMap::new()));
    };
    let Some(names) = dir.names(MAX_NAMES)? else {
        return Ok(Folder::Unusable(format!("~/{}: more than {MAX_NAMES} names", kind.path(""))));
    };
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let names = names.map(|name| Ok((name.clone(), entry(&dir, &name)?)));
    names.collect::<Result<_, HomeError>>().map(Folder::Names)
}

/// Opens a folder, unless it is absent.
fn open(home: &Dir, kind: Kind) -> Result<Option<Dir>, HomeError> {
    let mut dir = None;
    for name in kind.folders() {
        match files::dir(dir.as_ref().unwrap_or(home), name)? {
            Some(next) => dir = Some(next),
            None => return Ok(None),
        }
    }
    Ok(dir)
}

/// Opens a folder; a missing one is made.
fn ensure(home: &Dir, kind: Kind) -> Result<Dir, HomeError> {
    let mut dir = None;
    for name in kind.folders() {
        dir = Some(files::ensure_dir(dir.as_ref().unwrap_or(home), name)?);
    }
    dir.ok_or(HomeError::Request("a folder of links"))
}

fn entry(dir: &Dir, name: &str) -> Result<Entry, HomeError> {
    let target = dir.link_target(name)?.and_then(|target| target.into_string().ok());
    Ok(target.filter(|to| to.len() <= MAX_TARGET).map_or(Entry::Other, Entry::Link))
}

pub(super) fn perform(task: &SharedTask) -> Result<Vec<String>, HomeError> {
    let SharedTask::Links { remove, add } = task;
    if remove.iter().chain(add).any(|link| !is_plain(link)) {
        return Err(HomeError::Request("a name of a link"));
    }
    let home = files::open_home()?;
    let mut lines = Vec::new();
    for link in remove {
        let Some(dir) = open(&home, link.kind)? else { continue };
        if dir.link_target(&link.name)?.is_some_and(|found| found == *link.target) {
            dir.remove(&link.name)?;
            lines.push(format!("removed ~/{}", link.kind.path(&link.name)));
        }
    }
    for link in add {
        let dir = ensure(&home, link.kind)?;
        let path = format!("~/{}", link.kind.path(&link.name));
        // Whatever is there by now is the user's: nothing is replaced.
        dir.ensure_link(&link.name, OsStr::new(&link.target))?;
        let made = dir.link_target(&link.name)?.is_some_and(|found| found == *link.target);
        let how = if made { "linked" } else { "something else is there: left as it is" };
        lines.push(format!("{path}: {how}"));
    }
    Ok(lines)
}

fn is_plain(link: &SharedLink) -> bool {
    let name = link.name.as_str();
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['/', '\0'])
        && !link.kind.is_personal(name)
        && link.kind.accepts(name)
}
