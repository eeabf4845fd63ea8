//! Turns: of the agents that a restore starts by itself only a few start at the same time, and
//! only while there is memory for them. Each launcher sees to that by itself, so that the restore
//! is done at once and nothing has to stay: the lock on a file is the turn, and the kernel lets go
//! of it when its holder ends, however it ends.

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

/// How often is looked whether it is one's turn.
const LOOK: Duration = Duration::from_millis(100);
/// Somebody who holds a turn for ever keeps nobody back for longer than this.
const PATIENCE: Duration = Duration::from_mins(15);
/// An agent is taken for ready after this long at the latest, and one that does not say when, or
/// says it elsewhere, after this.
const READY: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(2)];
/// How often is looked whether it is ready.
const LOOK_READY: Duration = Duration::from_millis(50);

/// The right to start; others wait for as long as it is held. None where there are no turns.
#[derive(Debug)]
pub(crate) struct Turn(Option<OwnedFd>);

/// Waits for a turn, or for Enter.
///
/// # Errors
/// Why the agent had better not start by itself: there is not enough memory.
// A String: the sentence that the pane shows while it waits.
pub(crate) fn take(options: &Options) -> Result<Turn, String> {
    let Some(most) = options.at_once else { return enough(options).map(|()| Turn(None)) };
    let turns = options.restored.as_deref().and_then(open).map(|dir| Turns { dir, most });
    let Some(turns) = turns else { return enough(options).map(|()| Turn(None)) };
    if let Some(turn) = turns.try_take() {
        return enough(options).map(|()| turn);
    }
    say(&format!("waits for its turn: {most} start at once; Enter starts it now"));
    match Terminal::remember().with_single_keys(|| turns.wait()) {
        Some(turn) => enough(options).map(|()| turn),
        None => Ok(Turn(None)), // who is there and asks for it gets it
    }
}

/// Whether there is memory enough.
// A String: the sentence that the pane shows while it waits.
fn enough(options: &Options) -> Result<(), String> {
    let Some(floor) = options.memory_floor else { return Ok(()) };
    let uid = rustix::process::geteuid().as_raw();
    match Memory::look(Path::new("/"), uid).available() {
        Some(left) if left >= floor => Ok(()),
        Some(left) => {
            let (left, floor) = (left >> 20, floor >> 20);
            Err(format!("{left} MiB of memory are free, fewer than {floor}: not started by itself"))
        }
        None => Err("how much memory is free is not known: not started by itself".to_owned()),
    }
}

struct Turns {
    dir: OwnedFd,
    most: usize,
}

/// The directory, if it is one of our own.
fn open(dir: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::open(dir, flags, Mode::empty()).ok()?;
    let owner = rustix::fs::fstat(&dir).ok()?.st_uid;
    (owner == rustix::process::geteuid().as_raw()).then_some(dir)
}

impl Turns {
    /// A turn, when one is free or when there cannot be any.
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

    /// Waits for a turn; none when Enter was pressed, or patience ran out.
    fn wait(&self) -> Option<Turn> {
        let end = Instant::now() + PATIENCE;
        let mut keys = true;
        while Instant::now() < end {
            match keys.then(|| key(LOOK)) {
                Some(Key::Enter) => return None,
                Some(Key::Ended) => keys = false,
                Some(Key::None) => {}
                None => pause(LOOK),
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

/// Waits a little for a key.
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
    /// Lets the next one start once this agent is ready, or has had the time to be.
    pub(crate) fn pass_on_when_ready(self, agent: i32, ready: Option<PathBuf>) {
        let Self(Some(file)) = self else { return };
        let process = PathBuf::from(format!("/proc/{agent}"));
        let watch = move || {
            let [latest, usual] = READY;
            let end = Instant::now() + if ready.is_some() { latest } else { usual };
            let is_ready = || ready.as_ref().is_some_and(|file| file.exists());
            while Instant::now() < end && process.exists() && !is_ready() {
                pause(LOOK_READY);
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
    fn where_turns_cannot_be_taken_everybody_starts() {
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
        assert!(with(u64::MAX).unwrap_err().contains("MiB of memory are free"));
    }
}
