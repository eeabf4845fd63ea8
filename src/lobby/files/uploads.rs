//! Uploads that are not complete. One whose connection broke waits a while for the next one.

use super::error::FilesError;
use super::store::{Part, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

/// How many files are uploaded at once; others wait.
const AT_ONCE: usize = 2;
/// So many may wait.
const MAX_WAITING: usize = 64;
/// How long one waits whose connection broke.
const BROKEN: Duration = Duration::from_mins(1);

/// What is uploaded at this moment. Clones are the same ones.
#[derive(Debug, Clone)]
pub(super) struct Uploads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    slots: Arc<Semaphore>,
    all: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Session, name and size.
    what: (String, String, u64),
    part: Arc<tokio::sync::Mutex<Part>>,
    /// Ends the connection that has it.
    taken_over: Arc<Notify>,
    /// How many connections have had it.
    connections: u64,
    /// Since when it is complete, and only known for a browser that did not hear of it.
    complete: Option<Instant>,
}

/// An upload that this connection has.
#[derive(Debug)]
pub(super) struct Upload {
    uploads: Uploads,
    id: String,
    connection: u64,
    pub(super) part: OwnedMutexGuard<Part>,
    pub(super) taken_over: Arc<Notify>,
    _slot: OwnedSemaphorePermit,
}

impl Uploads {
    pub(super) fn new(store: Store) -> Self {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        Self(Arc::new(Inner { store, slots, all: Mutex::default() }))
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Begins an upload, or goes on with the one of that id.
    pub(super) async fn begin(
        &self,
        session: String,
        id: String,
        name: String,
        size: u64,
    ) -> Result<Upload, FilesError> {
        self.make_room()?;
        let what = (session, name, size);
        // The browser has lost the connection of before, though it may not be known here yet.
        let before = self.lock().get(&id).cloned();
        if let Some(before) = &before {
            before.taken_over.notify_one();
        }
        let slot = Arc::clone(&self.0.slots).acquire_owned().await;
        let slot = slot.map_err(|_| FilesError::TooMany)?;
        if let Some(Entry { what: known, part, .. }) = before
            && known == what
        {
            let part = part.lock_owned().await;
            let again = self.lock().get_mut(&id).map(|entry| {
                entry.connections += 1;
                // What was meant for the connection of before is over.
                entry.taken_over = Arc::default();
                (entry.connections, Arc::clone(&entry.taken_over))
            });
            if let Some((connection, taken_over)) = again {
                let uploads = self.clone();
                return Ok(Upload { uploads, id, connection, part, taken_over, _slot: slot });
            }
        }
        let (store, all) = (self.0.store.clone(), what.clone());
        let (of_id, reserved) = (id.clone(), self.reserved());
        let made = tokio::task::spawn_blocking(move || {
            let (session, name, size) = all;
            store.begin(&session, &of_id, &name, size, reserved)
        });
        let part = Arc::new(tokio::sync::Mutex::new(made.await??));
        let taken_over = Arc::new(Notify::new());
        let owned = Arc::clone(&part).lock_owned().await;
        let entry = Entry {
            what,
            part,
            taken_over: Arc::clone(&taken_over),
            connections: 0,
            complete: None,
        };
        self.lock().insert(id.clone(), entry);
        let uploads = self.clone();
        Ok(Upload { uploads, id, connection: 0, part: owned, taken_over, _slot: slot })
    }

    /// Forgets the one that was complete first, if there are too many.
    fn make_room(&self) -> Result<(), FilesError> {
        let mut all = self.lock();
        if all.len() < MAX_WAITING {
            return Ok(());
        }
        let complete = all.iter().filter_map(|(id, entry)| Some((entry.complete?, id)));
        let first = complete.min().map(|(_, id)| id.clone()).ok_or(FilesError::TooMany)?;
        all.remove(&first);
        Ok(())
    }

    /// Bytes of all that is not complete.
    fn reserved(&self) -> u64 {
        self.lock()
            .values()
            .filter(|entry| entry.complete.is_none())
            .map(|entry| entry.what.2)
            .sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    /// It is not gone on with: what there is of it is removed.
    pub(super) fn discard(self) {
        self.uploads.lock().remove(&self.id);
    }

    /// Its connection is over. It waits for the next one for a while; so does a complete one, since the browser may
    /// not have heard of it.
    pub(super) fn leave(self) {
        let Self { uploads, id, connection, part, .. } = self;
        if part.is_done()
            && let Some(entry) = uploads.lock().get_mut(&id)
        {
            entry.complete.get_or_insert_with(Instant::now);
        }
        drop(part);
        tokio::spawn(async move {
            sleep(BROKEN).await;
            let mut all = uploads.lock();
            if all.get(&id).is_some_and(|entry| entry.connections == connection) {
                all.remove(&id);
            }
        });
    }
}
