//! Which program to ask a server with.
//!
//! Client and server must fit: how they pass descriptors changed in 3.6 without another version of
//! their protocol. A newer client's standard input does not reach an older server, so control mode
//! hangs; an older client cannot talk to a newer server at all (measured with 3.3a, 3.5a, 3.7c and
//! 3.8). The program of the server itself always fits, also after an upgrade replaced its file.

use super::socket::Socket;
use crate::sys::process::exec::Program;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The server's own program where that is another file than the `tmux` on PATH; `None` where it is
/// the same, where it cannot be run (its libraries are gone), and where what listens is no tmux.
pub fn of_server(socket: &Socket) -> Option<PathBuf> {
    let pid = socket.server_pid()?;
    let own = PathBuf::from(format!("/proc/{pid}/exe"));
    let file = |path: &Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let running = file(&own)?;
    if installed().as_deref().and_then(file) == Some(running) {
        return None;
    }
    // It calls itself `tmux: server`.
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    (name.starts_with(b"tmux") && version(Some(&own)).is_some()).then_some(own)
}

/// What a program, or the `tmux` on PATH, says of its version: `tmux 3.3a`.
pub fn version(program: Option<&Path>) -> Option<String> {
    let program = program.map_or_else(|| Program::new(NAME), |path| Program::at(path, NAME));
    let program = program.args(["-V"]).only_queries().deadline(Duration::from_secs(2));
    let said = String::from_utf8(program.max_output(4096).run().ok()?.stdout).ok()?;
    said.trim().starts_with("tmux ").then(|| said.trim().to_owned())
}

/// What the program is called.
pub(super) const NAME: &str = "tmux";

/// The `tmux` that would be run: the first on PATH.
fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(NAME)).find(|file| file.is_file())
}
