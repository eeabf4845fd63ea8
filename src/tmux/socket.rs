//! A user's tmux socket, checked before any client connects to it.
//!
//! A tmux client obeys its server: connecting means handing the socket's owner one's uid. So
//! only a socket, in a directory, held by a process, all of one's own.

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
    /// Something is there that must not be used; why.
    Refused(String),
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

    /// Looks at the directory, the socket and who listens, each without following a link.
    pub fn state(&self) -> SocketState {
        match self.check() {
            Ok(state) => state,
            Err(Errno::NOENT) => SocketState::Absent,
            Err(error) => SocketState::Refused(error.to_string()),
        }
    }

    fn check(&self) -> Result<SocketState, Errno> {
        let refused = |why: String| Ok(SocketState::Refused(why));
        let own = rustix::process::geteuid().as_raw();
        let dir = self.directory();
        let stat = lstat(dir)?;
        if !FileType::from_raw_mode(stat.st_mode).is_dir() {
            return refused(format!("{} is not a directory", dir.display()));
        }
        // As tmux itself checks it: own, and closed to others.
        if stat.st_uid != own || stat.st_mode & 0o007 != 0 {
            return refused(format!("{} has unsafe owner or permissions", dir.display()));
        }
        let stat = lstat(&self.path)?;
        if !FileType::from_raw_mode(stat.st_mode).is_socket() {
            return refused("not a socket".to_owned());
        }
        if stat.st_uid != own {
            return refused(format!("the socket belongs to uid {}", stat.st_uid));
        }
        self.probe(own)
    }

    /// This user's process that listens, by the kernel's word.
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

    /// Connects, asks the kernel who listens, and hangs up: stale sockets and foreign listeners
    /// show here without a client being put at risk.
    fn probe(&self, own: u32) -> Result<SocketState, Errno> {
        let socket = match self.connect() {
            Ok(socket) => socket,
            Err(Errno::CONNREFUSED) => return Ok(SocketState::Stale),
            Err(Errno::AGAIN) => {
                return Ok(SocketState::Refused(
                    "the server does not accept connections".to_owned(),
                ));
            }
            Err(error) => return Err(error),
        };
        let peer = rustix::net::sockopt::socket_peercred(&socket)?;
        if peer.uid.as_raw() != own {
            return Ok(SocketState::Refused(format!("uid {} listens there", peer.uid.as_raw())));
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
        assert_eq!(socket.state(), SocketState::Refused("not a socket".to_owned()));
        drop(listener);
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(socket.path().parent().unwrap(), open).unwrap();
        assert!(matches!(socket.state(), SocketState::Refused(why) if why.contains("unsafe")));
    }
}
