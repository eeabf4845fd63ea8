//! The helper behind a socket: reads one request a connection, answers it, and ends the connection.
//!
//! It is one process for all connections, not one for each: as many requests as `parallel` are worked on at once, and
//! the others wait in the socket's queue, where they cost neither a process of root nor memory. systemd starts it at
//! the first connection; it ends by itself after ten idle minutes.

use super::issue;
use super::protocol::{Answer, MAX_LINE, Reason, Request};
use crate::sys::accounts::{self, AccountError};
use crate::t3::paths::Paths;
use crate::t3::settings;
use crate::text::{io_reason, shown};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a peer may take to write its line, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for one that may not ask.
const BRIEFLY: Duration = Duration::from_millis(100);
/// After how long without a request the process ends.
pub const IDLE: Duration = Duration::from_mins(10);

/// The helper, with what a site has set.
#[derive(Debug)]
pub struct Server {
    paths: Paths,
    settings: settings::Mint,
    /// The ids of the accounts that may ask.
    allowed: Vec<u32>,
}

/// What is reported of a request.
pub type Log<'a> = &'a (dyn Fn(&str) + Sync);

impl Server {
    /// For root, and the accounts of the settings that exist on this host.
    pub fn new(paths: Paths, settings: settings::Mint) -> Result<Self, AccountError> {
        let mut allowed = vec![0];
        for name in &settings.accounts {
            allowed.extend(accounts::uid_of(name)?.map(nix::unistd::Uid::as_raw));
        }
        Ok(Self { paths, settings, allowed })
    }

    /// Answers connections until none came for as long as `idle`.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn serve(&self, listener: &UnixListener, idle: Duration, log: Log<'_>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let places = Places::new(self.settings.parallel.max(1));
        std::thread::scope(|scope| {
            loop {
                let place = places.take();
                if !arrives(listener, idle)? {
                    drop(place);
                    if places.are_free() {
                        return Ok(());
                    }
                    continue;
                }
                match listener.accept() {
                    Ok((stream, _)) => {
                        scope.spawn(move || {
                            let _place = place;
                            self.answer(stream, log);
                        });
                    }
                    // Another one took it, or it is gone.
                    Err(error) if is_passing(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        })
    }

    fn answer(&self, mut stream: UnixStream, log: Log<'_>) {
        // Of the user who asks nothing is reported: the gateway has a journal of its own.
        let answer = match self.request(&mut stream) {
            Ok(Request { user }) => {
                let begin = Instant::now();
                let made = issue::issue(&user, self.settings.deadline_seconds, &self.paths);
                let took = begin.elapsed().as_millis();
                match &made {
                    Ok(_) => log(&format!("minted user={} ms={took}", shown(&user))),
                    Err(error) => {
                        log(&format!("refused user={} ms={took}: {error}", shown(&user)));
                    }
                }
                issue::answer(made)
            }
            Err(error) => {
                log(&format!("refused: {error}"));
                Answer::Refused { reason: Reason::NotAllowed, message: error.to_string() }
            }
        };
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        // A peer that does not read has no use for it.
        let _ = stream.set_write_timeout(Some(PATIENCE));
        let _ = stream.write_all(&line);
    }

    /// Reads the request of a peer that may ask.
    fn request(&self, stream: &mut UnixStream) -> Result<Request, RequestError> {
        let peer = rustix::net::sockopt::socket_peercred(&*stream);
        let uid = peer.map_err(io::Error::from)?.uid.as_raw();
        stream.set_nonblocking(false)?;
        if !self.allowed.contains(&uid) {
            // If it were not read, the kernel would drop the answer.
            let _ = read_line(stream, BRIEFLY);
            return Err(RequestError::Peer(uid));
        }
        Ok(serde_json::from_slice(&read_line(stream, PATIENCE)?)?)
    }
}

/// Why a connection has no request.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error("uid {0} may not ask")]
    Peer(u32),
    #[error("no request: {}", io_reason(.0))]
    Io(#[from] io::Error),
    #[error("an invalid request: {0}")]
    Invalid(#[from] serde_json::Error),
}

/// Reads a line until one time, whatever the peer sends.
fn read_line(stream: &mut UnixStream, within: Duration) -> io::Result<Vec<u8>> {
    let (end, mut line, mut buffer) = (Instant::now() + within, Vec::new(), [0; MAX_LINE]);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        };
        line.extend_from_slice(&buffer[..count]);
        if let Some(at) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(at);
            return Ok(line);
        }
        if line.len() > MAX_LINE {
            return Err(io::Error::other(format!("a line of more than {MAX_LINE} bytes")));
        }
    }
}

/// Waits for a connection.
fn arrives(listener: &UnixListener, within: Duration) -> io::Result<bool> {
    let within = Timespec {
        tv_sec: within.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: within.subsec_nanos().into(),
    };
    match poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&within)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
    matches!(error.kind(), WouldBlock | Interrupted | ConnectionAborted)
}

/// As many places as requests may be worked on at once.
struct Places {
    most: usize,
    free: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    fn new(most: usize) -> Self {
        Self { most, free: Mutex::new(most), freed: Condvar::new() }
    }

    /// Waits for one.
    fn take(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.freed.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Place(self)
    }

    fn are_free(&self) -> bool {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) == self.most
    }
}

/// A taken place; free again when it is dropped.
struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
