//! One round trip for everything (pure): the format that `list-panes -a` prints, and reading what
//! it printed.
//!
//! Values can hold line feeds, so fields and records are framed by a random printable nonce,
//! which works in every version; values are quoted by `#{q:}` so that the output layer of 3.4
//! and 3.5a can be undone (see [`super::dialect`]).

mod answer;

pub use answer::{InvalidAnswer, parse};
pub(super) use answer::{has_plain_names, parse_version};

use super::dialect::PROBE;
use super::hooks::HookState;
use super::hooks::unhooked;
use super::options::{self, KeptOption};
use super::user_options::{GroupAnswers, Groups};

/// Numbers and flags that can hold no separator of ours, in the order in which [`parse`] reads them.
const FIXED: &str = "#{version}|#{pid}|#{session_id}|#{window_id}|#{pane_id}|#{window_index}|\
    #{pane_index}|#{pane_pid}|#{window_active}|#{window_last_flag}|#{window_zoomed_flag}|\
    #{pane_active}|#{pane_last}|#{pane_dead}|#{automatic-rename}|#{window_stack_index}|\
    #{alternate_on}|#{window_layout}|#{host}|#{start_time}|#{window_activity}|#{session_activity}";
/// Values chosen by users, quoted.
const CHOSEN: [&str; 12] = [
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
    "#{q:@agent_state}",
];
/// Fields beyond those that every save needs.
#[derive(Debug, Clone, Default)]
pub struct ExtraFields {
    /// Options, see [`options::KEPT`].
    pub options: Vec<&'static KeptOption>,
    /// Names of variables of the sessions' environments: letters, digits and underscores.
    pub environment: Vec<String>,
    /// Names of user options, with their `@`: letters, digits, `_`, `.` and `-`.
    pub user_options: Vec<String>,
    /// Of what all options that users set are asked for.
    pub option_groups: Groups,
    /// The patterns of those options that count.
    pub option_patterns: Vec<String>,
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
    /// Whether tmux has the name as it is, not escaped.
    pub plain_window_name: bool,
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
    /// What a hook said that the agent does, unverified; empty for nothing (`@agent_state`).
    pub agent_state: Vec<u8>,
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
    /// Values of user options in effect for the pane, in the order of the request; empty for none.
    pub user_options: Vec<Vec<u8>>,
    /// When its window last printed or its session was last used, in seconds since the epoch.
    pub activity: u64,
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
    /// The options of the groups, if they were asked for and there is a complete answer.
    pub group_answers: Option<GroupAnswers>,
}

/// The format to ask for; `nonce` is 32 random hexadecimal digits.
pub fn format(nonce: &str, extra: &ExtraFields) -> String {
    let mut format = format!("{nonce}{PROBE}{nonce}{FIXED}{nonce}");
    format.push_str(&options::format(&extra.options));
    for chosen in CHOSEN {
        format.push_str(nonce);
        format.push_str(chosen);
    }
    // The session's own value of a variable, else the server's: what a new pane of the session would get.
    for name in extra.environment.iter().chain(&extra.user_options) {
        format.extend([nonce, "#{q:", name, "}"]);
    }
    format.push_str(nonce);
    format.push_str(END);
    format
}

/// The longest format that is sent twice: tmux takes 16 kB of arguments.
const MAX_TWICE: usize = 6000;
/// The most bytes of words with which groups of options are asked for, too.
const MAX_WORDS: usize = 15_000;

/// The words of a client's commands that ask for everything: the options that all sessions share, the
/// panes, groups of options if they fit, our hooks (`hooks` is the format for them), and one word, which shows that
/// the answer is complete.
pub fn question(nonce: &str, extra: &ExtraFields, hooks: &str) -> Vec<String> {
    let globals = options::globals();
    let format = format(nonce, extra);
    let list = format!("list-pane -a -F '{format}'");
    let mut words: Vec<String> = Vec::new();
    let mut add = |some: &[&str]| words.extend(some.iter().map(|word| (*word).to_owned()));
    add(&unhooked::print(&globals));
    if format.len() > MAX_TWICE {
        add(&[";", "list-pane", "-a", "-F", &format]);
    } else {
        // Twice as slow.
        let unhooked = format!("list-command -F '#{{S:#{{W:#{{P:{format}}}}}}}' display-message");
        let has_hook = unhooked::has(&["after-list-panes"]);
        add(&[";", "if-shel", "-F", &has_hook, &unhooked, &list]);
    }
    let ending = [&[";"], &unhooked::print(hooks)[..], &[";"], &unhooked::print(LAST_QUESTION)];
    let groups = extra.option_groups.words(nonce);
    let length = |words: &[String]| words.iter().map(|word| word.len() + 1).sum::<usize>();
    if !groups.is_empty() && length(&words) + length(&groups) + hooks.len() <= MAX_WORDS {
        words.push(";".to_owned());
        words.extend(groups);
    }
    words.extend(ending.concat().into_iter().map(str::to_owned));
    words
}

const LAST_QUESTION: &str = "#{?exit-empty,on,off}";

#[cfg(test)]
mod tests;
