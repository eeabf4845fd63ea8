//! The sockets of the users' agents: one for each user of the map who is not parked, and no others.

use super::{ACCOUNT, Configuration, shown};
use crate::identity::UserMap;
use crate::persist::report::Check;
use crate::provision::paths::APPLIED;
use crate::roster;
use crate::sys::{Dir, accounts, fs};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

const NAME: &str = "lobby agents";
const MAX_SIZE: u64 = 16 << 20;
/// The most sockets that are looked at.
const MAX_SOCKETS: usize = 100_000;
/// Users that a check names.
const NAMED: usize = 3;

/// A socket: owner, group, permission bits.
type Socket = (u32, u32, u32);

pub(super) fn checks(
    configuration: &Configuration,
    below: &dyn Fn(&Path) -> PathBuf,
) -> Vec<Check> {
    let map = fs::read(&below(&configuration.user_map), MAX_SIZE).unwrap_or_default();
    let (map, _) = UserMap::parse(&String::from_utf8_lossy(&map), &configuration.user_map);
    let applied = fs::read(&below(&Path::new(APPLIED).join("roster.yaml")), MAX_SIZE);
    let applied = applied.ok().and_then(|bytes| roster::parse(&bytes).ok());
    let is_parked = |user: &str| {
        applied
            .as_ref()
            .is_some_and(|document| document.roster.users.get(user).is_some_and(|row| row.parked))
    };
    let wanted: BTreeSet<String> =
        map.users().filter(|user| !is_parked(user)).map(str::to_owned).collect();
    let directory = below(&configuration.agents);
    let names = Dir::open(&directory).and_then(|dir| dir.names(MAX_SOCKETS)).ok().flatten();
    let mut present = BTreeMap::new();
    for name in names.unwrap_or_default() {
        let Some(user) = name.to_str().and_then(|name| name.strip_suffix(".sock")) else {
            continue;
        };
        if let Ok(meta) = directory.join(&name).symlink_metadata()
            && meta.file_type().is_socket()
        {
            present.insert(user.to_owned(), (meta.uid(), meta.gid(), meta.mode() & 0o7777));
        }
    }
    let own = accounts::gid_of(ACCOUNT).ok().flatten().map_or(0, nix::unistd::Gid::as_raw);
    judge(&wanted, &present, own, &configuration.agents)
}

fn judge(
    wanted: &BTreeSet<String>,
    present: &BTreeMap<String, Socket>,
    own: u32,
    directory: &Path,
) -> Vec<Check> {
    let missing: Vec<&str> =
        wanted.iter().filter(|user| !present.contains_key(*user)).map(String::as_str).collect();
    let others: Vec<&str> =
        present.keys().filter(|user| !wanted.contains(*user)).map(String::as_str).collect();
    let open: Vec<&str> = present
        .iter()
        .filter(|(_, (owner, group, mode))| *owner != 0 || *group != own || *mode != 0o660)
        .map(|(user, _)| user.as_str())
        .collect();
    let unit = |user: &str| format!("lobby-agent@{user}.socket");
    let mut checks = Vec::new();
    if let Some(first) = missing.first() {
        let what = format!("no socket of {}: their lobby does not open", named(&missing));
        checks.push(Check::fault(NAME, what, format!("systemctl enable --now {}", unit(first))));
    }
    if let Some(first) = others.first() {
        let what = format!("a socket of {}, not in the map or parked", named(&others));
        checks.push(Check::warn(NAME, what, format!("systemctl disable --now {}", unit(first))));
    }
    if let Some(first) = open.first() {
        let path = shown(directory);
        let what = format!("{path}: the socket of {} is not root:{ACCOUNT} 660", named(&open));
        checks.push(Check::fault(NAME, what, format!("systemctl restart {}", unit(first))));
    }
    if checks.is_empty() {
        checks
            .push(Check::ok(NAME, format!("{} sockets, of all users who need one", present.len())));
    }
    checks
}

fn named(users: &[&str]) -> String {
    let first = users[..users.len().min(NAMED)].join(", ");
    match users.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState::{Fault, Ok, Warn};

    const OWN: u32 = 990;

    fn judged(wanted: &[&str], present: &[(&str, Socket)]) -> Vec<Check> {
        let wanted = wanted.iter().map(|user| (*user).to_owned()).collect();
        let present = present.iter().map(|(user, socket)| ((*user).to_owned(), *socket)).collect();
        judge(&wanted, &present, OWN, Path::new("/a"))
    }

    #[test]
    fn each_user_who_needs_a_socket_has_one_of_roots_and_no_other_user() {
        let good = (0, OWN, 0o660);
        assert_eq!(judged(&["ann"], &[("ann", good)])[0].state, Ok);
        let missing = judged(&["ann", "bob"], &[("ann", good)]);
        assert_eq!((missing.len(), missing[0].state), (1, Fault));
        assert_eq!(
            missing[0].fix.as_deref(),
            Some("systemctl enable --now lobby-agent@bob.socket")
        );
        let other = judged(&["ann"], &[("ann", good), ("eve", good)]);
        assert_eq!((other.len(), other[0].state), (1, Warn));
        for open in [(0, OWN, 0o666), (0, 0, 0o660), (1000, OWN, 0o660)] {
            assert_eq!(judged(&["ann"], &[("ann", open)])[0].state, Fault, "{open:?}");
        }
    }
}
