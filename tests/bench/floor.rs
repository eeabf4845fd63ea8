//! What saving costs at least: the question to tmux, and the reading of `/proc`.

use crate::support::Sandbox;
use crate::world::finish;
use std::io::Read;
use terminal_lobby::tmux::options::KEPT;
use terminal_lobby::tmux::{ExtraFields, panes};

/// One `tmux list-panes -a -F` with our own format; its answer has this many bytes.
pub(crate) fn list_panes(sandbox: &Sandbox) -> usize {
    let wanted = ExtraFields { options: KEPT.iter().collect(), ..ExtraFields::default() };
    let format = panes::format("0123456789abcdef0123456789abcdef", &wanted);
    let mut command = sandbox.command("tmux");
    finish(command.args(["-u", "list-panes", "-a", "-F", &format])).stdout.len()
}

/// Three files of each process, read in this process.
pub(crate) fn proc_files(pids: &[i32]) -> usize {
    let mut buffer = [0; 4096];
    let mut bytes = 0;
    for pid in pids {
        for file in ["stat", "cmdline", &format!("task/{pid}/children")] {
            let mut file = std::fs::File::open(format!("/proc/{pid}/{file}")).unwrap();
            bytes += file.read(&mut buffer).unwrap();
        }
    }
    bytes
}
