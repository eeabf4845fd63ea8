//! Reading what a child writes, in bounds.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// How much of an output is kept.
pub(crate) const KEPT: usize = 64 << 10;

/// One output of a child: its first bytes kept, the rest read and thrown away.
#[derive(Debug)]
pub(crate) struct Pipe<R> {
    /// Until its end.
    pub(crate) source: Option<R>,
    /// What came.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes are kept.
    limit: usize,
}

impl<R: Read + AsFd> Pipe<R> {
    pub(crate) fn new(source: Option<R>, limit: usize) -> Self {
        if let Some(source) = &source
            && let Ok(flags) = rustix::fs::fcntl_getfl(source)
        {
            let _ = rustix::fs::fcntl_setfl(source, flags | rustix::fs::OFlags::NONBLOCK);
        }
        Self { source, bytes: Vec::new(), limit }
    }

    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.source.as_ref().map(AsFd::as_fd)
    }

    /// Reads what is there now, within reason: a flood must not keep us from the clock.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        for _ in 0..16 {
            let Some(source) = &mut self.source else { break };
            match source.read(&mut buffer) {
                Ok(0) => self.source = None,
                Ok(read) => {
                    let room = self.limit.saturating_sub(self.bytes.len());
                    self.bytes.extend_from_slice(&buffer[..read.min(room)]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
