//! Removes files of sessions that are gone, 30 days after that was seen.

use super::error::FilesError;
use super::routes::Files;
use super::store::{FILES, MAX_LISTED, Store};
use crate::list::Sessions;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use terminal_lobby::sys::clock::{self, Epoch};

/// How long files stay.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// How often it is looked at.
const EVERY: Duration = Duration::from_hours(24);
/// Since when which session is gone, in seconds since the epoch.
const FILE: &str = "files.json";

type Gone = BTreeMap<String, Epoch>;

impl Files {
    /// Looks when the lobby begins, and once a day. Without any files it does nothing.
    pub async fn keep_clean(self, sessions: Sessions) {
        loop {
            if let Err(error) = self.clean(&sessions).await {
                tracing::warn!(%error, "files of sessions that are gone were not removed");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn clean(&self, sessions: &Sessions) -> Result<(), FilesError> {
        let store = self.uploads().store().clone();
        if !store.kept.path().join(FILES).is_dir() {
            return Ok(());
        }
        let listing = sessions.refresh().await;
        if !listing.trouble.is_empty() {
            return Ok(()); // it is not known which sessions there are
        }
        let there = listing.views.iter().map(|view| view.birth_id.clone()).collect();
        tokio::task::spawn_blocking(move || clean(&store, &there, clock::now())).await?
    }
}

/// Notes which sessions with files are gone, and removes the files of those that were gone for long.
fn clean(store: &Store, there: &HashSet<String>, now: Epoch) -> Result<(), FilesError> {
    let all = store.kept.directory()?.ensure_dir(FILES)?;
    let names = all.names(MAX_LISTED)?.ok_or(FilesError::TooManyEntries)?;
    let with_files: HashSet<String> =
        names.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let over = store.kept.change(FILE, |gone: &mut Gone| {
        gone.retain(|session, _| with_files.contains(session) && !there.contains(session));
        for session in with_files.difference(there) {
            gone.entry(session.clone()).or_insert(now);
        }
        let is_over = |since: Epoch| now.saturating_sub(since) >= KEPT.as_secs();
        gone.iter()
            .filter(|(_, since)| is_over(**since))
            .map(|(session, _)| session.clone())
            .collect::<Vec<_>>()
    })?;
    for session in over {
        let Ok(dir) = all.open_dir(&session) else {
            all.remove(&session)?; // no directory: not ours
            continue;
        };
        for name in dir.names(MAX_LISTED)?.unwrap_or_default() {
            // A directory that a person made there is theirs.
            if let Err(error) = dir.remove(&name) {
                tracing::debug!(%error, "what is there is left");
            }
        }
        if let Err(error) = all.remove_dir(&session) {
            tracing::debug!(%error, "a directory of files is left");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::bounds::Bounds;
    use crate::kept::Kept;

    #[test]
    fn files_go_thirty_days_after_their_session_is_gone_and_not_before() {
        let root = tempfile::tempdir().unwrap();
        let store = Store {
            kept: Kept::new(root.path(), "alice", true),
            bounds: Bounds { free: 0, ..Bounds::default() },
        };
        let session = |number: u32| format!("{number:016x}");
        for number in [1, 2] {
            let upload = format!("{number:032x}");
            let mut part = store.begin(&session(number), &upload, "a", 1, 0).unwrap();
            part.write(b"x").unwrap();
            part.finish().unwrap();
        }
        let dir = root.path().join("alice/lobby/files");
        let has = |number: u32| dir.join(session(number)).join("a").exists();
        let both: HashSet<String> = [session(1), session(2)].into();
        let first: HashSet<String> = [session(1)].into();
        let day = 24 * 3600;
        clean(&store, &both, 1000).unwrap();
        clean(&store, &first, 1000 + day).unwrap();
        // It is there again for a moment: the time begins anew.
        clean(&store, &both, 1000 + 30 * day).unwrap();
        clean(&store, &first, 1000 + 31 * day).unwrap();
        clean(&store, &first, 1000 + 61 * day - 1).unwrap();
        assert!(has(1) && has(2));
        clean(&store, &first, 1000 + 61 * day).unwrap();
        assert!(has(1) && !has(2) && !dir.join(session(2)).exists());
    }
}
