//! Notifies the service manager of a unit's state (`sd_notify(3)`).

use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr,
};
use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

const SOCKET: &str = "NOTIFY_SOCKET";

/// The connection to the service manager, if there is one.
#[derive(Debug, Clone)]
pub struct Notifier {
    socket: Option<OsString>,
}

impl Notifier {
    /// Removes the unit's variables from the environment, so that programs started later neither notify
    /// for it nor take themselves for it. Must be called before any thread is started.
    pub fn take() -> Self {
        let socket = std::env::var_os(SOCKET).filter(|name| !name.is_empty());
        for name in [SOCKET, "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"] {
            // SAFETY: the environment is changed while this thread is the only one.
            unsafe { std::env::remove_var(name) };
        }
        Self { socket }
    }

    pub fn is_listening(&self) -> bool {
        self.socket.is_some()
    }

    /// Reports that the unit is ready, and its status.
    pub fn ready(&self, status: &str) -> io::Result<()> {
        self.send(&format!("READY=1\nSTATUS={}\n", status.replace('\n', " ")))
    }

    /// Reports the unit's status.
    pub fn status(&self, status: &str) -> io::Result<()> {
        self.send(&format!("STATUS={}\n", status.replace('\n', " ")))
    }

    /// Reports that the unit stops by itself, or as it was asked to.
    pub fn stopping(&self) -> io::Result<()> {
        self.send("STOPPING=1\n")
    }

    /// Has the manager keep a descriptor under a name, for the unit's next process. It watches it for nothing.
    pub fn store(&self, name: &str, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let message = format!("FDSTORE=1\nFDPOLL=0\nFDNAME={name}\n");
        let Some(socket) = &self.socket else { return Ok(()) };
        let socket_address = match socket.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddrUnix::new_abstract_name(name)?,
            None => SocketAddrUnix::new(socket.as_os_str())?,
        };
        let sender = UnixDatagram::unbound()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let parts = [IoSlice::new(message.as_bytes())];
        sendmsg_addr(&sender, &socket_address, &parts, &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Has the manager close the descriptors that it keeps under a name.
    pub fn remove_stored(&self, name: &str) -> io::Result<()> {
        self.send(&format!("FDSTOREREMOVE=1\nFDNAME={name}\n"))
    }

    fn send(&self, message: &str) -> io::Result<()> {
        let Some(name) = &self.socket else { return Ok(()) };
        let socket = UnixDatagram::unbound()?;
        socket.send_to_addr(message.as_bytes(), &address(name)?)?;
        Ok(())
    }
}

/// Sends one datagram to the socket at a path; one that is full is not waited for.
pub fn send_datagram(socket: &Path, bytes: &[u8]) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to(bytes, socket).map(drop)
}

/// Whether what is written to standard error goes to the journal, which takes priorities.
pub fn stderr_is_the_journal() -> bool {
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let stat = rustix::fs::fstat(std::io::stderr());
    stat.is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// A path, or a name in the abstract namespace when it begins with `@`.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_datagram_says_ready_and_how_it_is_doing_on_one_line() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        Notifier { socket: Some(path.into()) }.ready("two\nlines").unwrap();
        let mut message = [0; 100];
        let length = manager.recv(&mut message).unwrap();
        assert_eq!(&message[..length], b"READY=1\nSTATUS=two lines\n");
    }

    #[test]
    fn without_a_manager_nothing_is_said_and_nothing_fails() {
        Notifier { socket: None }.ready("fine").unwrap();
    }
}
