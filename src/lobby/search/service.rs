//! Who reads transcripts: one thread of low priority, only while a page wants to search.

use super::reader::Reader;
use crate::kept::Kept;
use crate::protocol::search::Progress;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How nice the thread is to others: see nice(2).
const NICENESS: i32 = 15;
/// So often at most all transcripts are looked at again.
const AGAIN: Duration = Duration::from_secs(2);

/// The search of one user. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Search(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Kept,
    home: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct State {
    /// How many pages search.
    pages: usize,
    /// Whether the thread runs.
    runs: bool,
    /// Whether it is to look again.
    again: bool,
}

/// A page that searches, for as long as it lives.
#[derive(Debug)]
pub(super) struct Searching(Search);

impl Search {
    /// That of the user with this home.
    pub fn new(kept: Kept, home: &Path) -> Self {
        Self(Arc::new(Inner {
            kept,
            home: home.to_owned(),
            state: Mutex::default(),
            changed: Condvar::new(),
            progress: watch::Sender::default(),
        }))
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Reads from now on, until the page is gone.
    pub(super) fn enter(&self) -> Searching {
        let mut state = self.0.lock();
        state.pages += 1;
        state.again = true;
        if !state.runs {
            let inner = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("search".to_owned());
            match thread.spawn(move || inner.run()) {
                Ok(_) => state.runs = true,
                Err(source) => self.0.fail(&super::SearchError::Thread(source)),
            }
        }
        drop(state);
        self.0.changed.notify_all();
        Searching(self.clone())
    }

    /// Looks for what was written since.
    pub(super) fn again(&self) {
        self.0.lock().again = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        self.0.0.lock().pages -= 1;
        self.0.0.changed.notify_all();
    }
}

impl Inner {
    fn run(&self) {
        // Of this thread alone, as Linux has it.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "transcripts are read with the usual priority");
        }
        let stops = || self.lock().pages == 0;
        let tells = |progress: &Progress| self.tell(progress.clone());
        let reader = Reader { kept: &self.kept, home: &self.home, stops: &stops, tells: &tells };
        loop {
            self.lock().again = false;
            match reader.read() {
                Ok(progress) => self.tell(progress),
                Err(error) => self.fail(&error),
            }
            let state = self.lock();
            // What is wanted meanwhile waits.
            let paused = self.changed.wait_timeout_while(state, AGAIN, |state| state.pages > 0);
            let state = paused.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            let waits = |state: &mut State| state.pages > 0 && !state.again;
            let mut state =
                self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
            if state.pages == 0 {
                state.runs = false;
                return;
            }
        }
    }

    fn tell(&self, progress: Progress) {
        self.progress.send_if_modified(|known| {
            let is_new = *known != progress;
            *known = progress;
            is_new
        });
    }

    fn fail(&self, error: &super::SearchError) {
        self.tell(Progress { trouble: error.to_string(), ..self.progress.borrow().clone() });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
