//! What was there before a cut: `/var/lib/terminal-lobby/cut/<user>.json`, synced before each step,
//! so that a cut that was killed can be finished, or undone.

use crate::sys::clock::{self, Epoch};
use crate::sys::fs::Existing;
use crate::sys::{Dir, FileError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Below `/var/lib/terminal-lobby`.
const PLACE: &str = "cut";
/// No record is larger (bytes): the files that are moved away, as many as may be, have room in it. One
/// that could not be read would end every run.
const MAX: u64 = 64 << 20;
/// More names than these are not ours.
const MOST: usize = 100_000;
const VERSION: u32 = 1;

/// A cut, how far it is, and all that undoing it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// 1.
    pub version: u32,
    /// The OS user.
    pub user: String,
    /// The user id.
    pub uid: u32,
    /// The home, as the database named it.
    pub home: String,
    /// What the cluster calls them; empty when it is not known.
    pub k8s_user: String,
    /// Why.
    pub why: String,
    /// The commit or hash of the roster that decided it.
    pub roster: Option<String>,
    /// The row as it was.
    pub was: Value,
    /// When the cut began.
    pub since: Epoch,
    /// How far it is.
    pub stage: Stage,
    /// Subordinate uids that were theirs alone: first and last.
    pub subuids: Vec<(u32, u32)>,
    /// Whether a last save was tried.
    pub saved: bool,
    /// How the login was locked; absent before it was looked at, as below.
    pub login: Option<Login>,
    /// Whether the user's services ran without a session.
    pub linger: Option<bool>,
    /// Units as they were.
    pub units: BTreeMap<String, Unit>,
    /// Groups that the user was taken out of.
    pub groups: BTreeSet<String>,
    /// Files that were moved away: their names below `<user>.d` and where they were.
    pub files: BTreeMap<String, String>,
    /// Whether the cluster's rights were taken away by the configured command.
    pub cluster_revoked: bool,
    /// The home out of everybody's reach.
    pub frozen: Option<Frozen>,
    /// Where an archive is being written.
    pub archiving: Option<Archiving>,
    /// Archives that were read back and found whole.
    pub archives: Vec<Archive>,
}

/// How far leaving is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The cut began, and something is to be done yet.
    Cutting,
    /// Nobody gets in.
    Cut,
    /// It is being undone.
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
    /// Whether there was none at all, so that anybody could log in.
    pub empty: bool,
    /// The day since 1970 on which it expired, as `/etc/shadow` had it; empty is never.
    pub expires: String,
}

/// A unit before it was masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// As systemd calls it: `enabled`, `static`, `masked`, ...
    pub state: String,
    /// Whether it ran.
    pub active: bool,
}

/// A home that was moved where only root reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// Where it is.
    pub place: String,
    /// Its inode.
    pub inode: u64,
}

/// An archive that is not whole yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archiving {
    /// The directory.
    pub dir: String,
    /// The name that it will have; what is written has `.part` after it.
    pub name: String,
}

/// A whole archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The file.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// SHA-256 of the manifest beside it.
    pub manifest: String,
    /// How many entries it has.
    pub entries: u64,
    /// When it was made.
    pub time: Epoch,
}

/// The record of one user, and where it is kept.
#[derive(Debug)]
pub struct Kept {
    dir: Dir,
    /// What it says; [`Kept::save`] puts it on disk.
    pub record: Record,
}

impl Kept {
    /// A new record, not on disk yet.
    pub(super) fn new(state: &Dir, record: Record) -> Result<Self, FileError> {
        Ok(Self { dir: state.ensure_dir(PLACE)?, record })
    }

    /// The record of a user; `None` when the user is not cut.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn load(state: &Dir, user: &str) -> Result<Option<Self>, String> {
        if state.stat(PLACE).map_err(String::from)?.is_none() {
            return Ok(None);
        }
        let dir = state.open_dir(PLACE).map_err(String::from)?;
        let record = match dir.read(file(user), MAX) {
            Ok(bytes) => parse(&bytes).map_err(|why| format!("{user}.json: {why}"))?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        if record.user != user {
            return Err(format!("{}: a record of {}", file(user), record.user));
        }
        Ok(Some(Self { dir, record }))
    }

    /// Puts it on disk.
    pub(super) fn save(&self) -> Result<(), String> {
        let bytes = serde_json::to_vec_pretty(&self.record).map_err(|error| error.to_string())?;
        self.dir.write(&file(&self.record.user), &bytes, Existing::Replaced).map_err(String::from)
    }

    /// The directory of the files that were moved away, made when absent.
    pub(super) fn files(&self) -> Result<Dir, String> {
        self.dir.ensure_dir(&format!("{}.d", self.record.user)).map_err(String::from)
    }

    /// Sets it aside: nobody is cut by it any more. Files that could not go back stay beside it.
    pub(super) fn set_aside(self, how: &str) -> Result<(), String> {
        let (user, none) = (&self.record.user, rustix::fs::RenameFlags::NOREPLACE);
        let moved = format!("{user}.d");
        if self.dir.stat(&moved).map_err(String::from)?.is_some()
            && self.dir.remove_dir(&moved).is_err()
        {
            let aside = self.free_name(&format!("{moved}.{how}-{}", clock::now()))?;
            self.dir.rename(&moved, &aside, none).map_err(String::from)?;
        }
        let aside = self.free_name(&format!("{}.{how}-{}", file(user), clock::now()))?;
        self.dir.rename(&file(user), &aside, none).map_err(String::from)?;
        self.dir.sync().map_err(String::from)
    }

    fn free_name(&self, name: &str) -> Result<String, String> {
        for number in 0..1000 {
            let name = if number == 0 { name.to_owned() } else { format!("{name}-{number}") };
            if self.dir.stat(&name).map_err(String::from)?.is_none() {
                return Ok(name);
            }
        }
        Err(format!("{name}: there are too many already"))
    }
}

/// Who is cut, each with the time since when; and who is being cut or put back at this moment, too.
///
/// # Errors
/// When a record cannot be read or understood: somebody would seem not to be cut.
pub fn load_all(state: &Dir) -> Result<BTreeMap<String, Epoch>, String> {
    let mut cut = BTreeMap::new();
    if state.stat(PLACE).map_err(String::from)?.is_none() {
        return Ok(cut);
    }
    let dir = state.open_dir(PLACE).map_err(String::from)?;
    let names = dir.names(MOST).map_err(String::from)?.ok_or("more records of cuts than can be")?;
    for name in names {
        if let Some(user) = name.to_str().and_then(|name| name.strip_suffix(".json"))
            && let Some(kept) = Kept::load(state, user)?
        {
            cut.insert(user.to_owned(), kept.record.since);
        }
    }
    Ok(cut)
}

/// A new record.
pub(super) fn begin(who: &super::Who, account: (u32, String), subuids: Vec<(u32, u32)>) -> Record {
    Record {
        version: VERSION,
        user: who.user.clone(),
        uid: account.0,
        home: account.1,
        k8s_user: who.k8s_user.clone(),
        why: who.why.clone(),
        roster: who.roster.clone(),
        was: who.was.clone(),
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
        frozen: None,
        archiving: None,
        archives: Vec::new(),
    }
}

fn parse(bytes: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if record.version != VERSION {
        return Err(format!("version {}, not {VERSION}", record.version));
    }
    Ok(record)
}

fn file(user: &str) -> String {
    format!("{user}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(user: &str) -> Record {
        let who = crate::offboard::Who {
            user: user.to_owned(),
            k8s_user: "k".to_owned(),
            why: "left".to_owned(),
            roster: None,
            was: Value::Null,
        };
        begin(&who, (1001, format!("/home/{user}")), vec![(100_000, 165_535)])
    }

    #[test]
    fn what_is_saved_is_loaded_and_counts_until_it_is_set_aside() {
        let root = tempfile::tempdir().unwrap();
        let state = Dir::open(root.path()).unwrap();
        assert!(load_all(&state).unwrap().is_empty());
        let kept = Kept::new(&state, record("ann")).unwrap();
        assert!(Kept::load(&state, "ann").unwrap().is_none());
        kept.save().unwrap();
        kept.files().unwrap();
        let loaded = Kept::load(&state, "ann").unwrap().unwrap();
        assert_eq!(loaded.record, kept.record);
        assert_eq!(load_all(&state).unwrap().keys().collect::<Vec<_>>(), ["ann"]);
        loaded.set_aside("undone").unwrap();
        assert!(load_all(&state).unwrap().is_empty());
        assert!(Kept::load(&state, "ann").unwrap().is_none());
        let left: Vec<_> = std::fs::read_dir(root.path().join("cut")).unwrap().collect();
        assert_eq!(left.len(), 1, "an empty directory of files goes");
    }

    #[test]
    fn a_record_of_another_version_or_user_or_with_more_in_it_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let state = Dir::open(root.path()).unwrap();
        let kept = Kept::new(&state, record("ann")).unwrap();
        let fine = serde_json::to_string(&kept.record).unwrap();
        for (bad, why) in [
            (fine.replace("\"version\":1", "\"version\":2"), "version 2, not 1"),
            (fine.replace("\"version\":1", "\"version\":1,\"more\":1"), "unknown field `more`"),
            (fine.replace("\"user\":\"ann\"", "\"user\":\"bob\""), "a record of bob"),
            (fine[..40].to_owned(), "EOF"),
        ] {
            kept.dir.write("ann.json", bad.as_bytes(), Existing::Replaced).unwrap();
            let error = load_all(&state).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
