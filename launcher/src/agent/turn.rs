//! Turns: only a few of the agents that a restore starts start at the same time, and only while there
//! is enough memory. Each launcher waits by itself, so that the restore is over at once and no process
//! has to stay: a turn is the lock on a file, which the kernel releases when its holder ends.

use crate::options::Options;
use crate::terminal::Terminal;
use crate::terminal::say::say;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use shared::memory::Memory;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a launcher that waits checks for a free turn.
const POLL_TURN: Duration = Duration::from_millis(100);
/// How long a launcher waits at most, however long the turns are held.
const MAX_WAIT: Duration = Duration::from_mins(15);
/// An agent counts as ready after the first at the latest; after the second if it does not show when.
const READY: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(2)];
/// How often a launcher checks whether its agent is ready.
const POLL_READY: Duration = Duration::from_millis(50);

/// The right to start; others wait while it is held. `None` if there are no turns.
#[derive(Debug)]
pub(crate) struct Turn(Option<OwnedFd>);

/// Why an agent waits for Enter instead of starting by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotStarted {
    #[error("{left} MiB of memory are free, less than {floor} MiB: not started automatically")]
    TooLittleMemory { left: u64, floor: u64 },
    #[error("the amount of free memory is unknown: not started automatically")]
    UnknownMemory,
}

/// Waits for a turn, or for Enter.
///
/// # Errors
/// There is not enough memory.
pub(crate) fn take(options: &Options) -> Result<Turn, NotStarted> {
    let Some(most) = options.at_once else { return check_memory(options).map(|()| Turn(None)) };
    let turns = options.restored.as_deref().and_then(open).map(|dir| Turns { dir, most });
    let Some(turns) = turns else { return check_memory(options).map(|()| Turn(None)) };
    if let Some(turn) = turns.try_take() {
        return check_memory(options).map(|()| turn);
    }
    say(&format!("waits for its turn: {most} start at once; Enter starts it now"));
    match Terminal::remember().with_single_keys(|| turns.wait()) {
        Some(turn) => check_memory(options).map(|()| turn),
        None => Ok(Turn(None)), // Enter was pressed
    }
}

fn check_memory(options: &Options) -> Result<(), NotStarted> {
    let Some(floor) = options.memory_floor else { return Ok(()) };
    let uid = rustix::process::geteuid().as_raw();
    match Memory::read(Path::new("/"), uid).available() {
        Some(left) if left >= floor => Ok(()),
        Some(left) => Err(NotStarted::TooLittleMemory { left: left >> 20, floor: floor >> 20 }),
        None => Err(NotStarted::UnknownMemory),
    }
}

struct Turns {
    dir: OwnedFd,
    most: usize,
}

/// Opens the directory if it is the user's own.
fn open(dir: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::open(dir, flags, Mode::empty()).ok()?;
    let owner = rustix::fs::fstat(&dir).ok()?.st_uid;
    (owner == rustix::process::geteuid().as_raw()).then_some(dir)
}

impl Turns {
    /// A turn, if one is free or there cannot be any.
    fn try_take(&self) -> Option<Turn> {
        let mut held = false;
        for number in 0..self.most {
            match self.lock(number) {
                Ok(file) => return Some(Turn(Some(file))),
                Err(error) => held |= error == rustix::io::Errno::WOULDBLOCK,
            }
        }
        (!held).then_some(Turn(None))
    }

    fn lock(&self, number: usize) -> rustix::io::Result<OwnedFd> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&self.dir, format!("turn-{number}"), flags, mode)?;
        if !FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode).is_file() {
            return Err(rustix::io::Errno::INVAL);
        }
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }

    /// Waits for a turn; `None` if Enter was pressed or the wait took too long.
    fn wait(&self) -> Option<Turn> {
        let end = Instant::now() + MAX_WAIT;
        let mut keys = true;
        while Instant::now() < end {
            match keys.then(|| key(POLL_TURN)) {
                Some(Key::Enter) => return None,
                Some(Key::Ended) => keys = false,
                Some(Key::None) => {}
                None => pause(POLL_TURN),
            }
            if let Some(turn) = self.try_take() {
                return Some(turn);
            }
        }
        None
    }
}

enum Key {
    Enter,
    Ended,
    None,
}

/// Waits for a key, at most `most`.
fn key(most: Duration) -> Key {
    let stdin = std::io::stdin();
    let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
    if !matches!(poll(&mut polled, Some(&timespec(most))), Ok(1)) {
        return Key::None;
    }
    let mut key = [0];
    match std::io::stdin().read(&mut key) {
        Ok(1) if matches!(key[0], b'\n' | b'\r') => Key::Enter,
        Ok(1) => Key::None,
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Key::None,
        _ => Key::Ended,
    }
}

impl Turn {
    /// Lets the next agent start once this one is ready, or should be.
    pub(crate) fn pass_on_when_ready(self, agent: i32, ready: Option<PathBuf>) {
        let Self(Some(file)) = self else { return };
        let process = PathBuf::from(format!("/proc/{agent}"));
        let watch = move || {
            let [latest, usual] = READY;
            let end = Instant::now() + if ready.is_some() { latest } else { usual };
            let is_ready = || ready.as_ref().is_some_and(|file| file.exists());
            while Instant::now() < end && process.exists() && !is_ready() {
                pause(POLL_READY);
            }
            drop(file);
        };
        // Without a thread the turn ends here and now.
        let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(watch);
    }
}

fn pause(duration: Duration) {
    let _ = poll(&mut [], Some(&timespec(duration)));
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(dir: &Path, most: usize) -> Turns {
        Turns { dir: open(dir).unwrap(), most }
    }

    #[test]
    fn there_are_as_many_turns_as_may_start_at_once_and_one_that_is_dropped_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let turns = turns(dir.path(), 2);
        let first = turns.try_take().unwrap();
        let second = turns.try_take().unwrap();
        assert!(first.0.is_some() && second.0.is_some());
        assert!(turns.try_take().is_none());
        drop(first);
        assert!(turns.try_take().unwrap().0.is_some());
    }

    #[test]
    fn where_turns_cannot_be_taken_all_start() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("turn-0")).unwrap();
        crate::test_files::link(Path::new("/dev/null"), &dir.path().join("turn-1"));
        assert!(turns(dir.path(), 2).try_take().unwrap().0.is_none());
        assert!(open(&dir.path().join("absent")).is_none());
        crate::test_files::link(dir.path(), &dir.path().join("link"));
        assert!(open(&dir.path().join("link")).is_none());
        let options = Options { at_once: Some(1), ..Options::default() };
        assert!(take(&options).unwrap().0.is_none());
    }

    #[test]
    fn too_little_memory_is_a_reason_not_to_start() {
        let with = |floor| take(&Options { memory_floor: Some(floor), ..Options::default() });
        assert!(with(0).is_ok());
        assert!(with(u64::MAX).unwrap_err().to_string().contains("MiB of memory are free"));
    }
}
