//! The record of a cut, `/var/lib/terminal-lobby/cut/<user>.json`: the account as it was before. It
//! is synced before each step, so that a cut that was killed can be finished or undone.

use super::error::RecordError;
use crate::sys::clock::{self, Epoch};
use crate::sys::fs::Existing;
use crate::sys::{Dir, FileError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Below `/var/lib/terminal-lobby`.
const DIRECTORY: &str = "cut";
/// Maximum size of a record, in bytes: the files that are moved away, as many as are allowed, fit. A
/// record that could not be read would stop every run.
const MAX_SIZE: u64 = 64 << 20;
/// Maximum number of names in the directory.
const MAX_NAMES: usize = 100_000;
const VERSION: u32 = 1;

/// A cut, how far it is, and all that undoing it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutRecord {
    /// 1.
    pub version: u32,
    /// The OS user.
    pub user: String,
    pub uid: u32,
    /// The home, as the database named it.
    pub home: String,
    /// The name in the cluster; empty when it is not known.
    pub k8s_user: String,
    /// The reason.
    pub why: String,
    /// The commit or hash of the roster that decided it.
    pub roster: Option<String>,
    /// The row as it was.
    pub was: Value,
    /// When the cut began.
    pub since: Epoch,
    pub stage: Stage,
    /// Subordinate uids that are the user's alone: first and last.
    pub subuids: Vec<(u32, u32)>,
    /// Whether a last save was tried.
    pub saved: bool,
    /// The login before the cut; absent until it is read.
    pub login: Option<Login>,
    /// Whether the user was lingering before the cut; absent until it is read.
    pub linger: Option<bool>,
    /// Units before the cut, by name.
    pub units: BTreeMap<String, Unit>,
    /// Groups that the user was removed from.
    pub groups: BTreeSet<String>,
    /// Files that were moved away: their names below `<user>.d` and their old paths.
    pub files: BTreeMap<String, String>,
    /// Whether the configured command revoked the cluster access.
    pub cluster_revoked: bool,
    /// The home's top directory before it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedHome>,
    /// Rows of the table of instances that the user was taken out of, by identity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub served: BTreeMap<String, Value>,
    /// What a person must still do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_do: Vec<String>,
    /// The home, moved out of reach.
    pub frozen: Option<Frozen>,
    /// The archive that is being written.
    pub archiving: Option<Archiving>,
    /// Archives that were read back and compared.
    pub archives: Vec<Archive>,
}

impl CutRecord {
    /// The record of a cut that begins now, of an account with this uid and home.
    pub(super) fn new(
        target: &super::CutTarget,
        (uid, home): (u32, String),
        subuids: Vec<(u32, u32)>,
    ) -> Self {
        Self {
            version: VERSION,
            user: target.user.clone(),
            uid,
            home,
            k8s_user: target.k8s_user.clone(),
            why: target.reason.clone(),
            roster: target.roster.clone(),
            was: target.row.clone(),
            since: clock::now(),
            stage: Stage::Cutting,
            subuids,
            saved: false,
            login: None,
            linger: None,
            units: BTreeMap::new(),
            groups: BTreeSet::new(),
            files: BTreeMap::new(),
            cluster_revoked: false,
            closed: None,
            served: BTreeMap::new(),
            to_do: Vec::new(),
            frozen: None,
            archiving: None,
            archives: Vec::new(),
        }
    }
}

/// How far a user's offboarding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The cut began, and steps of it are left.
    Cutting,
    /// The cut is finished.
    Cut,
    /// The cut is being undone.
    Undoing,
    /// The account and the frozen home are being removed.
    Removing,
}

/// A login before it was locked; no hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Whether the password was locked.
    pub locked: bool,
    /// Whether the password was empty, so that no password was asked for.
    pub empty: bool,
    /// The expiry as a day since 1970, as `/etc/shadow` had it; empty is never.
    pub expires: String,
}

/// A unit before it was masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Systemd's word: `enabled`, `static`, `masked`, ...
    pub state: String,
    /// Whether it was running.
    pub active: bool,
}

/// Owner and mode of a home before it was root's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedHome {
    pub inode: u64,
    pub uid: u32,
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// A home that was moved where only root reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// Its path now.
    pub place: String,
    pub inode: u64,
}

/// An archive that is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archiving {
    /// The directory.
    pub dir: String,
    /// The final name; until it is finished, `.part` is appended.
    pub name: String,
}

/// A finished archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    pub file: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// SHA-256 of the manifest beside it.
    pub manifest: String,
    /// The number of entries.
    pub entries: u64,
    /// When it was made.
    pub time: Epoch,
}

/// The record of one user, with the directory that it is kept in.
#[derive(Debug)]
pub struct CutRecordFile {
    dir: Dir,
    /// Changes are on disk only after [`CutRecordFile::save`].
    pub record: CutRecord,
}

impl CutRecordFile {
    /// A new record, not on disk yet.
    pub(super) fn new(state: &Dir, record: CutRecord) -> Result<Self, FileError> {
        Ok(Self { dir: state.ensure_dir(DIRECTORY)?, record })
    }

    /// The record of a user; `None` when the user is not cut.
    ///
    /// # Errors
    /// When it exists and cannot be read, or is invalid.
    pub fn load(state: &Dir, user: &str) -> Result<Option<Self>, RecordError> {
        if state.stat(DIRECTORY)?.is_none() {
            return Ok(None);
        }
        let (dir, file) = (state.open_dir(DIRECTORY)?, file_name(user));
        let record = match dir.read(&file, MAX_SIZE) {
            Ok(bytes) => parse(&bytes, &file)?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if record.user != user {
            return Err(RecordError::OtherUser { file, user: record.user });
        }
        Ok(Some(Self { dir, record }))
    }

    /// Writes it to disk.
    pub(super) fn save(&self) -> Result<(), RecordError> {
        let file = file_name(&self.record.user);
        let bytes = serde_json::to_vec_pretty(&self.record)
            .map_err(|source| RecordError::Invalid { file: file.clone(), source })?;
        Ok(self.dir.write(&file, &bytes, Existing::Replaced)?)
    }

    /// The directory of the files that were moved away, made when absent.
    pub(super) fn files(&self) -> Result<Dir, FileError> {
        self.dir.ensure_dir(&format!("{}.d", self.record.user))
    }

    /// Renames it, so that the user is no longer cut by it; `outcome` becomes part of the name. Files
    /// that could not be put back stay beside it.
    pub(super) fn retire(&self, outcome: &str) -> Result<(), RecordError> {
        let (user, none) = (&self.record.user, rustix::fs::RenameFlags::NOREPLACE);
        let moved = format!("{user}.d");
        if self.dir.stat(&moved)?.is_some() && self.dir.remove_dir(&moved).is_err() {
            let aside = self.free_name(&format!("{moved}.{outcome}-{}", clock::now()))?;
            self.dir.rename(&moved, &aside, none)?;
        }
        let aside = self.free_name(&format!("{}.{outcome}-{}", file_name(user), clock::now()))?;
        self.dir.rename(&file_name(user), &aside, none)?;
        Ok(self.dir.sync()?)
    }

    fn free_name(&self, name: &str) -> Result<String, RecordError> {
        for number in 0..1000 {
            let name = if number == 0 { name.to_owned() } else { format!("{name}-{number}") };
            if self.dir.stat(&name)?.is_none() {
                return Ok(name);
            }
        }
        Err(RecordError::NoFreeName(name.to_owned()))
    }
}

/// The users who are cut, or are being cut or put back at this moment, each with the time since when.
///
/// # Errors
/// When a record cannot be read or is invalid: its user would seem not to be cut.
pub fn load_all(state: &Dir) -> Result<BTreeMap<String, Epoch>, RecordError> {
    let mut cut = BTreeMap::new();
    if state.stat(DIRECTORY)?.is_none() {
        return Ok(cut);
    }
    let dir = state.open_dir(DIRECTORY)?;
    for name in dir.names(MAX_NAMES)?.ok_or(RecordError::TooMany(MAX_NAMES))? {
        if let Some(user) = name.to_str().and_then(|name| name.strip_suffix(".json"))
            && let Some(file) = CutRecordFile::load(state, user)?
        {
            cut.insert(user.to_owned(), file.record.since);
        }
    }
    Ok(cut)
}

fn parse(bytes: &[u8], file: &str) -> Result<CutRecord, RecordError> {
    let record: CutRecord = serde_json::from_slice(bytes)
        .map_err(|source| RecordError::Invalid { file: file.to_owned(), source })?;
    if record.version != VERSION {
        let (file, version) = (file.to_owned(), record.version);
        return Err(RecordError::Version { file, version, expected: VERSION });
    }
    Ok(record)
}

fn file_name(user: &str) -> String {
    format!("{user}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(user: &str) -> CutRecord {
        let target = crate::offboard::CutTarget::new(user, None, "left".to_owned(), None);
        CutRecord::new(&target, (1001, format!("/home/{user}")), vec![(100_000, 165_535)])
    }

    #[test]
    fn what_is_saved_is_loaded_and_counts_until_it_is_retire() {
        let root = tempfile::tempdir().unwrap();
        let state = Dir::open(root.path()).unwrap();
        assert!(load_all(&state).unwrap().is_empty());
        let file = CutRecordFile::new(&state, record("ann")).unwrap();
        assert!(CutRecordFile::load(&state, "ann").unwrap().is_none());
        file.save().unwrap();
        file.files().unwrap();
        let loaded = CutRecordFile::load(&state, "ann").unwrap().unwrap();
        assert_eq!(loaded.record, file.record);
        assert_eq!(load_all(&state).unwrap().keys().collect::<Vec<_>>(), ["ann"]);
        loaded.retire("undone").unwrap();
        assert!(load_all(&state).unwrap().is_empty());
        assert!(CutRecordFile::load(&state, "ann").unwrap().is_none());
        let left: Vec<_> = std::fs::read_dir(root.path().join("cut")).unwrap().collect();
        assert_eq!(left.len(), 1, "an empty directory of files goes");
    }

    #[test]
    fn a_record_of_another_version_or_user_or_with_more_in_it_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let state = Dir::open(root.path()).unwrap();
        let file = CutRecordFile::new(&state, record("ann")).unwrap();
        let valid = serde_json::to_string(&file.record).unwrap();
        for (bad, why) in [
            (valid.replace("\"version\":1", "\"version\":2"), "version 2, not 1"),
            (valid.replace("\"version\":1", "\"version\":1,\"more\":1"), "unknown field `more`"),
            (valid.replace("\"user\":\"ann\"", "\"user\":\"bob\""), "a record of bob"),
            (valid[..40].to_owned(), "EOF"),
        ] {
            file.dir.write("ann.json", bad.as_bytes(), Existing::Replaced).unwrap();
            let error = load_all(&state).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
