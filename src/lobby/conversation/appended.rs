//! Says when something may have been appended to a file. All files share one descriptor: the kernel allows a user few.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use terminal_lobby::sys::file_changes::FileChanges;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The files of one lobby that are waited for.
#[derive(Debug, Clone, Default)]
pub struct Appends(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// While a file is waited for.
    running: Option<Running>,
    /// By the kernel's number of the file: those who wait for it.
    waiting: BTreeMap<i32, watch::Sender<()>>,
}

#[derive(Debug)]
struct Running {
    changes: Arc<AsyncFd<Watched>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Watched(FileChanges);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// One file that is waited for, until this is dropped.
#[derive(Debug)]
pub(super) struct Appended {
    all: Appends,
    number: i32,
    changed: watch::Receiver<()>,
}

impl Appends {
    /// Waits for a file from now on.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(super) fn to(&self, file: &Path) -> io::Result<Appended> {
        let mut state = self.lock();
        if state.running.is_none() {
            state.running = Some(self.run()?);
        }
        let running = state.running.as_ref().ok_or(io::ErrorKind::Other)?;
        let number = running.changes.get_ref().0.add_file(file)?;
        let changed = state.waiting.entry(number).or_default().subscribe();
        Ok(Appended { all: self.clone(), number, changed })
    }

    #[expect(
        deprecated,
        reason = "what is sound here: its descriptor stays the same for as long as it lives"
    )]
    fn run(&self) -> io::Result<Running> {
        let changes = Arc::new(AsyncFd::new(Watched(FileChanges::new()?))?);
        let (all, of_task) = (Arc::downgrade(&self.0), Arc::clone(&changes));
        let task = tokio::spawn(async move {
            while let Ok(mut ready) = of_task.readable().await {
                let read = ready.get_inner().0.read();
                ready.clear_ready();
                let Some(state) = all.upgrade() else { return };
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let has_changed = |number: &i32| {
                    read.iter().any(|change| change.of == *number || change.overflowed)
                };
                for (_, changed) in state.waiting.iter().filter(|(number, _)| has_changed(number)) {
                    changed.send_replace(());
                }
            }
        });
        Ok(Running { changes, task })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Appended {
    /// Waits for a change since the last one that was waited for.
    pub(super) async fn next(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Appended {
    fn drop(&mut self) {
        let mut state = self.all.lock();
        // This one's own receiver is dropped after this.
        if state.waiting.get(&self.number).is_some_and(|changed| changed.receiver_count() > 1) {
            return;
        }
        state.waiting.remove(&self.number);
        if let Some(running) = &state.running {
            running.changes.get_ref().0.remove(self.number);
        }
        if state.waiting.is_empty()
            && let Some(running) = state.running.take()
        {
            running.task.abort();
        }
    }
}
