//! A tmux server that still runs but is not found where it should listen: its socket file was cleaned
//! away, or `TMUX_TMPDIR` has changed.

use super::context::Context;
use super::error::Error;
use crate::process::{Proc, Process};
use crate::snapshot::Snapshot;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How far the start of a server, as it says, may be from that of its process, in seconds.
const TOLERANCE: u64 = 10;

/// Fails if no server listens at the socket, but the one of the newest snapshot still runs.
pub(crate) fn check(context: &Context) -> Result<(), Error> {
    if context.server.is_listening()? {
        return Ok(());
    }
    let newest = match context.store()? {
        Some(store) => store.newest(&mut Vec::new())?,
        None => None,
    };
    match newest.and_then(|(_, stored)| find(context, &stored.snapshot)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Why the server of a snapshot is not reached, if it still runs. The caller has found that nothing
/// listens at the socket.
pub(crate) fn find(context: &Context, snapshot: &Snapshot) -> Option<Error> {
    let (pid, started) = snapshot.server.split_once('-')?;
    let (pid, started): (i32, u64) = (pid.parse().ok()?, started.parse().ok()?);
    let proc = Proc::default();
    let process = proc.process(pid, 0).filter(Process::is_own)?;
    let since = proc.time_of(process.stat.start)?;
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    if !name.starts_with(b"tmux") || since.abs_diff(started) > TOLERANCE {
        return None; // its number is another process's now
    }
    let socket = context.server.socket.path().to_owned();
    let listens_at = listens_at(pid)?;
    Some(if listens_at == socket {
        Error::SocketGone { pid, socket }
    } else {
        let tmpdir = tmpdir_of(&listens_at).filter(|_| listens_at.exists());
        let tmpdir = tmpdir.map(Path::to_owned);
        Error::ListensElsewhere { pid, socket, listens_at, tmpdir }
    })
}

/// The path at which a process listens, whether or not a file is there.
fn listens_at(pid: i32) -> Option<PathBuf> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let inode = |link: std::io::Result<std::fs::DirEntry>| {
        let target = std::fs::read_link(link.ok()?.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some(inode.to_owned())
    };
    let inodes: Vec<String> = links.filter_map(inode).collect();
    let sockets = std::fs::read(format!("/proc/{pid}/net/unix")).ok()?;
    sockets.split(|&byte| byte == b'\n').find_map(|line| listener(line, &inodes))
}

/// The path in a line of `/proc/net/unix` if it is a listening socket among `inodes`.
fn listener(line: &[u8], inodes: &[String]) -> Option<PathBuf> {
    const LISTENS: u32 = 0x1_0000; // __SO_ACCEPTCON
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let flags = std::str::from_utf8(words.nth(3)?).ok()?;
    let inode = std::str::from_utf8(words.nth(2)?).ok()?;
    let listens = u32::from_str_radix(flags, 16).ok()? & LISTENS != 0;
    let at = line.iter().position(|&byte| byte == b'/')?;
    (listens && inodes.iter().any(|own| own == inode))
        .then(|| Path::new(OsStr::from_bytes(&line[at..])).to_owned())
}

/// A directory for `TMUX_TMPDIR` from which `socket` is found by its name.
fn tmpdir_of(socket: &Path) -> Option<&Path> {
    let directory = socket.parent()?;
    directory.file_name()?.as_bytes().starts_with(b"tmux-").then_some(())?;
    directory.parent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_socket_is_found_by_its_inode() {
        let inodes = ["4711".to_owned()];
        let line = |flags: &str, inode: &str| {
            format!("ffff9: 00000002 00000000 {flags} 0001 01  {inode} /tmp/tmux-1/a b")
        };
        let found = |flags, inode| listener(line(flags, inode).as_bytes(), &inodes);
        assert_eq!(found("00010000", "4711"), Some("/tmp/tmux-1/a b".into()));
        assert_eq!(found("00000000", "4711"), None, "connected");
        assert_eq!(found("00010000", "471"), None, "of another process");
        assert_eq!(tmpdir_of(Path::new("/x/tmux-1/default")), Some(Path::new("/x")));
        assert_eq!(tmpdir_of(Path::new("/x/default")), None);
    }
}
