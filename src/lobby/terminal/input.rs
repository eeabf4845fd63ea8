//! What was typed into a view, and how much of it its terminal has taken: so that no death of this process, at any
//! moment, makes a key lost or doubled.
//!
//! A file in memory has it, each byte at its place, and the kernel copies from there into the terminal: that it moves
//! the file's position by as much as it copied is part of the same system call, so what was typed is never in the
//! terminal without being counted. The service manager keeps both descriptors; the next process asks for the position.

use rustix::fs::{FallocateFlags, MemfdFlags, SeekFrom, fallocate, memfd_create, seek, sendfile};
use rustix::io::{Errno, pread, pwrite};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the view is, at the file's begin, has this place.
const HEADER: usize = 512;
/// Where what was typed begins.
const BEGIN: u64 = HEADER as u64;
/// The last byte of it says whether the view drives the session.
const DRIVES: usize = HEADER - 1;
/// Memory of what was taken is given back in pieces of so many bytes.
const PIECE: u64 = 64 << 10;

/// What a view is, for the next process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) session: String,
    pub(super) watch: bool,
}

/// The input of one view.
#[derive(Debug)]
pub(super) struct Input {
    /// None where no later process goes on with the view: a key takes one system call less.
    file: Option<OwnedFd>,
    /// How many bytes the terminal has taken.
    taken: u64,
    /// Up to where memory was given back.
    released: u64,
}

impl Input {
    /// That of a view which ends with this process.
    pub(super) fn for_this_process() -> Self {
        Self { file: None, taken: 0, released: 0 }
    }

    /// That of a view with which a later process can go on.
    pub(super) fn new(header: &Header) -> io::Result<Self> {
        let file = memfd_create("lobby-input", MemfdFlags::CLOEXEC)?;
        let text = serde_json::to_vec(header)?;
        if text.len() > DRIVES {
            return Err(Errno::NAMETOOLONG.into());
        }
        pwrite(&file, &text, 0)?;
        seek(&file, SeekFrom::Start(BEGIN))?;
        Ok(Self { file: Some(file), taken: 0, released: 0 })
    }

    /// That of an earlier process.
    pub(super) fn adopt(file: OwnedFd) -> io::Result<(Self, Header)> {
        let mut text = [0; HEADER];
        let length = pread(&file, &mut text, 0)?;
        let text = &text[..length];
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(length);
        let header = serde_json::from_slice(&text[..end])?;
        let taken = seek(&file, SeekFrom::Current(0))?.checked_sub(BEGIN);
        let taken = taken.ok_or(Errno::INVAL)?;
        Ok((Self { file: Some(file), taken, released: taken / PIECE * PIECE }, header))
    }

    /// Whether the view drove the session in the process before.
    pub(super) fn drives(&self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let mut byte = [0];
        pread(file, &mut byte, DRIVES as u64)?;
        Ok(byte == [1])
    }

    pub(super) fn set_drives(&self, drives: bool) -> io::Result<()> {
        if let Some(file) = &self.file {
            pwrite(file, &[u8::from(drives)], DRIVES as u64)?;
        }
        Ok(())
    }

    /// What a later process needs.
    pub(super) fn kept(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Gives the terminal as much as it takes now; returns how much.
    pub(super) fn give(&mut self, terminal: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        let given = match &self.file {
            Some(file) => give_counted(file, BEGIN + self.taken, terminal, bytes)?,
            None => rustix::io::write(terminal, bytes)?,
        };
        if given == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.count(given as u64);
        Ok(given)
    }

    /// Counts what is taken without a terminal.
    pub(super) fn drop_typed(&mut self, bytes: u64) -> io::Result<()> {
        if let Some(file) = &self.file {
            seek(file, SeekFrom::Current(bytes.cast_signed()))?;
        }
        self.count(bytes);
        Ok(())
    }

    fn count(&mut self, bytes: u64) {
        self.taken += bytes;
        let Some(file) = &self.file else { return };
        // The first piece has the header.
        let end = (self.taken / PIECE * PIECE).max(PIECE);
        let begin = self.released.max(PIECE);
        if end > begin {
            let mode = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if let Err(error) = fallocate(file, mode, begin, end - begin) {
                tracing::debug!(%error, "memory of input was not given back");
            }
            self.released = end;
        }
    }
}

fn give_counted(
    file: &OwnedFd,
    at: u64,
    terminal: BorrowedFd<'_>,
    bytes: &[u8],
) -> io::Result<usize> {
    let given = pwrite(file, bytes, at).and_then(|kept| sendfile(terminal, file, None, kept));
    match given {
        // No memory, or a kernel that cannot: what dies between these two may double a few keys.
        Err(Errno::INVAL | Errno::NOMEM | Errno::NOSPC) => {
            let given = rustix::io::write(terminal, bytes)?;
            seek(file, SeekFrom::Current((given as u64).cast_signed()))?;
            Ok(given)
        }
        given => Ok(given?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{fcntl_setfl, fstat};
    use rustix::pty::OpenptFlags;

    fn header() -> Header {
        Header { session: "0123456789abcdef".into(), watch: false }
    }

    /// Both ends of a terminal that changes nothing.
    fn terminal() -> (OwnedFd, OwnedFd) {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        let pty = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&pty).unwrap();
        rustix::pty::unlockpt(&pty).unwrap();
        let name = rustix::pty::ptsname(&pty, Vec::new()).unwrap();
        let flags =
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
        let own = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        let mut attributes = tcgetattr(&own).unwrap();
        attributes.make_raw();
        tcsetattr(&own, OptionalActions::Now, &attributes).unwrap();
        fcntl_setfl(&pty, rustix::fs::OFlags::NONBLOCK).unwrap();
        (pty, own)
    }

    #[test]
    fn a_later_process_knows_just_what_a_terminal_has_taken_and_little_memory_is_used() {
        let (pty, program) = terminal();
        let typed: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
        let mut input = Input::new(&header()).unwrap();
        let mut read = Vec::new();
        let mut space = [0; 4096];
        while read.len() < typed.len() {
            let at = usize::try_from(input.taken()).unwrap();
            match input.give(pty.as_fd(), &typed[at..(at + 40_000).min(typed.len())]) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if at == typed.len() => panic!("{error}"),
                Err(error) => panic!("{error} at {at}"),
            }
            // As after a death: what an earlier process knew is gone.
            let (adopted, known) =
                Input::adopt(input.file.as_ref().unwrap().try_clone().unwrap()).unwrap();
            assert_eq!((adopted.taken(), known), (input.taken(), header()));
            input = adopted;
            while let Ok(length) = rustix::io::read(&program, &mut space) {
                read.extend_from_slice(&space[..length]);
                if length < space.len() {
                    break;
                }
            }
        }
        assert!(read == typed, "each byte once and in order");
        let blocks = fstat(input.file.unwrap()).unwrap().st_blocks;
        assert!(blocks * 512 <= 3 * 65536, "{blocks} blocks");
    }

    #[test]
    fn what_is_no_input_of_ours_is_refused() {
        let file = memfd_create("other", MemfdFlags::CLOEXEC).unwrap();
        assert!(Input::adopt(file.try_clone().unwrap()).is_err());
        pwrite(&file, b"{}", 0).unwrap();
        assert!(Input::adopt(file.try_clone().unwrap()).is_err());
        pwrite(&file, &serde_json::to_vec(&header()).unwrap(), 0).unwrap();
        assert!(Input::adopt(file.try_clone().unwrap()).is_err(), "no position");
        seek(&file, SeekFrom::Start(BEGIN + 7)).unwrap();
        assert_eq!(Input::adopt(file).unwrap().0.taken(), 7);
    }
}
