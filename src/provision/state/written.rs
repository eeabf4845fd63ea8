//! What this program last wrote, by which a person's change is told from one of the roster's or the
//! host's (pure).

use super::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A record of this program's own is invalid.
#[derive(Debug, thiserror::Error)]
#[error("not a valid record: {0}")]
pub struct RecordError(#[from] serde_json::Error);

/// `/var/lib/terminal-lobby/applied/written.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Written {
    /// Hashes: of whole files by path, of one value of an environment by `path#KEY`.
    pub hashes: BTreeMap<String, String>,
    /// Accounts that this program made.
    pub accounts: BTreeMap<String, CreatedAccount>,
    /// Groups that this program added users to.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Every uid that an account made by this program ever had, with the user's name: none is reused.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub uids: BTreeMap<u32, String>,
    /// The first subordinate uid and gid that no removed account had: none before it is reused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_free_subid: Option<u32>,
    /// The commit of the roster's repository that was applied last: the next one must follow on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster_commit: Option<String>,
    /// Units that this program enabled (`true`) or disabled.
    pub units: BTreeMap<String, bool>,
    /// What a newer release recorded: kept as it is.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// An account as this program made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedAccount {
    /// `None` until it is known.
    pub uid: Option<u32>,
    pub home: String,
    pub shell: String,
    /// As in [`Written`].
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Written {
    /// Reads the file.
    ///
    /// # Errors
    /// It is invalid: a person's changes could not be recognised.
    pub fn read(text: &[u8]) -> Result<Self, RecordError> {
        Ok(serde_json::from_slice(text)?)
    }

    /// Whether this program wrote these bytes there; `None` if it never wrote there.
    pub fn is_ours(&self, place: &str, bytes: &[u8]) -> Option<bool> {
        self.hashes.get(place).map(|hash| *hash == digest::of(bytes))
    }

    /// Forgets a user whose account is removed, except for the uid. `files` are the environment files of
    /// the user's services: what was written to them is forgotten, too.
    pub fn retire(&mut self, user: &str, uid: u32, files: &[String]) {
        self.uids.insert(uid, user.to_owned());
        self.accounts.remove(user);
        self.groups.remove(user);
        let instance = format!("@{user}.");
        self.units.retain(|unit, _| !unit.contains(&instance));
        let theirs = |place: &str| files.iter().any(|file| place.split('#').next() == Some(file));
        self.hashes.retain(|place, _| !theirs(place));
    }

    /// Remembers that the subordinate ids in these texts (`/etc/subuid`, `/etc/subgid`) must not be
    /// reused: useradd(8) would fill the gap that a removed account leaves.
    pub fn retire_subids(&mut self, texts: &[&[u8]]) {
        let end = |line: &str| {
            let mut fields = line.split(':').skip(1).map(|field| field.trim().parse::<u32>().ok());
            fields.next()??.checked_add(fields.next()??)
        };
        let texts = texts.iter().map(|text| String::from_utf8_lossy(text));
        let ends = texts.filter_map(|text| text.lines().filter_map(end).max());
        self.first_free_subid = ends.chain(self.first_free_subid).max();
    }

    /// Remembers what was written at a place.
    pub fn note(&mut self, place: &str, bytes: &[u8]) {
        self.hashes.insert(place.to_owned(), digest::of(bytes));
    }
}

/// The place of a file in a user's home, or of the managed part of one.
pub fn home_place(user: &str, path: &str) -> String {
    format!("~{user}/{path}")
}

/// The place of one value of an environment file.
pub fn key_place(file: &str, key: &str) -> String {
    format!("{file}#{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_release_recorded_is_kept() {
        let text = r#"{"hashes":{"/a":"sha256:0"},"accounts":{"ann":{"uid":7,"home":"/h","shell":"/s",
            "since":[1,{"a":null}]}},"groups":{},"uids":{"7":"ann"},"units":{},"later":{"x":[true]}}"#;
        let written = Written::read(text.as_bytes()).unwrap();
        assert_eq!(written.uids[&7], "ann");
        let value = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
        assert_eq!(value(&serde_json::to_vec(&written).unwrap()), value(text.as_bytes()));
    }

    #[test]
    fn subordinate_ids_of_removed_accounts_stay_below_the_first_free_one() {
        let mut written = Written::default();
        written.retire_subids(&[b"", b"x\n"]);
        assert_eq!(written.first_free_subid, None);
        let uids = b"ann:100000:65536\nbob:165536:65536\nx:4294967295:2\n";
        written.retire_subids(&[uids, b"ann:100000:65536\n"]);
        assert_eq!(written.first_free_subid, Some(231_072));
        written.retire_subids(&[b"ann:100000:65536\n"]);
        assert_eq!(written.first_free_subid, Some(231_072));
        assert_eq!(Written::read(&serde_json::to_vec(&written).unwrap()).unwrap(), written);
    }
}
