//! One round trip for everything (pure): the format that `list-panes -a` prints, and reading what
//! it printed.
//!
//! Values can hold line feeds, so fields and records are framed by a random printable nonce,
//! which works in every version; values are quoted by `#{q:}` so that the output layer of 3.4
//! and 3.5a can be undone (see [`super::dialect`]).

mod answer;

pub(super) use answer::parse_version;
pub use answer::{InvalidAnswer, parse};

use super::dialect::PROBE;
use super::hooks::HookState;
use super::options::{self, KeptOption};

/// Numbers and flags that can hold no separator of ours, in the order in which [`parse`] reads them.
const FIXED: &str = "#{version}|#{pid}|#{session_id}|#{window_id}|#{pane_id}|#{window_index}|\
    #{pane_index}|#{pane_pid}|#{window_active}|#{window_last_flag}|#{window_zoomed_flag}|\
    #{pane_active}|#{pane_last}|#{pane_dead}|#{automatic-rename}|#{window_stack_index}|\
    #{alternate_on}|#{window_layout}|#{host}|#{start_time}";
/// Values chosen by users, quoted.
const CHOSEN: [&str; 11] = [
    "#{q:session_name}",
    "#{q:window_name}",
    "#{q:pane_title}",
    "#{q:session_group}",
    "#{?pane_dead,#{q:pane_start_path},}",
    "#{q:@persist-restored}",
    // The stamp, a space, when it was left.
    "#{q:@conversation} #{q:@agent_event}",
    "#{q:TMUX_PERSIST_ORIGIN}",
    "#{q:@persist}",
    "#{q:session_path}",
    "#{q:@persist-directory}",
];
/// Fields beyond those that every save needs.
#[derive(Debug, Clone, Default)]
pub struct ExtraFields {
    /// Options, see [`options::KEPT`].
    pub options: Vec<&'static KeptOption>,
    /// Names of variables of the sessions' environments: letters, digits and underscores.
    pub environment: Vec<String>,
}

/// Ends a record; anything else there means that the answer is invalid.
const END: &str = "end";

/// One pane of one session. A window that is linked into two sessions is listed in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pane {
    /// tmux's session id, the number after `$`.
    pub session_id: u32,
    /// tmux's window id, the number after `@`.
    pub window_id: u32,
    /// tmux's pane id, the number after `%`; unique in the server for as long as it runs.
    pub id: u32,
    pub session: Vec<u8>,
    /// Session group, empty for none.
    pub group: Vec<u8>,
    pub window_index: u32,
    pub window_name: Vec<u8>,
    /// `#{window_layout}`, unverified.
    pub layout: String,
    /// Whether the window is its session's current one.
    pub window_active: bool,
    /// Whether the window is its session's last one (`select-window -l`).
    pub window_last: bool,
    /// Its place in the stack of the session's last windows, from 1; 0 for the current one and one
    /// that has not been visited.
    pub stack: u32,
    /// Whether the window's active pane is zoomed.
    pub zoomed: bool,
    /// Whether tmux renames the window by itself (the option in effect).
    pub automatic_rename: bool,
    /// Pane index in its window.
    pub index: u32,
    /// Whether the pane is its window's active one.
    pub active: bool,
    /// Whether the pane is its window's last one.
    pub last: bool,
    /// Whether the program has ended and the pane remains; `pid` may name another process then.
    pub dead: bool,
    /// Its first process. A number that no process has for a dead pane since 3.8, which reports none.
    pub pid: i32,
    pub title: Vec<u8>,
    /// Where a dead pane was started; empty for others, and before 3.3.
    pub start_path: Vec<u8>,
    /// The conversation that a restore resumed here; empty for none (`@persist-restored`).
    pub restored: Vec<u8>,
    /// What a hook marked the pane with, unverified; empty for nothing.
    pub stamp: Vec<u8>,
    /// When that was, unverified: nanoseconds since the host's start; empty for nothing.
    pub stamped: Vec<u8>,
    /// The session that a restore made this one of; empty for none (`TMUX_PERSIST_ORIGIN`).
    pub origin: Vec<u8>,
    /// What the user marked the session with (`@persist`), such as `off`; empty for nothing.
    pub mark: Vec<u8>,
    /// The session's own directory.
    pub session_path: Vec<u8>,
    /// The directory that a restore could not start it in; empty for none (`@persist-directory`).
    pub directory: Vec<u8>,
    /// Whether its program shows the alternate screen.
    pub alternate: bool,
    /// Options that differ from the server's global ones: `name=value`, separated by spaces.
    pub options: String,
    /// Variables of the session's environment, in the order of the request; none without a value.
    pub environment: Vec<(String, Vec<u8>)>,
}

/// Everything one server reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The server's pid, as it says.
    pub server_pid: i32,
    /// When the server was started, in seconds since the epoch, as it says.
    pub server_start: u64,
    /// The host name that a pane's title starts as.
    pub host: String,
    /// Its panes, in the server's order.
    pub panes: Vec<Pane>,
    /// What it has of our hooks.
    pub hooks: HookState,
}

/// The format to ask for; `nonce` is 32 random hexadecimal digits.
pub fn format(nonce: &str, extra: &ExtraFields) -> String {
    let mut format = format!("{nonce}{PROBE}{nonce}{FIXED}{nonce}");
    format.push_str(&options::format(&extra.options));
    for chosen in CHOSEN {
        format.push_str(nonce);
        format.push_str(chosen);
    }
    for name in &extra.environment {
        // The session's own value, else the server's: what a new pane of the session would get.
        format.extend([nonce, "#{q:", name, "}"]);
    }
    format.push_str(nonce);
    format.push_str(END);
    format
}

/// Asked before it in the same round trip: the options that all sessions share.
pub const FIRST_QUESTIONS: [&str; 6] = options::GLOBALS;

/// Asked last in the same round trip, and answered by every server with one word: this shows that the
/// answer is complete.
pub const LAST_QUESTION: [&str; 4] = ["show-option", "-s", "-v", "exit-empty"];

#[cfg(test)]
mod tests;
