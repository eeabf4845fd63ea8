//! Which agents are to run though no page is open, as they say with their answers.

use crate::protocol::wake::{NOT_WANTED, WAKE, WANTED};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use terminal_lobby::cli::output;
use terminal_lobby::sys::fs::{Dir, Existing, FileError};

/// The file in the state directory.
const FILE: &str = "wake.json";
const MAX_FILE: u64 = 4 << 20;

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    version: u32,
    users: BTreeSet<String>,
}

/// The users whose agents are to run.
#[derive(Debug)]
pub(crate) struct Awake {
    dir: PathBuf,
    users: Arc<Mutex<BTreeSet<String>>>,
    /// Held while the file is written, so that an older state never replaces a newer one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Awake {
    /// Reads what is kept. A damaged file counts as empty: an agent says it again with its next answer.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub(crate) fn read(dir: &Path) -> Result<Self, FileError> {
        let file = match Dir::open(dir).and_then(|open| open.read(FILE, MAX_FILE)) {
            Ok(bytes) => {
                serde_json::from_slice::<File>(&bytes).ok().filter(|file| file.version == 1)
            }
            Err(error) if error.is_not_found() => Some(File::default()),
            Err(error) => return Err(error),
        };
        let file = file.unwrap_or_else(|| {
            output::warning(&format!("{}/{FILE} is damaged, and is not used", dir.display()));
            File::default()
        });
        Ok(Self {
            dir: dir.to_owned(),
            users: Arc::new(Mutex::new(file.users)),
            writing: Arc::default(),
        })
    }

    /// Notes what a user's agent says with an answer.
    pub(crate) fn note(&self, user: &str, headers: &HeaderMap) {
        let Some(said) = headers.get(WAKE).and_then(|value| value.to_str().ok()) else { return };
        let is_new = {
            let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
            match said {
                WANTED => users.insert(user.to_owned()),
                NOT_WANTED => users.remove(user),
                _ => false,
            }
        };
        if is_new {
            tokio::spawn(write(
                self.dir.clone(),
                Arc::clone(&self.users),
                Arc::clone(&self.writing),
            ));
        }
    }

    /// Their users.
    pub(crate) fn users(&self) -> BTreeSet<String> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn write(
    dir: PathBuf,
    users: Arc<Mutex<BTreeSet<String>>>,
    writing: Arc<tokio::sync::Mutex<()>>,
) {
    let _one = writing.lock().await;
    let written = tokio::task::spawn_blocking(move || {
        let users = users.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let bytes = serde_json::to_vec(&File { version: 1, users }).unwrap_or_default();
        Dir::open(&dir)?.write(FILE, &bytes, Existing::Replaced)
    });
    if let Ok(Err(error)) = written.await {
        output::warning(&format!("which agents are to run is not kept: {error}"));
    }
}
