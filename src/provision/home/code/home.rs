//! The caller's home, open.

use crate::provision::home::{HomeError, files};
use crate::sys::Dir;
use std::path::Path;

pub(super) struct Home {
    dir: Dir,
}

impl Home {
    pub(super) fn open() -> Result<Self, HomeError> {
        files::open_home().map(|dir| Self { dir })
    }

    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Opens `~/code`, which must be a directory of the caller's own.
    pub(super) fn code(&self) -> Result<Dir, HomeError> {
        let code = self.dir.open_dir("code")?;
        if code.is_own()? { Ok(code) } else { Err(HomeError::ForeignOwner(code.path().to_owned())) }
    }
}
