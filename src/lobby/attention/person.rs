//! One person's attention: the kept files, and what of them all parts follow.

use super::devices::{DEVICES, Devices, NewDevice, ShownDevice};
use super::push;
use crate::error::Error;
use crate::kept::{Kept, KeptError};
use crate::protocol::attention::Marks;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;
use terminal_lobby::sys::clock::{self, Epoch};
use tokio::sync::{Notify, watch};

/// The file with what a person has seen and muted.
const MARKS: &str = "attention.json";

/// Of one user. Clones are the same.
#[derive(Debug, Clone)]
pub struct Attention(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Kept,
    marks: watch::Sender<Arc<Marks>>,
    /// Whether any browser is to be notified; `None` as long as that was not read.
    wanted: watch::Sender<Option<bool>>,
    /// How many visible pages show each session.
    looks: watch::Sender<BTreeMap<String, usize>>,
    /// Says that something was sent, or was not.
    sent: Notify,
    /// One message is sent at a time.
    sending: tokio::sync::Mutex<()>,
}

impl Attention {
    /// That of the user whose files these are.
    pub fn new(kept: Kept) -> Self {
        Self(Arc::new(Inner {
            kept,
            marks: watch::Sender::default(),
            wanted: watch::Sender::default(),
            looks: watch::Sender::default(),
            sent: Notify::new(),
            sending: tokio::sync::Mutex::default(),
        }))
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    pub(super) fn sent(&self) -> &Notify {
        &self.0.sent
    }

    pub(super) async fn sending(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.sending.lock().await
    }

    pub(super) fn looks(&self) -> &watch::Sender<BTreeMap<String, usize>> {
        &self.0.looks
    }

    /// Whether any browser is to be notified; `None` as long as that was not read. While it is so, the list has to be
    /// followed though no page is open.
    pub fn wanted(&self) -> watch::Receiver<Option<bool>> {
        self.0.wanted.subscribe()
    }

    /// What the person has seen and muted, as it was last read or changed here.
    pub fn marks(&self) -> watch::Receiver<Arc<Marks>> {
        self.0.marks.subscribe()
    }

    /// Reads what the person has seen and muted: another lobby of theirs may have changed it.
    ///
    /// # Errors
    /// If that cannot be read.
    pub async fn read_marks(&self) -> Result<(), Error> {
        let marks = Arc::new(self.read::<Marks>(MARKS).await?);
        self.0.marks.send_if_modified(|known| {
            let is_new = *known != marks;
            *known = marks;
            is_new
        });
        Ok(())
    }

    /// As `read_marks`; what is from before the person's first visit counts as seen.
    ///
    /// # Errors
    /// If that cannot be read or kept.
    pub async fn visit(&self) -> Result<(), Error> {
        self.read_marks().await?;
        if self.0.marks.borrow().since == 0 {
            let own = self.clone();
            blocking(move || own.mark(|_| ())).await??;
        }
        Ok(())
    }

    /// Reads whether any browser is to be notified.
    ///
    /// # Errors
    /// If that cannot be read.
    pub async fn read_wanted(&self) -> Result<(), Error> {
        let devices = self.read::<Devices>(DEVICES).await?;
        self.is_wanted(!devices.devices.is_empty());
        Ok(())
    }

    pub(super) fn is_wanted(&self, is_wanted: bool) {
        self.0.wanted.send_if_modified(|known| known.replace(is_wanted) != Some(is_wanted));
    }

    /// Changes what the person has seen and muted. What cannot be kept, as on a full disk, counts until the lobby ends.
    pub(super) fn mark<R>(&self, change: impl FnOnce(&mut Marks) -> R) -> Result<R, KeptError> {
        self.0.kept.change(MARKS, |marks: &mut Marks| {
            if marks.since == 0 {
                marks.since = clock::now();
                marks.seen = marks.since;
            }
            let result = change(marks);
            let new = Arc::new(marks.clone());
            self.0.marks.send_if_modified(|known| {
                let is_new = *known != new;
                *known = new;
                is_new
            });
            result
        })
    }

    /// Mutes a session, or all, or no longer.
    ///
    /// # Errors
    /// If that cannot be kept, or too many are muted.
    pub async fn mute(&self, session: Option<String>, is_muted: bool) -> Result<(), Error> {
        let own = self.clone();
        let fits = blocking(move || {
            own.mark(|marks| {
                let Some(id) = session else {
                    marks.all_muted = is_muted;
                    return true;
                };
                marks.mute(&id, is_muted)
            })
        });
        if fits.await?? { Ok(()) } else { Err(Error::Refused("too many sessions are muted")) }
    }

    /// Marks what happened until a time as seen.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub async fn see(&self, until: Epoch) -> Result<(), Error> {
        let own = self.clone();
        let until = until.min(clock::now());
        let see = move || own.mark(|marks| marks.seen = marks.seen.max(until));
        blocking(see).await??;
        Ok(())
    }

    /// The key that a browser needs to subscribe, made at the first use.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn key(&self) -> Result<String, Error> {
        let kept = self.0.kept.clone();
        let key = move || kept.change(DEVICES, |devices: &mut Devices| devices.key().public());
        Ok(blocking(key).await??)
    }

    /// The browsers that are notified.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn devices(&self) -> Result<Vec<ShownDevice>, Error> {
        let devices = self.read::<Devices>(DEVICES).await?;
        Ok(devices.devices.iter().map(ShownDevice::of).collect())
    }

    /// Adds a browser, or renews it; gives its id. `name` is what it is called.
    ///
    /// # Errors
    /// If what it says cannot be used, or cannot be kept.
    pub async fn add(&self, new: NewDevice, name: String) -> Result<String, Error> {
        let new = new.checked(name, clock::now()).map_err(Error::Refused)?;
        let kept = self.0.kept.clone();
        let add = move |devices: &mut Devices| devices.has_key().then(|| devices.add(new));
        let id = blocking(move || kept.change(DEVICES, add)).await??;
        let id = id.ok_or(Error::Refused("the browser subscribed with another key"))?;
        self.is_wanted(true);
        Ok(id)
    }

    /// Removes a browser; whether it was there.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub async fn remove(&self, id: String) -> Result<bool, Error> {
        let kept = self.0.kept.clone();
        let remove = move || {
            kept.change(DEVICES, |devices: &mut Devices| {
                (devices.remove(&id), !devices.devices.is_empty())
            })
        };
        let (was_there, is_wanted) = blocking(remove).await??;
        self.is_wanted(is_wanted);
        Ok(was_there)
    }

    /// Sends a notification to all browsers, as a test; gives how many took it, and why others did not.
    ///
    /// # Errors
    /// If the browsers cannot be read.
    pub async fn test(&self) -> Result<(usize, Vec<String>), Error> {
        let _one = self.sending().await;
        let kept = self.0.kept.clone();
        let (taken, failed, is_wanted) = blocking(move || push::test(&kept)).await??;
        self.is_wanted(is_wanted);
        Ok((taken, failed))
    }

    async fn read<T>(&self, name: &'static str) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default + Send + 'static,
    {
        let kept = self.0.kept.clone();
        Ok(blocking(move || kept.read(name)).await??)
    }
}

/// Does something beside the thread that serves.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
