//! Notes for a person who waits at a terminal.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{IsTerminal, Write};

/// Prints a note on standard error if that is a terminal. A failure to print is no failure.
pub fn note(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = writeln!(stderr, "note: {text}");
    }
}

/// Whether the reader of standard output has gone: a pipe that is closed, a terminal that hung up.
pub fn reader_has_gone() -> bool {
    let stdout = std::io::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let polled = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    polled.is_ok() && fds[0].revents().intersects(gone)
}

/// Prints a line on the terminal that a process of this user's reads from.
pub fn print_on_terminal_of(pid: i32, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
    let path = std::fs::read_link(format!("/proc/{pid}/fd/0"))?;
    if !path.starts_with("/dev/pts") {
        return Err(std::io::Error::other("not a terminal"));
    }
    let flags = rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
    let flags = (flags | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed();
    let mut file = std::fs::File::options().write(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    if !meta.file_type().is_char_device() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(std::io::Error::other("not a terminal of this user"));
    }
    file.write_all(format!("\r\n{text}\r\n").as_bytes())
}

/// Passes on to standard error what a child of ours printed there, with its control characters escaped.
pub fn relay(printed: &[u8]) {
    let mut stderr = std::io::stderr();
    for line in printed.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let _ = writeln!(stderr, "{}", crate::text::escape(line)); // a reader that has gone is no failure
    }
}
