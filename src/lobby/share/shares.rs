//! All shares and links of one user, as the file has them now.

use super::file::{File, Link, LinkWish, Refused, Share, ShareWish};
use super::log;
use crate::error::Error;
use crate::kept::Kept;
use crate::present::{Over, UNKNOWN};
use crate::protocol::people::Grant;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use terminal_lobby::persist::sessions::Conversation;
use terminal_lobby::sys::clock;
use terminal_lobby::sys::file_changes::FileChanges;
use terminal_lobby::sys::fs::random_hex;
use terminal_lobby::text::hex;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

/// The file.
const FILE: &str = "shares.json";

/// The shares of one user. Clones are the same.
#[derive(Debug, Clone)]
pub struct Shares {
    kept: Kept,
    owner: Arc<str>,
    /// As they were last read.
    now: Arc<watch::Sender<Arc<File>>>,
    /// Whether changes by other lobbies of the user are followed.
    follows: Arc<AtomicBool>,
}

/// What happened to a share: for the journals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub kind: &'static str,
    /// The other person.
    pub person: String,
    pub session: String,
}

/// A link that may be read, and what of.
#[derive(Debug, Clone)]
pub struct Allowed {
    pub id: String,
    pub session: String,
    pub agent: String,
    pub conversation: String,
}

impl Shares {
    pub fn new(kept: Kept, owner: &str) -> Self {
        Self { kept, owner: owner.into(), now: Arc::default(), follows: Arc::default() }
    }

    /// Reads them, without those whose time is over.
    ///
    /// # Errors
    /// If the file cannot be read: then nothing is shared.
    async fn read(&self) -> Result<Arc<File>, Error> {
        self.follow();
        let kept = self.kept.clone();
        let file: File = tokio::task::spawn_blocking(move || kept.read(FILE)).await??;
        if file.has_expired(clock::now()) {
            return Ok(self.change(|_| ()).await?.1);
        }
        Ok(self.take(file))
    }

    /// Changes them; those whose time is over go. What is returned is on disk.
    async fn change<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut File) -> R + Send + 'static,
    ) -> Result<(R, Arc<File>), Error> {
        let kept = self.kept.clone();
        let changed = move || {
            kept.change(FILE, |file: &mut File| {
                let expired = file.expire(clock::now());
                (change(file), expired, file.clone())
            })
        };
        let (result, (shares, links), file) = tokio::task::spawn_blocking(changed).await??;
        for share in shares {
            self.note("share_expired", &share.with, &share.session);
        }
        for link in links {
            self.note("link_expired", UNKNOWN, &link.session);
        }
        let file = self.take(file);
        self.follow();
        Ok((result, file))
    }

    fn take(&self, file: File) -> Arc<File> {
        self.now.send_if_modified(|now| {
            let is_new = **now != file;
            if is_new {
                *now = Arc::new(file);
            }
            is_new
        });
        self.now.borrow().clone()
    }

    /// Follows what other lobbies of the user change, once there is something to follow. Costs nothing while nothing
    /// changes.
    fn follow(&self) {
        if self.follows.load(Ordering::Relaxed) {
            return;
        }
        let Ok(changes) = FileChanges::new() else { return };
        if changes.add_dir(&self.kept.path()).is_err() {
            return; // there is no such directory yet
        }
        let Ok(changes) = watched(changes) else { return };
        self.follows.store(true, Ordering::Relaxed);
        let (kept, now) = (self.kept.clone(), Arc::downgrade(&self.now));
        tokio::spawn(async move {
            while let Ok(mut ready) = changes.readable().await {
                let read = ready.get_inner().0.read();
                ready.clear_ready();
                let is_ours = |name: &std::ffi::OsString| name == FILE;
                if !read.iter().any(|one| one.overflowed || one.name.as_ref().is_some_and(is_ours))
                {
                    continue;
                }
                let kept = kept.clone();
                let file = tokio::task::spawn_blocking(move || kept.read::<File>(FILE)).await;
                let Some(now) = now.upgrade() else { return };
                // One that cannot be read allows nothing.
                let file = file.ok().and_then(Result::ok).unwrap_or_default();
                now.send_if_modified(|now| {
                    let is_new = **now != file;
                    *now = Arc::new(file);
                    is_new
                });
            }
        });
    }

    /// Enters something in the owner's own log.
    pub fn note(&self, kind: &str, person: &str, session: &str) {
        log::enter(kind, &self.owner, person, session);
    }

    /// Says when something changes.
    pub fn changes(&self) -> Changes {
        Changes(self.now.subscribe())
    }

    /// All shares and links.
    pub async fn all(&self) -> Result<(Vec<Share>, Vec<Link>), Error> {
        let file = self.read().await?;
        Ok((file.shares.clone(), file.links.clone()))
    }

    /// What a person may see now.
    pub async fn grants(&self, person: &str) -> Result<BTreeMap<String, Grant>, Error> {
        Ok(self.read().await?.grants(person, clock::now()))
    }

    /// Shares a session.
    pub async fn share(&self, wish: ShareWish, name: String) -> Result<Event, Error> {
        let id = random_hex()[..16].to_owned();
        let made = self.change(move |file| file.share(&wish, &name, id, clock::now())).await?.0;
        let share = made.map_err(refused)?;
        let kind = if share.drive { "share_drive" } else { "share_watch" };
        Ok(self.event(kind, share.with, share.session))
    }

    /// Makes a link to a conversation; gives its secret, which is kept nowhere.
    pub async fn link(
        &self,
        wish: LinkWish,
        name: String,
        conversation: &Conversation,
    ) -> Result<(String, Event), Error> {
        let secret = random_hex();
        let link = Link {
            id: random_hex()[..16].to_owned(),
            hash: hash(&secret),
            session: wish.session.clone(),
            name,
            agent: conversation.agent.to_owned(),
            conversation: conversation.id.as_str().to_owned(),
            made: 0,
            until: 0,
            most: 0,
            viewers: [].into(),
            viewed: 0,
        };
        let made = self.change(move |file| file.link(&wish, link, clock::now())).await?.0;
        let link = made.map_err(refused)?;
        Ok((secret, self.event("link_made", UNKNOWN.to_owned(), link.session)))
    }

    /// Ends a share or a link; `None` if there is none of this id.
    pub async fn revoke(&self, id: &str) -> Result<Option<Event>, Error> {
        let id = id.to_owned();
        let ended = self.change(move |file| {
            let share = file.shares.extract_if(.., |share| share.id == id).next();
            let link = file.links.extract_if(.., |link| link.id == id).next();
            let of_share = share.map(|share| ("share_revoked", share.with, share.session));
            of_share.or(link.map(|link| ("link_revoked", UNKNOWN.to_owned(), link.session)))
        });
        let ended = ended.await?.0;
        Ok(ended.map(|(kind, person, session)| self.event(kind, person, session)))
    }

    /// Lets a viewer read a link, by its hash; `None` if there is no such link, or it has as many viewers as it may.
    pub async fn open_link(&self, hash: &str, viewer: &str) -> Result<Option<Allowed>, Error> {
        let file = self.read().await?;
        let is_it = |link: &&Link| link.hash == hash && clock::now() < link.until;
        if !file.links.iter().any(|link| is_it(&link)) {
            return Ok(None); // nothing is written for one who guesses
        }
        let (hash, viewer) = (hash.to_owned(), viewer.to_owned());
        let opened = self.change(move |file| {
            let link = file.links.iter_mut().find(|link| link.hash == hash)?;
            if link.viewers.len() >= link.most && !link.viewers.contains(&viewer) {
                return None;
            }
            link.viewers.insert(viewer);
            link.viewed = clock::now();
            Some(link.clone())
        });
        let opened = opened.await?.0;
        Ok(opened.map(|Link { id, session, agent, conversation, .. }| Allowed {
            id,
            session,
            agent,
            conversation,
        }))
    }

    /// Ready when a share or a link is good no more.
    pub fn ends(&self, id: String) -> BoxFuture<'static, Over> {
        let (mut now, shares) = (self.now.subscribe(), self.clone());
        Box::pin(async move {
            loop {
                let until = now.borrow_and_update().until(&id);
                let Some(until) = until else { return Over::Revoked };
                let left = Duration::from_secs(until.saturating_sub(clock::now()));
                tokio::select! {
                    changed = now.changed() => if changed.is_err() { return Over::Revoked },
                    () = tokio::time::sleep(left) => {
                        if let Err(error) = shares.read().await {
                            tracing::debug!(%error, "shares were not read");
                        }
                        return Over::Expired;
                    }
                }
            }
        })
    }

    /// With whom something is shared and until when, as `ann=17643,bob=17644`; and each link's hash.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn index(&self) -> Result<(String, String), Error> {
        let file = self.read().await?;
        let (mut people, mut links) = (String::new(), String::new());
        for (person, until) in file.people() {
            let _ = write!(people, "{person}={until},");
        }
        for link in &file.links {
            let _ = write!(links, "{}={},", link.hash, link.until);
        }
        Ok((people, links))
    }

    fn event(&self, kind: &'static str, person: String, session: String) -> Event {
        self.note(kind, &person, &session);
        Event { kind, person, session }
    }
}

/// Changes of what is shared.
#[derive(Debug)]
pub struct Changes(watch::Receiver<Arc<File>>);

impl Changes {
    /// Waits for the next.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What a person may see now.
    pub fn grants(&mut self, person: &str) -> BTreeMap<String, Grant> {
        self.0.borrow_and_update().grants(person, clock::now())
    }
}

#[derive(Debug)]
struct Watched(FileChanges);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

#[expect(
    deprecated,
    reason = "what is sound here: its descriptor stays the same for as long as it lives"
)]
fn watched(changes: FileChanges) -> std::io::Result<AsyncFd<Watched>> {
    AsyncFd::new(Watched(changes))
}

/// The hash by which a secret is known.
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn refused(why: Refused) -> Error {
    Error::NotShared(why.to_string())
}
