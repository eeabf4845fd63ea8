//! The session that a control-mode connection is attached to, so that none of the user's is (pure).

use super::command::{self, Line, Spawn};
use super::hooks::held;
use std::ffi::OsStr;

/// The program of the session: it ends with the process whose id it is given, and with it the session. In another
/// namespace of process ids, the server's being in a container, that process cannot be seen: it ends in the end then.
/// Not every sleep(1) has parts of seconds.
const UNTIL_ENDED: &str = "[ \"$(readlink /proc/self/ns/pid)\" = \"$1\" ] || exec sleep 1000\n\
    while kill -0 \"$0\" 2>/dev/null; do sleep 0.1 2>/dev/null || sleep 1; done";

/// A process that a session lasts as long as.
#[derive(Debug, Clone)]
pub(super) struct Lasting {
    pub(super) process: u32,
    /// Its namespace of process ids, as /proc/PID/ns/pid says; empty if it does not.
    pub(super) namespace: String,
}

/// The commands that make the session, of which no hook of the user's hears. It lasts as long as the process.
pub(super) fn begin(name: &str, cwd: &OsStr, lasting: &Lasting) -> String {
    let own = target(name);
    let mut others = held::hold_own(&own);
    others.extend(of_its_program_alone(&own));
    new(name, cwd, lasting).and_then(&others).as_str().to_owned()
}

/// How the session is named as a target.
pub(super) fn target(name: &str) -> String {
    format!("={name}:")
}

/// The command that ends the session.
pub(super) fn end(name: &str) -> Line {
    Line::new("kill-session -t").plain(target(name).as_bytes())
}

fn new(name: &str, cwd: &OsStr, lasting: &Lasting) -> Line {
    let line = Line::new("new-session -d -x 80 -y 24").word("-s").plain(name.as_bytes());
    let process = lasting.process.to_string();
    // No shell of the user's runs.
    let argv = ["sh", "-c", UNTIL_ENDED, &process, &lasting.namespace]
        .map(|word| word.as_bytes().to_vec());
    line.spawn(Spawn { cwd, argv: &argv, environment: &[], window_name: None })
}

/// Has the session end with its program, whatever the configuration says.
///
/// Nothing may end it because its client is gone (`destroy-unattached`): a client that is about to go, and has output yet,
/// then shows a session without a window, and the server crashes (tmux 3.3a, 3.5a: once in 340 restores that were killed).
fn of_its_program_alone(own: &str) -> [Line; 3] {
    let set =
        |flags, option| Line::new("set-option").word(flags).plain(own.as_bytes()).word(option);
    [
        command::keep_unattached(own),
        set("-t", "detach-on-destroy on"),
        set("-w -t", "remain-on-exit off"),
    ]
}
