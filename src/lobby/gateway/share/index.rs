//! Who shares with whom, and whose each link is: as the owners' agents last said it, kept in the state directory.
//!
//! It grants nothing. It says whose agent is asked, and that agent finds out anew each time.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use terminal_lobby::cli::output;
use terminal_lobby::identity::is_user_name;
use terminal_lobby::sys::clock::Epoch;
use terminal_lobby::sys::fs::{Dir, Existing, FileError, create_private_dirs};
use tokio::sync::watch;

/// The file in the state directory.
const FILE: &str = "shares.json";
const MAX_FILE: u64 = 16 << 20;
/// Most people and most links of one owner.
const MAX: usize = 100;

/// What one owner shares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shared {
    /// Each person, and until when.
    people: BTreeMap<String, Epoch>,
    /// Each link's hash, and until when.
    links: BTreeMap<String, Epoch>,
}

/// The index.
#[derive(Debug)]
pub(crate) struct Index {
    dir: PathBuf,
    owners: Mutex<BTreeMap<String, Shared>>,
    changed: watch::Sender<()>,
    /// Held while the file is written, so that an older state never replaces a newer one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Shared {
    /// Reads what an agent says: `ann=17643,bob=17644`. Anything else in it is left out.
    pub(super) fn parse(people: &str, links: &str) -> Self {
        let pairs = |text: &str, is_fit: fn(&str) -> bool| {
            let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
            let fit = pairs.filter(|(name, _)| is_fit(name));
            fit.filter_map(|(name, until)| Some((name.to_owned(), until.parse().ok()?)))
                .take(MAX)
                .collect()
        };
        let is_hash =
            |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Self { people: pairs(people, is_user_name), links: pairs(links, is_hash) }
    }

    fn is_empty(&self) -> bool {
        self.people.is_empty() && self.links.is_empty()
    }
}

impl Index {
    /// Reads what is kept. A damaged file is put aside: agents say it again as their users open the lobby.
    ///
    /// # Errors
    /// If the directory cannot be used.
    pub(crate) fn read(dir: &Path) -> Result<Self, FileError> {
        create_private_dirs(dir)?;
        let owners = match Dir::open(dir)?.read(FILE, MAX_FILE) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                output::warning(&format!("{}/{FILE} is damaged: it begins anew", dir.display()));
                BTreeMap::new()
            }),
            Err(error) if error.is_not_found() => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            dir: dir.to_owned(),
            owners: Mutex::new(owners),
            changed: watch::Sender::default(),
            writing: Arc::default(),
        })
    }

    /// Takes what an owner's agent says; whether that is new.
    pub(super) fn take(&self, owner: &str, shared: Shared) -> bool {
        let mut owners = self.lock();
        if owners.get(owner).cloned().unwrap_or_default() == shared {
            return false;
        }
        if shared.is_empty() {
            owners.remove(owner);
        } else {
            owners.insert(owner.to_owned(), shared);
        }
        drop(owners);
        self.changed.send_replace(());
        true
    }

    /// Whether an owner shares anything with a person.
    pub(super) fn shares(&self, owner: &str, person: &str, now: Epoch) -> bool {
        let owners = self.lock();
        let until = owners.get(owner).and_then(|shared| shared.people.get(person));
        until.is_some_and(|until| now < *until)
    }

    /// Who shares something with a person.
    pub(super) fn owners_for(&self, person: &str, now: Epoch) -> Vec<String> {
        let owners = self.lock();
        let has = |shared: &Shared| shared.people.get(person).is_some_and(|until| now < *until);
        owners.iter().filter(|(_, shared)| has(shared)).map(|(owner, _)| owner.clone()).collect()
    }

    /// Whose a link is.
    pub(super) fn owner_of_link(&self, hash: &str, now: Epoch) -> Option<String> {
        let owners = self.lock();
        let has = |shared: &Shared| shared.links.get(hash).is_some_and(|until| now < *until);
        owners.iter().find(|(_, shared)| has(shared)).map(|(owner, _)| owner.clone())
    }

    /// Removes what is over; gives each owner and person of a share.
    pub(super) fn expire(&self, now: Epoch) -> Vec<(String, String)> {
        let mut over = Vec::new();
        self.lock().retain(|owner, shared| {
            let ended = shared.people.extract_if(.., |_, until| *until <= now);
            over.extend(ended.map(|(person, _)| (owner.clone(), person)));
            shared.links.retain(|_, until| now < *until);
            !shared.is_empty()
        });
        if !over.is_empty() {
            self.changed.send_replace(());
        }
        over
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Writes the file; it is on the disk when this returns. Without it a restart forgets who to ask, no more.
    pub(super) async fn write(&self) {
        let writing = Arc::clone(&self.writing).lock_owned().await;
        let (owners, dir) = (self.lock().clone(), self.dir.clone());
        let written = tokio::task::spawn_blocking(move || {
            let _writing = writing;
            let bytes = serde_json::to_vec(&owners).unwrap_or_default();
            Dir::open(&dir)?.write(FILE, &bytes, Existing::Replaced)
        });
        if let Ok(Err(error)) = written.await {
            output::error(&format!("the index of shares was not kept: {error}"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Shared>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_an_agent_says_is_taken_as_far_as_it_is_fit_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::read(dir.path()).unwrap();
        let hash = "ab".repeat(32);
        let said = format!("ann=100,../x=100,eve,=9,joe=-1,bob=50,{}=1", "x".repeat(300));
        let shared = Shared::parse(&said, &format!("{hash}=80,nohash=90"));
        assert!(index.take("own", shared.clone()) && !index.take("own", shared));
        assert!(index.shares("own", "ann", 99) && !index.shares("own", "ann", 100));
        assert!(!index.shares("own", "joe", 1) && !index.shares("other", "ann", 1));
        assert_eq!(index.owners_for("bob", 49), ["own"]);
        assert_eq!(index.owner_of_link(&hash, 79).as_deref(), Some("own"));
        index.write().await;
        let again = Index::read(dir.path()).unwrap();
        assert_eq!(again.expire(60), [("own".to_owned(), "bob".to_owned())]);
        assert_eq!(again.owner_of_link("nohash", 1), None);
        assert!(again.take("own", Shared::parse("", "")) && again.owners_for("ann", 1).is_empty());
    }
}
