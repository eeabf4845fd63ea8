//! Waiting until something may have changed: in the tmux server, or in a directory.

use super::hooks;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use terminal_lobby::sys::file_changes::FileChanges;
use terminal_lobby::tmux::{Server, program};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long the server may take to answer.
const ANSWERS: Duration = Duration::from_secs(5);
/// Maximum length of its answer.
const MAX_LINE: u64 = 64;

/// What is waited for.
#[derive(Debug)]
pub(super) struct Changes {
    files: AsyncFd<Watched>,
    dirs: BTreeMap<PathBuf, i32>,
    /// A tmux client that ends at the next change.
    client: Option<Child>,
}

#[derive(Debug)]
struct Watched(FileChanges);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Changes {
    #[expect(
        deprecated,
        reason = "what is sound here: its descriptor stays the same for as long as it lives"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let files = AsyncFd::new(Watched(FileChanges::new()?))?;
        Ok(Self { files, dirs: BTreeMap::new(), client: None })
    }

    /// Begins to wait for the server, if one runs and it is not waited for: what changes from now on is noticed.
    pub(super) async fn listen(&mut self, server: &Server) -> io::Result<()> {
        if self.client.is_some() {
            return Ok(());
        }
        let own = program::of_server(&server.socket).unwrap_or_else(|| PathBuf::from("tmux"));
        let mut command = Command::new(own);
        command.args(["-u", "-N", "-S"]).arg(server.socket.path()).args(hooks::set_and_wait());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut client = command.spawn()?;
        if let Some(output) = client.stdout.take() {
            let mut line = String::new();
            let mut output = BufReader::new(output.take(MAX_LINE));
            let read = output.read_line(&mut line); // it ends without one if it cannot wait
            let _ = timeout(ANSWERS, read).await.map_err(|_| io::ErrorKind::TimedOut)?;
            if line.trim() == "waiting" {
                self.client = Some(client);
            }
        }
        Ok(())
    }

    /// Waits for these directories, and no longer for others. One that cannot be watched is left out.
    pub(super) fn watch(&mut self, dirs: impl IntoIterator<Item = PathBuf>) {
        let mut old = std::mem::take(&mut self.dirs);
        for dir in dirs {
            let known = old.remove(&dir);
            let number = match known {
                Some(number) => Ok(number),
                None => self.files.get_ref().0.add_dir_with_contents(&dir),
            };
            if let Ok(number) = number {
                self.dirs.insert(dir, number);
            }
        }
        for number in old.into_values() {
            if !self.dirs.values().any(|kept| *kept == number) {
                self.files.get_ref().0.remove(number);
            }
        }
    }

    /// Waits for a change.
    pub(super) async fn next(&mut self) {
        let Self { files, client, dirs } = self;
        let of_server = async {
            match client {
                Some(child) => {
                    let _ = child.wait().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = of_server => self.client = None,
            ready = files.readable() => {
                let Ok(mut ready) = ready else { return };
                let changes = ready.get_inner().0.read();
                ready.clear_ready();
                // A directory that is gone may come again.
                dirs.retain(|_, number| !changes.iter().any(|change| change.is_gone && change.of == *number));
            }
        }
    }
}
