//! What we last wrote: how a person's change is told from the roster's and the host's (pure).

use super::digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// `/var/lib/terminal-lobby/applied/written.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// Hashes: of whole files by path, of one value of an environment by `path#KEY`.
    pub hashes: BTreeMap<String, String>,
    /// Accounts that we made.
    pub accounts: BTreeMap<String, Made>,
    /// Groups that we put users in.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Every uid that an account of ours ever had, with its user's name: none is given again.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub uids: BTreeMap<u32, String>,
    /// The first subordinate uid and gid that no account of the past had: none before it is given again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_free_subid: Option<u32>,
    /// Units that we enabled (`true`) or disabled.
    pub units: BTreeMap<String, bool>,
}

/// An account as we made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Its user id; `None` until it is known.
    pub uid: Option<u32>,
    /// Its home.
    pub home: String,
    /// Its shell.
    pub shell: String,
}

impl Written {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it: without it a person's changes could not be told.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    /// Whether these bytes are what we wrote there; `None` when we never wrote there.
    pub fn is_ours(&self, place: &str, bytes: &[u8]) -> Option<bool> {
        self.hashes.get(place).map(|hash| *hash == digest::of(bytes))
    }

    /// Forgets a user whose account is removed, but for the uid. `files` are those of the user's
    /// services, whose values begin a place.
    pub fn retire(&mut self, user: &str, uid: u32, files: &[String]) {
        self.uids.insert(uid, user.to_owned());
        self.accounts.remove(user);
        self.groups.remove(user);
        let instance = format!("@{user}.");
        self.units.retain(|unit, _| !unit.contains(&instance));
        let theirs = |place: &str| files.iter().any(|file| place.split('#').next() == Some(file));
        self.hashes.retain(|place, _| !theirs(place));
    }

    /// Remembers that nobody is to be given any of these texts' subordinate ids again
    /// (`/etc/subuid`, `/etc/subgid`): useradd(8) fills the gap that a removed account leaves.
    pub fn retire_subids(&mut self, texts: &[&[u8]]) {
        let end = |line: &str| {
            let mut fields = line.split(':').skip(1).map(|field| field.trim().parse::<u32>().ok());
            fields.next()??.checked_add(fields.next()??)
        };
        let texts = texts.iter().map(|text| String::from_utf8_lossy(text));
        let ends = texts.filter_map(|text| text.lines().filter_map(end).max());
        self.first_free_subid = ends.chain(self.first_free_subid).max();
    }

    /// Remembers what is written.
    pub fn note(&mut self, place: &str, bytes: &[u8]) {
        self.hashes.insert(place.to_owned(), digest::of(bytes));
    }
}

/// The place of a file in a user's home, or of our part of one.
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
    fn subordinate_ids_of_the_past_are_below_the_first_free_one_and_stay_so() {
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
