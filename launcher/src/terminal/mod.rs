//! The pane's terminal, which is reset after an agent that died, and what is printed there.

mod input;
pub mod say;
pub mod scrollback;
pub(crate) mod wait;

use crate::process::signals;
use nix::sys::signal::{SigmaskHow, Signal};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::Write;

/// The terminal as it was before the agent ran.
#[derive(Debug)]
pub struct Terminal {
    modes: Option<Termios>,
}

/// Leaves the alternate screen; ends mouse reports, bracketed paste and keyboard protocols; shows
/// the cursor; plain colours, plain keypad.
const RESET: &[u8] = b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[<u\x1b[?25h\x1b[0m\x1b>\r";

impl Terminal {
    /// Reads the terminal's modes; `None` if standard input is no terminal.
    pub fn remember() -> Self {
        Self { modes: tcgetattr(std::io::stdin()).ok() }
    }

    pub fn exists(&self) -> bool {
        self.modes.is_some()
    }

    /// Resets the terminal: this process group in the foreground, modes and screen as before.
    pub fn restore(&self) {
        let Some(modes) = &self.modes else { return };
        // From the background each of these would stop this process: a child of the agent may still
        // be in the foreground.
        let stop = signals::set(&[Signal::SIGTTOU]).thread_swap_mask(SigmaskHow::SIG_BLOCK);
        let _ = rustix::termios::tcsetpgrp(std::io::stdin(), rustix::process::getpgrp());
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, modes);
        let mut out = std::io::stderr();
        let _ = out.write_all(RESET).and_then(|()| out.flush());
        if let Ok(before) = stop {
            let _ = before.thread_set_mask();
        }
    }

    /// Runs `read` with single keys and no echo; keys that interrupt are ordinary keys meanwhile.
    pub fn with_single_keys<T>(&self, read: impl FnOnce() -> T) -> T {
        use rustix::termios::{LocalModes, SpecialCodeIndex};
        let Some(modes) = &self.modes else { return read() };
        let mut keys = modes.clone();
        keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &keys);
        let result = read();
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, modes);
        result
    }
}
