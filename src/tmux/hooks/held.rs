//! Hooks of the user's that are held off while sessions are built (pure).
//!
//! A hook may make, name or end sessions, ask a question or wait: nothing that is built may depend
//! on it. Two rules of tmux hold them off without changing any of them:
//!
//! - What a hook runs causes no `after-...` hook. So if the user has any, each command of a builder is
//!   stored in a user option of its own session and run as a hook from there ([`run`]).
//! - A session's or a window's own hook of a name hides the global one. So every new session and
//!   window gets empty ones ([`HeldHooks::hold`]), in the same text as the command that makes it:
//!   tmux runs hooks about what has happened only after all commands of a text. They are removed
//!   again before the sessions get their names, so that nothing is left of an interrupted restore
//!   but sessions of ours.

use super::unhooked;
use crate::tmux::command::Line;
use crate::tmux::escape::quote;
use std::collections::BTreeSet;

/// The option that holds the command to run.
const COMMAND: &str = "@persist-do";
/// The option that holds the commands which make a connection's session.
pub(in crate::tmux) const BEGIN: &str = "@persist-begin";
/// What may happen to a connection's own session while it is made and used.
const OWN_SESSION: [&str; 15] = [
    // First, since it is about setting the others.
    "after-set-option",
    "after-display-message",
    "after-set-hook",
    "after-show-options",
    "client-active",
    "client-attached",
    "client-detached",
    "client-resized",
    "client-session-changed",
    "session-created",
    "session-renamed",
    "session-window-changed",
    "window-linked",
    "window-renamed",
    "window-unlinked",
];
/// The hook that is held until the sessions have their names.
const RENAMED: &str = "session-renamed";

/// The user's global hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldHooks {
    /// Whether there are any about commands, other than ours.
    pub(in crate::tmux) about_commands: bool,
    /// The names of the others, of sessions.
    session: BTreeSet<String>,
    /// Of windows and panes.
    window: BTreeSet<String>,
}

impl HeldHooks {
    /// The commands that list the hooks of sessions and of windows.
    pub(in crate::tmux) fn questions() -> [Line; 2] {
        [Line::new("show-hooks -g"), Line::new("show-hooks -gw")]
    }

    /// Reads the replies to [`HeldHooks::questions`]: `name[index] command`, a line each; a hook that
    /// is not set is its name alone.
    pub(in crate::tmux) fn parse(session: &str, window: &str) -> Self {
        let names = |list: &str| {
            let name = |line: &str| {
                let (name, _) = line.split_once('[')?;
                let is_name = !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                (is_name && !name.starts_with("after-")).then(|| name.to_owned())
            };
            list.lines().filter_map(name).collect()
        };
        let ours = format!("[{}] ", super::INDEX);
        let is_about_command =
            |line: &str| line.starts_with("after-") && line.contains('[') && !line.contains(&ours);
        Self {
            about_commands: session.lines().any(is_about_command),
            session: names(session),
            window: names(window),
        }
    }

    /// The commands that hold the hooks of the session and the window which `target` means.
    pub fn hold(&self, target: &str) -> Vec<Line> {
        let mut lines: Vec<Line> =
            self.session.iter().map(|name| hide("-q", target, name)).collect();
        lines.extend(self.hold_window(target));
        lines
    }

    /// The commands that hold the hooks of a window.
    pub fn hold_window(&self, target: &str) -> Vec<Line> {
        self.window.iter().map(|name| hide("-qw", target, name)).collect()
    }

    /// The commands that let a session run its hooks again, all but the one about its new name.
    pub fn release(&self, target: &str) -> Vec<Line> {
        let names = self.session.iter().filter(|name| *name != RENAMED);
        names.map(|name| unset("-qu", target, name)).collect()
    }

    /// The commands that let a session run its hooks about its name again.
    pub fn release_renamed(&self, target: &str) -> Option<Line> {
        self.session.contains(RENAMED).then(|| unset("-qu", target, RENAMED))
    }

    /// The commands that let a window run its hooks again.
    pub fn release_window(&self, target: &str) -> Vec<Line> {
        self.window.iter().map(|name| unset("-quw", target, name)).collect()
    }
}

/// Holds all hooks of a connection's own session.
pub(in crate::tmux) fn hold_own(target: &str) -> Vec<Line> {
    OWN_SESSION.iter().map(|name| hide("-q", target, name)).collect()
}

/// The line that runs a command for which no `after-...` hook runs.
pub(in crate::tmux) fn run(own_session: &str, line: &Line) -> String {
    let target = quote(format!("={own_session}:").as_bytes());
    let text = quote(line.as_str().as_bytes());
    format!("set-optio -t {target} {COMMAND} {text} ; set-hoo -R -t {target} {COMMAND}")
}

/// The words that run the commands which make a connection's session, as a hook. tmux runs no `after-...`
/// hook without any session, so they are an option that is run as one then.
pub(in crate::tmux) fn begin(commands: &str) -> Vec<String> {
    let text = quote(commands.as_bytes());
    let first = format!("set-optio -g {BEGIN} {text} ; set-hoo -R {BEGIN}");
    let words = ["if-shel", "-F", "#{S:1}", &unhooked::as_hook("-g", commands), &first, ";"];
    words.map(str::to_owned).into()
}

/// Forgets how the connection's session was made.
pub(in crate::tmux) fn forget_begin() -> Line {
    Line::new("set-option").word("-gqu").word(BEGIN)
}

fn hide(flags: &'static str, target: &str, name: &str) -> Line {
    set(flags, target, name).plain(b"")
}

fn unset(flags: &'static str, target: &str, name: &str) -> Line {
    set(flags, target, name)
}

fn set(flags: &'static str, target: &str, name: &str) -> Line {
    let line = Line::new("set-option").word(flags).word("-t").plain(target.as_bytes());
    line.plain(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_that_are_set_are_held_but_for_those_about_commands() {
        let session = "after-new-window[0] display-message hi\nclient-attached\n\
            session-created[0] new-window\nsession-created[7041] run-shell x\nx y[0] z\n";
        let held = HeldHooks::parse(session, "pane-exited[0] display-message \"x y\"\n");
        let lines: Vec<String> =
            held.hold("$1:").iter().map(|line| line.as_str().to_owned()).collect();
        let expected = [
            "set-optio -q -t \"\\0441:\" \"session-created\" \"\"",
            "set-optio -qw -t \"\\0441:\" \"pane-exited\" \"\"",
        ];
        assert_eq!(lines, expected);
        assert_eq!(held.release("$1:").len() + held.release_window("$1:").len(), 2);
        assert!(HeldHooks::parse("session-created\n", "").hold("$1:").is_empty());
        assert!(held.about_commands);
        let others =
            "after-new-window\nafter-split-window[7041] run-shell x\nsession-created[0] x\n";
        assert!(!HeldHooks::parse(others, "").about_commands);
    }
}
