//! What the service manager keeps of the views, for the next process (`FileDescriptorStoreMax=`): each one's
//! terminal and input, under its id.

use std::collections::HashMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use terminal_lobby::sys::notify::Notifier;
use terminal_lobby::sys::passed::Passed;

const TERMINAL: &str = "terminal";
const INPUT: &str = "input";

/// The service manager's store; none where there is no manager.
#[derive(Debug, Clone, Default)]
pub struct Store(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    notifier: Notifier,
    /// This process ends, the views go on.
    is_leaving: AtomicBool,
}

/// What is kept of one view, until this is dropped; but for a process that leaves its views to the next one.
#[derive(Debug)]
pub(super) struct Kept {
    store: Store,
    id: String,
}

/// What is kept of one view.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) id: String,
    pub(super) terminal: OwnedFd,
    pub(super) input: OwnedFd,
    pub(super) kept: Kept,
}

impl Store {
    /// The store of the manager that started this unit.
    pub fn of(notifier: Notifier) -> Self {
        let is_leaving = AtomicBool::new(false);
        Self(notifier.is_listening().then(|| Arc::new(Inner { notifier, is_leaving })))
    }

    /// From now on, what is dropped goes on for the next process.
    pub fn leave(&self) {
        if let Some(inner) = &self.0 {
            inner.is_leaving.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_left(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.is_leaving.load(Ordering::Relaxed))
    }

    /// Whether anything is kept.
    pub(super) fn keeps(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps a view. Without a manager nothing is kept.
    pub(super) fn keep(
        &self,
        id: &str,
        terminal: BorrowedFd<'_>,
        input: Option<BorrowedFd<'_>>,
    ) -> io::Result<Kept> {
        let kept = Kept { store: self.clone(), id: id.to_owned() };
        if let (Some(inner), Some(input)) = (&self.0, input) {
            inner.notifier.store(&name(id, INPUT), input)?;
            inner.notifier.store(&name(id, TERMINAL), terminal)?;
        }
        Ok(kept)
    }

    fn forget(&self, id: &str) {
        let Some(inner) = &self.0 else { return };
        for part in [TERMINAL, INPUT] {
            if let Err(error) = inner.notifier.remove_stored(&name(id, part)) {
                tracing::warn!(%error, "the service manager was not told that a view has ended");
            }
        }
    }

    /// What an earlier process left. Of what lacks a part the rest is closed.
    pub(super) fn left(&self, passed: Vec<Passed>) -> Vec<Left> {
        let mut parts: HashMap<String, [Option<OwnedFd>; 2]> = HashMap::new();
        for Passed { name, descriptor } in passed {
            let Some((id, part)) = name.strip_prefix("view.").and_then(|name| name.split_once('.'))
            else {
                continue;
            };
            let place = usize::from(part == INPUT);
            parts.entry(id.to_owned()).or_default()[place] = Some(descriptor);
        }
        let whole = |(id, parts): (String, [Option<OwnedFd>; 2])| {
            let kept = Kept { store: self.clone(), id: id.clone() };
            let [Some(terminal), Some(input)] = parts else { return None };
            Some(Left { id, terminal, input, kept })
        };
        parts.into_iter().filter_map(whole).collect()
    }
}

impl Kept {
    pub(super) fn is_left(&self) -> bool {
        self.store.is_left()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.is_left() {
            self.store.forget(&self.id);
        }
    }
}

fn name(id: &str, part: &str) -> String {
    format!("view.{id}.{part}")
}
