//! The index of conversations on disk.

use super::{MAX_LINES, Store};
use crate::snapshot::conversations::Conversations;
use crate::sys::fs::{Existing, FileError};
use crate::sys::locks::Lock;
use std::path::PathBuf;

pub(super) const CONVERSATIONS: &str = "conversations.tsv";

impl Store {
    /// Reads the index of conversations, with the numbers of lines that do not parse; `None` when
    /// there is none.
    pub fn conversations(&self) -> Result<Option<(Conversations, Vec<usize>)>, FileError> {
        match self.dir.read(CONVERSATIONS, MAX_LINES) {
            Ok(text) => Ok(Some(Conversations::decode(&text))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// When the index of conversations was last written, in seconds since the epoch; `None` when
    /// there is none.
    pub fn conversations_written(&self) -> Result<Option<u64>, FileError> {
        let stat = self.dir.stat(CONVERSATIONS)?;
        Ok(stat.map(|stat| u64::try_from(stat.st_mtime).unwrap_or(0)))
    }

    /// Where the index of conversations is.
    pub fn conversations_path(&self) -> PathBuf {
        self.dir.path().join(CONVERSATIONS)
    }

    /// Replaces the index of conversations. The lock is held.
    pub fn write_conversations(
        &self,
        conversations: &Conversations,
        _lock: &Lock,
    ) -> Result<(), FileError> {
        self.dir.write(CONVERSATIONS, &conversations.encode(), Existing::Replaced)
    }
}
