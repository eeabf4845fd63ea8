//! The layout as it is now, for all pages.

use super::apply::Refused;
pub use super::document::Known;
use super::document::{Document, NotMade};
use crate::error::Error;
use crate::kept::{Kept, KeptError};
use crate::protocol::layout::{Change, Layout};
use std::sync::Arc;
use tokio::sync::watch;

/// The file.
const FILE: &str = "layout.json";

/// The layout of one user.
#[derive(Debug, Clone)]
pub struct Layouts {
    kept: Kept,
    now: watch::Sender<Shown>,
}

/// What pages get: the layout, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Known(Arc<Layout>),
    Problem(String),
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Another page has changed meanwhile what it concerns; with how it is now.
    #[error("another page has changed the same meanwhile")]
    Stale(Arc<Layout>),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Other(#[from] Error),
}

impl Layouts {
    pub fn new(kept: Kept) -> Self {
        Self { kept, now: watch::Sender::new(Shown::Known(Arc::default())) }
    }

    /// Gets each layout from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Shown> {
        self.now.subscribe()
    }

    /// Reads it anew: another lobby of the same user may have changed it.
    pub(crate) async fn read(&self) -> Shown {
        let kept = self.kept.clone();
        let read = tokio::task::spawn_blocking(move || kept.read::<Document>(FILE)).await;
        let read = read.map_err(Error::from).and_then(|read| read.map_err(Error::from));
        self.publish(match read {
            Ok(document) => Shown::Known(Arc::new(document.layout)),
            Err(error) => Shown::Problem(error.to_string()),
        })
    }

    /// Makes a change of a page that showed `version`, and gives how it is then; other pages get that, too.
    ///
    /// # Errors
    /// If another page has changed the same since, if it makes no sense, or if it cannot be kept.
    pub async fn change(
        &self,
        version: u64,
        change: Change,
        known: Known,
    ) -> Result<Arc<Layout>, ChangeError> {
        let kept = self.kept.clone();
        let write = move || -> Result<_, KeptError> {
            kept.change(FILE, |document: &mut Document| {
                let made = document.change(version, &change, &known);
                (made, document.layout.clone())
            })
        };
        let done = tokio::task::spawn_blocking(write).await.map_err(Error::from)?;
        let (made, layout) = done.map_err(Error::from)?;
        let layout = Arc::new(layout);
        self.publish(Shown::Known(Arc::clone(&layout)));
        match made {
            Ok(()) => Ok(layout),
            Err(NotMade::Stale) => Err(ChangeError::Stale(layout)),
            Err(NotMade::Refused(refused)) => Err(refused.into()),
        }
    }

    fn publish(&self, read: Shown) -> Shown {
        self.now.send_if_modified(|now| {
            // Two who read at once may come here in any order.
            let is_older = match (&*now, &read) {
                (Shown::Known(now), Shown::Known(read)) => now.version > read.version,
                _ => false,
            };
            let is_new = *now != read && !is_older;
            if is_new {
                now.clone_from(&read);
            }
            is_new
        });
        read
    }
}
