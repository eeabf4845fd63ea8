//! Other accounts that have the uid, the home or a part of the home of the user who leaves. What another
//! account has, too, is neither cut nor frozen nor removed: it would be taken from both.

use super::account::{PASSWD, read, rows};
use super::error::{HomeError, OffboardError, PolicyError};
use crate::sys::accounts;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A line of `/etc/passwd`, as far as it is compared.
struct Entry<'a> {
    name: &'a str,
    uid: Option<u32>,
    home: &'a Path,
}

fn entries(passwd: &str) -> impl Iterator<Item = Entry<'_>> {
    rows(passwd).filter_map(|fields| {
        let name = *fields.first().filter(|name| !name.is_empty())?;
        let home = Path::new(*fields.get(5)?);
        Some(Entry { name, uid: fields.get(2)?.parse().ok(), home })
    })
}

/// Fails if another name of `/etc/passwd`, or of another source of accounts, has this uid.
pub(super) fn check_uid(user: &str, uid: u32) -> Result<(), OffboardError> {
    let passwd = read(PASSWD)?;
    let mut others = uid_sharers(&passwd, user, uid);
    let first = accounts::name_of(uid).ok().flatten();
    if let Some(name) = first.filter(|name| name != user && !others.contains(name)) {
        others.push(name);
    }
    if others.is_empty() {
        return Ok(());
    }
    Err(PolicyError::SharedUid { user: user.to_owned(), uid, others }.into())
}

fn uid_sharers(passwd: &str, user: &str, uid: u32) -> Vec<String> {
    let others = entries(passwd).filter(|entry| entry.uid == Some(uid) && entry.name != user);
    let mut names: Vec<String> = others.map(|entry| entry.name.to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// Fails if another account has this home, a home below it, or, as a person, one that it is below.
pub(super) fn check_home(user: &str, home: &str) -> Result<(), OffboardError> {
    let (passwd, uid_min) = (read(PASSWD)?, super::uid_min());
    match home_sharer(&passwd, user, Path::new(home), uid_min, &real_path) {
        Some((other, theirs)) => {
            let (home, other) = (PathBuf::from(home), other.to_owned());
            Err(HomeError::Shared { home, other, theirs: theirs.to_owned() }.into())
        }
        None => Ok(()),
    }
}

/// The first account whose home is, holds or is in this one. `real` resolves the links of a path.
fn home_sharer<'p>(
    passwd: &'p str,
    user: &str,
    home: &Path,
    uid_min: u32,
    real: &dyn Fn(&Path) -> Vec<PathBuf>,
) -> Option<(&'p str, &'p Path)> {
    // A home that is a link is not followed: only the link would be moved.
    let name = home.file_name().unwrap_or_default();
    let mut ours: Vec<PathBuf> =
        home.parent().map(real).unwrap_or_default().iter().map(|dir| dir.join(name)).collect();
    ours.extend(real(home).into_iter().next());
    let of_others = entries(passwd).filter(|entry| entry.name != user && entry.home.is_absolute());
    let shared = |entry: &Entry<'_>| {
        let is_person = entry.uid.is_none_or(|uid| uid >= uid_min);
        real(entry.home).iter().any(|theirs| {
            ours.iter().any(|ours| {
                let is_above = is_person && theirs != Path::new("/") && ours.starts_with(theirs);
                theirs.starts_with(ours) || is_above
            })
        })
    };
    of_others.into_iter().find(shared).map(|entry| (entry.name, entry.home)).or_else(|| {
        // The same directory under another path, as a bind mount makes it.
        let inode = |path: &Path| path.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
        let own = home.symlink_metadata().ok().map(|meta| (meta.dev(), meta.ino()))?;
        let same =
            |entry: &Entry<'_>| entry.name != user && inode(entry.home).is_some_and(|it| it == own);
        entries(passwd).find(same).map(|entry| (entry.name, entry.home))
    })
}

/// A path with `.`, `..` and double slashes taken out, and the same with its links resolved as far as it
/// exists.
fn real_path(path: &Path) -> Vec<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    let resolved = plain.ancestors().find_map(|above| {
        let rest = plain.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    });
    let mut paths = vec![plain];
    paths.extend(resolved);
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD_TEXT: &str = "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n\
        bob:x:1500:1500::/home/bob:/bin/sh\nbob2:x:1500:1500::/home/bob2:/bin/sh\n\
        robert:x:1501:1501::/home/bob/:/bin/sh\nann:x:1502:1502::/home/ann:/bin/sh\n\
        tool:x:77:77::/home/ann/tool:/bin/sh\nteam:x:1503:1503::/srv/team:/bin/sh\n\
        cid:x:1504:1504::/srv/team/cid:/bin/sh\nhomes:x:78:78::/home:/bin/sh\n\
        dot:x:1505:1505::/home/x/../dee:/bin/sh\ndee:x:1506:1506::/home/dee:/bin/sh\n\
        annex:x:1507:1507::/home/ann-x:/bin/sh\nempty:x:1508:1508:::/bin/sh\n";

    #[test]
    fn every_other_name_with_the_uid_is_named() {
        assert_eq!(uid_sharers(PASSWD_TEXT, "bob", 1500), ["bob2"]);
        assert_eq!(uid_sharers(PASSWD_TEXT, "bob2", 1500), ["bob"]);
        assert!(uid_sharers(PASSWD_TEXT, "ann", 1502).is_empty());
    }

    #[test]
    fn a_home_that_is_holds_or_is_in_another_accounts_home_is_shared() {
        let shared = |user: &str, home: &str| {
            let plain = |path: &Path| real_path(path).into_iter().take(1).collect::<Vec<_>>();
            home_sharer(PASSWD_TEXT, user, Path::new(home), 1000, &plain).map(|(name, _)| name)
        };
        assert_eq!(shared("bob", "/home/bob"), Some("robert"), "the same, with a slash");
        assert_eq!(shared("robert", "/home/bob"), Some("bob"));
        assert_eq!(shared("ann", "/home/ann"), Some("tool"), "a part of it");
        assert_eq!(shared("cid", "/srv/team/cid"), Some("team"), "a part of a person's");
        assert_eq!(shared("team", "/srv/team"), Some("cid"));
        assert_eq!(shared("dee", "/home/dee"), Some("dot"), "by another spelling");
        assert_eq!(shared("bob2", "/home/bob2"), None, "below a system account's is not shared");
        assert_eq!(shared("annex", "/home/ann-x"), None, "a longer name is another directory");
    }

    #[test]
    fn a_home_behind_a_link_is_the_same_home() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("real/bob")).unwrap();
        std::os::unix::fs::symlink(at("real"), at("linked")).unwrap();
        let passwd = format!(
            "bob:x:1500:1500::{0}/real/bob:/bin/sh\nrob:x:1501:1501::{0}/linked/bob:/bin/sh\n",
            root.path().display()
        );
        let found = home_sharer(&passwd, "bob", &at("real/bob"), 1000, &real_path);
        assert_eq!(found.map(|(name, _)| name), Some("rob"));
    }
}
