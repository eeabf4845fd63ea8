//! Changes of the files that decide who is let in, as the kernel reports them.

use crate::gateway::error::{GatewayError, PeopleError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use terminal_lobby::sys::file_changes::FileChanges;
use terminal_lobby::sys::fs;
use terminal_lobby::text::shown;
use tokio::io::unix::AsyncFd;

/// Maximum size of such a file, in bytes.
const MAX_FILE: u64 = 8 << 20;
/// A file that is written in place is read when it has been quiet for so long.
const QUIET: Duration = Duration::from_millis(50);
/// Between two tries to follow a directory that is gone, and to read a file that cannot be read.
const RETRY: Duration = Duration::from_secs(1);

/// Changes of the directories in which the files are.
#[derive(Debug)]
pub(crate) struct Changes {
    fd: AsyncFd<FileChanges>,
    files: Vec<PathBuf>,
    names: BTreeMap<i32, BTreeSet<std::ffi::OsString>>,
    /// Whether all of them are followed.
    is_complete: bool,
}

impl Changes {
    /// Begins to follow files. What changes afterwards is not lost.
    #[expect(
        deprecated,
        reason = "what is sound here: its descriptor stays the same for as long as it lives"
    )]
    pub(crate) fn of(files: Vec<PathBuf>) -> Result<Self, GatewayError> {
        let path = files.first().map(|file| shown(file).to_string()).unwrap_or_default();
        let failed = |source| GatewayError::Follow { path: path.clone(), source };
        let fd = AsyncFd::new(FileChanges::new().map_err(failed)?).map_err(failed)?;
        let mut changes = Self { fd, files, names: BTreeMap::new(), is_complete: false };
        changes.follow();
        Ok(changes)
    }

    /// Waits until one of the files may have changed, and is quiet. With `is_certain` false it also returns after a
    /// second: what was read last was no good.
    pub(crate) async fn changed(&mut self, is_certain: bool) {
        let is_certain = is_certain && self.is_complete;
        tokio::select! {
            () = self.next() => {}
            () = tokio::time::sleep(RETRY), if !is_certain => {}
        }
        tokio::time::sleep(QUIET).await;
        self.follow();
    }

    /// Follows where the files are now: a name may be a link, and a directory may have been replaced.
    fn follow(&mut self) {
        self.is_complete = true;
        self.names.clear();
        for file in &self.files {
            let real = file.canonicalize().ok();
            for path in std::iter::once(file.clone()).chain(real.filter(|real| real != file)) {
                let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { continue };
                match self.fd.get_ref().add_dir_with_everything(dir) {
                    Ok(number) => {
                        self.names.entry(number).or_default().insert(name.to_owned());
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a directory cannot be followed yet");
                        self.is_complete = false;
                    }
                }
            }
        }
    }

    /// Waits until one of the files may have changed.
    async fn next(&mut self) {
        loop {
            let Ok(mut ready) = self.fd.readable().await else {
                return std::future::pending().await;
            };
            let changes = ready.get_inner().read();
            ready.clear_ready();
            let names = &self.names;
            let concerns = changes.iter().any(|change| {
                let name = change.name.as_ref();
                change.overflowed
                    || change.is_gone
                    || name.is_none()
                    || names
                        .get(&change.of)
                        .is_some_and(|names| name.is_some_and(|name| names.contains(name)))
            });
            if concerns {
                return;
            }
        }
    }
}

/// Reads a file that decides who is let in: of root's or of the caller's, and not for others to write.
pub(crate) fn read_trusted(path: &Path) -> Result<String, PeopleError> {
    use std::os::unix::fs::MetadataExt;
    let name = || shown(path).to_string();
    let stat =
        std::fs::metadata(path).map_err(|source| PeopleError::Stat { path: name(), source })?;
    let own = rustix::process::geteuid().as_raw();
    if (stat.uid() != 0 && stat.uid() != own) || stat.mode() & 0o022 != 0 {
        return Err(PeopleError::OthersWrite { path: name() });
    }
    let bytes = fs::trusted_path::read_as_caller(path, MAX_FILE)?;
    String::from_utf8(bytes).map_err(|_| PeopleError::NotUtf8 { path: name() })
}
