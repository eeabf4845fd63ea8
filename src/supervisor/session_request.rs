//! How root hands a job to the session that the service manager starts for a user: a request and
//! its answer over a socket in `/run` that root made and that the user alone may connect to. Each
//! side checks the other's uid with the kernel.
//!
//! A socket holds nothing, so no user can fill `/run` with it, no other user can read a request,
//! and a request ends with the process that made it.

use crate::sys::accounts::Account;
use crate::sys::fs::{Dir, FileError};
use crate::sys::locks::{self, Lock};
use nix::unistd::Uid;
use rustix::fs::{AtFlags, CWD, Gid};
use rustix::io::Errno;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

const DIR: &str = "/run/tmux-persist/asked";
/// Maximum size of a request, in bytes.
const MAX_REQUEST: u64 = 1 << 20;
/// How long one side may take to write.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request that a user's session receives if it starts while this lives.
#[derive(Debug)]
pub struct SessionRequest {
    listener: UnixListener,
    dir: Dir,
    uid: Uid,
    _lock: Lock,
}

impl SessionRequest {
    /// As root: makes the socket; waits at most `wait` for another request to the same user.
    pub fn new(account: &Account, wait: Duration) -> Result<Self, FileError> {
        Self::new_in(Path::new(DIR), account, wait)
    }

    fn new_in(dir: &Path, account: &Account, wait: Duration) -> Result<Self, FileError> {
        let name = account.uid.to_string();
        let lock = exclude_in(dir, account, wait)?;
        let parent = Dir::open(dir)?;
        parent.remove(&name)?;
        let path = dir.join(&name);
        let failed = |source: io::Error| FileError { doing: "making", path: path.clone(), source };
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let (uid, gid) = (account.uid, Gid::from_raw(account.gid.as_raw()));
        let owner = rustix::fs::Uid::from_raw(uid.as_raw());
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let given = rustix::fs::chownat(CWD, &path, Some(owner), Some(gid), flags);
        given.map_err(|source| failed(source.into()))?;
        Ok(Self { listener, dir: parent, uid, _lock: lock })
    }

    /// Sends the job to the first process of the user that connects; returns its answer of at most
    /// `limit` bytes. `None` if [`SessionRequest::withdraw`] comes first.
    pub fn send(
        &self,
        job: &[u8],
        limit: usize,
        deadline: Duration,
    ) -> io::Result<Option<Vec<u8>>> {
        let end = Instant::now() + deadline;
        let mut stream = loop {
            match self.listener.accept() {
                Ok((stream, _)) if peer(&stream)? == self.uid.as_raw() => break stream,
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                    return Ok(None);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(job)?;
        stream.shutdown(Shutdown::Write)?;
        let (mut answer, mut buffer) = (Vec::new(), [0; 16 << 10]);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(Some(answer)),
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if answer.len() > limit {
                return Err(io::Error::other(format!("it answered more than {limit} bytes")));
            }
        }
    }

    /// From now on no process receives the request that has not connected yet.
    pub fn withdraw(&self) {
        // accept(2) fails from now on, also in a thread that waits in it.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

impl Drop for SessionRequest {
    fn drop(&mut self) {
        let _ = self.dir.remove(self.uid.to_string());
    }
}

/// As root: excludes requests to this user's session, so that one that is started meanwhile restores
/// everything; waits at most `wait` for a request that is being made.
pub fn exclude(account: &Account, wait: Duration) -> Result<Lock, FileError> {
    exclude_in(Path::new(DIR), account, wait)
}

fn exclude_in(dir: &Path, account: &Account, wait: Duration) -> Result<Lock, FileError> {
    use std::os::unix::fs::DirBuilderExt;
    let making = |source| FileError { doing: "making directory", path: dir.into(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(making)?;
    // Root's alone to open, so no user can hold it.
    locks::exclusive(&Dir::open(dir)?, &format!("{}.lock", account.uid), wait)
}

/// A request of root's, and the way to answer it.
#[derive(Debug)]
pub struct ReceivedRequest {
    /// The job, as JSON.
    pub job: Vec<u8>,
    stream: UnixStream,
}

/// As the user: the request of root's for this session, if there is one.
pub fn receive(account: &Account) -> Result<Option<ReceivedRequest>, FileError> {
    receive_in(Path::new(DIR), account)
}

fn receive_in(dir: &Path, account: &Account) -> Result<Option<ReceivedRequest>, FileError> {
    let path = dir.join(account.uid.to_string());
    let failed = |source| FileError { doing: "connecting to", path: path.clone(), source };
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    // The listener is root, or, in a test, this user.
    let owner = std::fs::symlink_metadata(dir).map_err(failed)?;
    let owner = std::os::unix::fs::MetadataExt::uid(&owner);
    if peer(&stream).map_err(failed)? != owner {
        return Err(FileError::refused(
            "connecting to",
            path,
            "another user than root listens there",
        ));
    }
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut job = Vec::new();
    match (&mut stream).take(MAX_REQUEST + 1).read_to_end(&mut job) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    if job.len() as u64 > MAX_REQUEST {
        return Err(FileError::refused("connecting to", path, "the request is too long"));
    }
    // Withdrawn before it was sent.
    Ok((!job.is_empty()).then_some(ReceivedRequest { job, stream }))
}

impl ReceivedRequest {
    /// Answers, once.
    pub fn answer(mut self, answer: &[u8]) -> io::Result<()> {
        self.stream.set_write_timeout(Some(PATIENCE))?;
        self.stream.write_all(answer)
    }
}

/// The uid at the other end, from the kernel.
fn peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_request_is_sent_once_and_answered() {
        let root = tempfile::tempdir().unwrap();
        let (dir, own) = (root.path(), crate::sys::accounts::current().unwrap());
        assert!(receive_in(dir, &own).unwrap().is_none(), "no request");
        let request = SessionRequest::new_in(dir, &own, LONG).unwrap();
        let second = SessionRequest::new_in(dir, &own, Duration::from_millis(20)).unwrap_err();
        assert!(second.is_timeout(), "{second}");
        let long = vec![b'x'; 300_000];
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| request.send(b"job", 1 << 20, LONG));
            let received = receive_in(dir, &own).unwrap().unwrap();
            assert_eq!(received.job, b"job");
            received.answer(&long).unwrap();
            assert_eq!(answer.join().unwrap().unwrap(), Some(long.clone()));
        });
        drop(request);
        assert!(receive_in(dir, &own).unwrap().is_none(), "it is over");
    }

    #[test]
    fn a_request_that_is_withdrawn_or_was_left_by_a_killed_process_is_none() {
        let root = tempfile::tempdir().unwrap();
        let (dir, own) = (root.path(), crate::sys::accounts::current().unwrap());
        let request = SessionRequest::new_in(dir, &own, LONG).unwrap();
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| request.send(b"job", 1 << 20, LONG));
            request.withdraw();
            assert_eq!(answer.join().unwrap().unwrap(), None);
        });
        assert!(receive_in(dir, &own).unwrap().is_none());
        let path = request.dir.path().join(request.uid.to_string());
        drop(request);
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists() && receive_in(dir, &own).unwrap().is_none());
        SessionRequest::new_in(dir, &own, LONG).unwrap();
    }

    #[test]
    fn an_answer_is_bounded_in_length_and_time() {
        let root = tempfile::tempdir().unwrap();
        let (dir, own) = (root.path(), crate::sys::accounts::current().unwrap());
        let request = SessionRequest::new_in(dir, &own, LONG).unwrap();
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| request.send(b"?", 10, LONG));
            let received = receive_in(dir, &own).unwrap().unwrap();
            let _ = received.answer(&[b'x'; 11]);
            assert!(answer.join().unwrap().unwrap_err().to_string().contains("more than 10"));
            let answer = scope.spawn(|| request.send(b"?", 10, Duration::from_millis(30)));
            let _holds = receive_in(dir, &own).unwrap().unwrap();
            answer.join().unwrap().unwrap_err();
        });
    }
}
