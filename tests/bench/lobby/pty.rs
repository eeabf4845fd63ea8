//! The floor: a tmux client in a pseudo-terminal, with nothing between.

use crate::world::World;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

pub(crate) struct Pty {
    master: File,
    child: Child,
}

impl Pty {
    /// Attaches to a session. `setsid` makes the terminal the client's own.
    pub(crate) fn attach(world: &World, session: &str) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let open = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        let mut command = world.command("setsid");
        command.args(["--ctty", "tmux", "-u", "attach-session", "-t", session]);
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
        Self { master: File::from(master), child }
    }

    pub(crate) fn type_in(&mut self, data: &[u8]) {
        self.master.write_all(data).unwrap();
    }

    /// The next output.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 64 << 10];
        let length = self.master.read(&mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
