//! Checks rows against each other and against the accounts of the host (pure).

use super::document::Document;
use super::row::Row;
use crate::yaml::problem::{Problem, quoted};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the host knows about accounts.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// The lowest uid of a person (`UID_MIN` of login.defs).
    pub uid_min: u32,
    /// The highest uid of a person (`UID_MAX`).
    pub uid_max: u32,
    /// The uids of those users of the roster that have an account.
    pub uids: BTreeMap<String, u32>,
    /// Names of groups.
    pub groups: BTreeSet<String>,
}

/// The lowest uid of a person, as login.defs(5) sets it [default: 1000].
pub fn uid_min(login_defs: &str) -> u32 {
    number(login_defs, "UID_MIN").unwrap_or(1000)
}

/// The highest uid of a person, as login.defs(5) sets it [default: 60000].
pub fn uid_max(login_defs: &str) -> u32 {
    number(login_defs, "UID_MAX").unwrap_or(60_000)
}

/// The last value of a key, in decimal, octal or hexadecimal digits as useradd(8) reads them.
fn number(login_defs: &str, key: &str) -> Option<u32> {
    let value = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some(key)).then(|| words.next()).flatten().and_then(|word| {
            let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
            match (hex, word.strip_prefix('0').filter(|rest| !rest.is_empty())) {
                (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
                (None, Some(digits)) => u32::from_str_radix(digits, 8).ok(),
                (None, None) => word.parse().ok(),
            }
        })
    };
    login_defs.lines().filter_map(value).next_back()
}

/// The account `nobody`, which owns files without an owner.
const NOBODY: u32 = 65_534;

/// A field whose value belongs to one user only.
type Identity = (&'static str, fn(&Row) -> &String);

const IDENTITIES: [Identity; 2] =
    [("authentik_user", |row| &row.authentik_user), ("k8s_user", |row| &row.k8s_user)];

/// Reports rows with the same identity.
pub(super) fn unique(document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, identity) in IDENTITIES {
        let mut first: HashMap<&String, &String> = HashMap::new();
        let mut rows: Vec<_> = document.rows.iter().collect();
        rows.sort_by_key(|(_, row)| row.place);
        for (user, place) in rows {
            let Some(row) = document.roster.users.get(user) else { continue };
            let identity = identity(row);
            if let Some(other) = first.insert(identity, user) {
                let (other, identity) = (quoted(other), quoted(identity));
                let what = format!("{} and {other} have the same {field} {identity}", quoted(user));
                let hint = "an identity belongs to one user: correct one of the rows";
                problems.push(Problem::new(place.place, what, hint));
            }
        }
    }
    problems
}

/// What is allowed, and perhaps not meant: namespaces with several owners.
pub fn warnings(document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut owners: HashMap<&String, &String> = HashMap::new();
    let mut rows: Vec<_> = document.rows.iter().collect();
    rows.sort_by_key(|(_, row)| row.place);
    for (user, place) in rows {
        let Some(row) = document.roster.users.get(user) else { continue };
        for namespace in &row.namespaces {
            if let Some(other) = owners.insert(namespace, user) {
                let (other, namespace) = (quoted(other), quoted(namespace));
                let what = format!("{} and {other} both own namespace {namespace}", quoted(user));
                problems.push(Problem::new(place.place, what, "is that meant?"));
            }
        }
    }
    problems
}

/// Reports rows whose names are system accounts of the host.
pub fn validate(document: &Document, host: &HostFacts) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (user, row) in &document.rows {
        let Some(&uid) = host.uids.get(user) else { continue };
        let user = quoted(user);
        let what = if uid == 0 {
            format!("{user} is root on this host (uid 0)")
        } else if uid < host.uid_min {
            format!("{user} is a system account of this host: uid {uid} is below {}", host.uid_min)
        } else if uid == NOBODY {
            format!("{user} is a system account of this host: uid {uid}")
        } else {
            continue;
        };
        problems.push(Problem::new(row.place, what, "choose another name"));
    }
    problems.sort();
    problems
}
