//! A user's tmux socket, checked before any client connects to it.
//!
//! A tmux client obeys its server: connecting gives the socket's owner what the caller's uid may do. So
//! directory, socket and listening process must all be the caller's own.

use crate::text::{io_reason, shown};
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where a user's server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    path: PathBuf,
}

/// What is behind a socket path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketState {
    /// A process of this user's listens.
    Listening,
    /// Nothing is there.
    Absent,
    /// A server that is gone left its socket behind (lesson 4).
    Stale,
    /// Something is there that must not be used.
    Refused(Refusal),
}

/// Why a client must not connect to a socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{} is not a directory", shown(.0))]
    NotADirectory(PathBuf),
    #[error("{} has unsafe owner or permissions", shown(.0))]
    UnsafeDirectory(PathBuf),
    #[error("not a socket")]
    NotASocket,
    #[error("the socket belongs to uid {0}")]
    ForeignOwner(u32),
    #[error("uid {0} listens there")]
    ForeignListener(u32),
    #[error("the server does not accept connections")]
    NotAccepting,
    #[error("{}", io_reason(&std::io::Error::from(*.0)))]
    Unreadable(Errno),
}

impl Socket {
    /// `tmux -L name` for the calling user: below `$TMUX_TMPDIR` (`/tmp` when `None`).
    pub fn named(name: &str, tmpdir: Option<&Path>) -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let base = tmpdir.filter(|dir| dir.is_dir()).unwrap_or(Path::new("/tmp"));
        Self { path: base.join(format!("tmux-{uid}")).join(name) }
    }

    /// The socket at a path, as `$TMUX` names it in a pane.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory it is in.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// When it was made, which is when its server started: in seconds since the epoch.
    pub fn made(&self) -> Option<u64> {
        u64::try_from(lstat(&self.path).ok()?.st_mtime).ok()
    }

    /// Checks the directory, the socket and the listening process, without following links.
    pub fn state(&self) -> SocketState {
        match self.check() {
            Ok(state) => state,
            Err(Errno::NOENT) => SocketState::Absent,
            Err(error) => SocketState::Refused(Refusal::Unreadable(error)),
        }
    }

    fn check(&self) -> Result<SocketState, Errno> {
        let refused = |refusal| Ok(SocketState::Refused(refusal));
        let own = rustix::process::geteuid().as_raw();
        let dir = self.directory();
        let stat = lstat(dir)?;
        if !FileType::from_raw_mode(stat.st_mode).is_dir() {
            return refused(Refusal::NotADirectory(dir.to_owned()));
        }
        // As tmux itself checks it: own, and closed to others.
        if stat.st_uid != own || stat.st_mode & 0o007 != 0 {
            return refused(Refusal::UnsafeDirectory(dir.to_owned()));
        }
        let stat = lstat(&self.path)?;
        if !FileType::from_raw_mode(stat.st_mode).is_socket() {
            return refused(Refusal::NotASocket);
        }
        if stat.st_uid != own {
            return refused(Refusal::ForeignOwner(stat.st_uid));
        }
        self.probe(own)
    }

    /// This user's listening process, as the kernel reports it.
    pub fn server_pid(&self) -> Option<i32> {
        let socket = self.connect().ok()?;
        let peer = rustix::net::sockopt::socket_peercred(&socket).ok()?;
        (peer.uid == rustix::process::geteuid()).then(|| peer.pid.as_raw_nonzero().get())
    }

    fn connect(&self) -> Result<OwnedFd, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(&self.path)?)?;
        Ok(socket)
    }

    /// Connects, asks the kernel for the listening process, and hangs up: so stale sockets and foreign
    /// listeners are found without running a client.
    fn probe(&self, own: u32) -> Result<SocketState, Errno> {
        let socket = match self.connect() {
            Ok(socket) => socket,
            Err(Errno::CONNREFUSED) => return Ok(SocketState::Stale),
            Err(Errno::AGAIN) => return Ok(SocketState::Refused(Refusal::NotAccepting)),
            Err(error) => return Err(error),
        };
        let peer = rustix::net::sockopt::socket_peercred(&socket)?;
        if peer.uid.as_raw() != own {
            return Ok(SocketState::Refused(Refusal::ForeignListener(peer.uid.as_raw())));
        }
        Ok(SocketState::Listening)
    }
}

fn lstat(path: &Path) -> Result<rustix::fs::Stat, Errno> {
    rustix::fs::statat(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    fn socket(root: &Path) -> Socket {
        let socket = Socket::named("default", Some(root));
        std::fs::create_dir(socket.path().parent().unwrap()).unwrap();
        let closed = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(socket.path().parent().unwrap(), closed).unwrap();
        socket
    }

    #[test]
    fn listening_stale_and_absent_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let socket = socket(root.path());
        assert_eq!(socket.state(), SocketState::Absent);
        let listener = UnixListener::bind(socket.path()).unwrap();
        assert_eq!(socket.state(), SocketState::Listening);
        assert_eq!(socket.server_pid(), i32::try_from(std::process::id()).ok());
        drop(listener);
        assert_eq!(socket.state(), SocketState::Stale);
    }

    #[test]
    fn anything_but_an_own_socket_in_an_own_closed_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let socket = socket(root.path());
        let listener = UnixListener::bind(root.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(root.path().join("elsewhere"), socket.path()).unwrap();
        assert_eq!(socket.state(), SocketState::Refused(Refusal::NotASocket));
        drop(listener);
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(socket.path().parent().unwrap(), open).unwrap();
        assert!(matches!(socket.state(), SocketState::Refused(Refusal::UnsafeDirectory(_))));
    }
}
