//! The kernel's notice that tasks wait for memory (pressure stall information, `Documentation/accounting/psi.rst`).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// A descriptor that is exceptional (POLLPRI) each time that, within a window, some task waited for longer than a
/// given time; at most once in each window.
#[derive(Debug)]
pub struct PressureTrigger(File);

impl PressureTrigger {
    /// For a file such as `/proc/pressure/memory`, or `memory.pressure` of a control group that the caller may write.
    /// Without privileges the window must be a multiple of 2 s.
    pub fn new(file: &Path, waited: Duration, window: Duration) -> io::Result<Self> {
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut opened = File::options().read(true).write(true).custom_flags(flags).open(file)?;
        let line = format!("some {} {}\0", waited.as_micros(), window.as_micros());
        opened.write_all(line.as_bytes())?;
        Ok(Self(opened))
    }
}

impl AsFd for PressureTrigger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_no_trigger_is_an_error() {
        let (waited, window) = (Duration::from_millis(200), Duration::from_secs(2));
        assert!(PressureTrigger::new(Path::new("/proc/version"), waited, window).is_err());
        assert!(PressureTrigger::new(Path::new("/nonexistent"), waited, window).is_err());
    }
}
