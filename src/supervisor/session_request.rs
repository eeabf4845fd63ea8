//! What root asks of the session that the service manager starts for a user: a question and its
//! answer over a socket in `/run`, root's by the kernel's word, and the user's to connect to.
//!
//! A socket holds nothing, so nobody can fill `/run`, nobody else can read what is asked, and what a
//! process asked that has died since is asked no more.

use crate::sys::accounts::Account;
use crate::sys::fs::{Dir, FileError};
use crate::sys::locks::{self, Lock};
use nix::unistd::Uid;
use rustix::fs::{AtFlags, CWD, Gid};
use rustix::io::Errno;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const DIR: &str = "/run/tmux-persist/asked";
/// No question is larger (bytes).
const MAX_QUESTION: u64 = 1 << 20;
/// How long the process of root's may take to put its question.
const PATIENCE: Duration = Duration::from_secs(10);

/// A question that a user's session will be asked, for as long as this lives.
#[derive(Debug)]
pub struct Question {
    listener: UnixListener,
    path: PathBuf,
    uid: Uid,
    _lock: Lock,
}

impl Question {
    /// As root: gets ready to ask; waits for another who is asking this user's, `wait` at most.
    pub fn new(account: &Account, wait: Duration) -> Result<Self, FileError> {
        Self::new_in(Path::new(DIR), account, wait)
    }

    fn new_in(dir: &Path, account: &Account, wait: Duration) -> Result<Self, FileError> {
        let name = account.uid.to_string();
        let lock = alone_in(dir, account, wait)?;
        Dir::open(dir)?.remove(&name)?;
        let path = dir.join(&name);
        let failed = |source: io::Error| FileError { doing: "making", path: path.clone(), source };
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let (uid, gid) = (account.uid, Gid::from_raw(account.gid.as_raw()));
        let owner = rustix::fs::Uid::from_raw(uid.as_raw());
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let given = rustix::fs::chownat(CWD, &path, Some(owner), Some(gid), flags);
        given.map_err(|source| failed(source.into()))?;
        Ok(Self { listener, path, uid, _lock: lock })
    }

    /// Asks whichever process of the user's connects first; gives what it answers, at most `limit`
    /// bytes. `None` when [`Question::withdraw`] comes before anybody.
    pub fn ask(
        &self,
        question: &[u8],
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
        stream.write_all(question)?;
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

    /// From now on nobody is asked any more who has not connected yet.
    pub fn withdraw(&self) {
        // accept(2) fails from now on, and whoever waits in it is woken.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// As root: excludes every question to this user's session, so that one that is started meanwhile does
/// what it does by itself; waits for another who is asking, `wait` at most.
pub fn alone(account: &Account, wait: Duration) -> Result<Lock, FileError> {
    alone_in(Path::new(DIR), account, wait)
}

fn alone_in(dir: &Path, account: &Account, wait: Duration) -> Result<Lock, FileError> {
    use std::os::unix::fs::DirBuilderExt;
    let making = |source| FileError { doing: "making directory", path: dir.into(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(making)?;
    // Root's alone to open, so no user can hold it.
    locks::exclusive(&Dir::open(dir)?, &format!("{}.lock", account.uid), wait)
}

/// What root has asked this user's session, and the way to answer.
#[derive(Debug)]
pub struct Asked {
    /// The question.
    pub question: Vec<u8>,
    stream: UnixStream,
}

/// As the user: what root asks of this session; `None` when root asks nothing.
pub fn asked(account: &Account) -> Result<Option<Asked>, FileError> {
    asked_in(Path::new(DIR), account)
}

fn asked_in(dir: &Path, account: &Account) -> Result<Option<Asked>, FileError> {
    let path = dir.join(account.uid.to_string());
    let failed = |source| FileError { doing: "asking at", path: path.clone(), source };
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
    // Who listens is root, or, in a test, this user.
    let owner = std::fs::symlink_metadata(dir).map_err(failed)?;
    let owner = std::os::unix::fs::MetadataExt::uid(&owner);
    if peer(&stream).map_err(failed)? != owner {
        return Err(FileError::refused("asking at", path, "somebody else than root listens"));
    }
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut question = Vec::new();
    match (&mut stream).take(MAX_QUESTION + 1).read_to_end(&mut question) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    if question.len() as u64 > MAX_QUESTION {
        return Err(FileError::refused("asking at", path, "the question is too long"));
    }
    // Withdrawn before it was put.
    Ok((!question.is_empty()).then_some(Asked { question, stream }))
}

impl Asked {
    /// Answers, once.
    pub fn answer(mut self, answer: &[u8]) -> io::Result<()> {
        self.stream.set_write_timeout(Some(PATIENCE))?;
        self.stream.write_all(answer)
    }
}

/// The user at the other end, by the kernel's word.
fn peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_question_is_put_once_and_answered() {
        let root = tempfile::tempdir().unwrap();
        let (dir, own) = (root.path(), crate::sys::accounts::current().unwrap());
        assert!(asked_in(dir, &own).unwrap().is_none(), "nobody asks");
        let question = Question::new_in(dir, &own, LONG).unwrap();
        let second = Question::new_in(dir, &own, Duration::from_millis(20)).unwrap_err();
        assert!(second.is_timeout(), "{second}");
        let long = vec![b'x'; 300_000];
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| question.ask(b"who?", 1 << 20, LONG));
            let asked = asked_in(dir, &own).unwrap().unwrap();
            assert_eq!(asked.question, b"who?");
            asked.answer(&long).unwrap();
            assert_eq!(answer.join().unwrap().unwrap(), Some(long.clone()));
        });
        drop(question);
        assert!(asked_in(dir, &own).unwrap().is_none(), "it is over");
    }

    #[test]
    fn what_is_withdrawn_or_was_left_by_the_dead_is_no_question() {
        let root = tempfile::tempdir().unwrap();
        let (dir, own) = (root.path(), crate::sys::accounts::current().unwrap());
        let question = Question::new_in(dir, &own, LONG).unwrap();
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| question.ask(b"who?", 1 << 20, LONG));
            question.withdraw();
            assert_eq!(answer.join().unwrap().unwrap(), None);
        });
        assert!(asked_in(dir, &own).unwrap().is_none());
        let path = question.path.clone();
        drop(question);
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists() && asked_in(dir, &own).unwrap().is_none());
        Question::new_in(dir, &own, LONG).unwrap();
    }

    #[test]
    fn an_answer_is_bounded_in_length_and_time() {
        let root = tempfile::tempdir().unwrap();
        let (dir, own) = (root.path(), crate::sys::accounts::current().unwrap());
        let question = Question::new_in(dir, &own, LONG).unwrap();
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| question.ask(b"?", 10, LONG));
            let asked = asked_in(dir, &own).unwrap().unwrap();
            let _ = asked.answer(&[b'x'; 11]);
            assert!(answer.join().unwrap().unwrap_err().to_string().contains("more than 10"));
            let answer = scope.spawn(|| question.ask(b"?", 10, Duration::from_millis(30)));
            let _holds = asked_in(dir, &own).unwrap().unwrap();
            answer.join().unwrap().unwrap_err();
        });
    }
}
