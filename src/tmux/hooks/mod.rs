//! tmux's own hooks: what a server runs when its sessions change (pure).
//!
//! They are set under an index of ours, so that a user's own stay; a `set-hook` without an index,
//! as in a configuration that is read again, wipes them, and the next save sets them again. No
//! name is in them, since tmux expands formats in them unquoted.

pub mod held;
pub mod unhooked;

use super::escape::{escape_format, quote};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What changes a snapshot: sessions and windows that come, go and are named, panes that come and
/// go. All of these exist from 3.2 to 3.7. None fires while nothing changes, as `window-renamed`
/// does at every command of a shell.
const CHANGES: [&str; 9] = [
    "session-created",
    "session-renamed",
    "session-closed",
    "window-linked",
    "window-unlinked",
    "after-split-window",
    "after-rename-window",
    "pane-exited",
    "pane-died",
];
/// Our index among the hooks of one name.
pub(super) const INDEX: u32 = 7041;
/// An option that says which command our hooks run.
const MARK: &str = "@persist_save";
/// Sets hooks as well as any option, and has no `after-...` hook.
const SET: &str = "set-window-optio";

/// The hooks that a server should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    command: String,
    mark: String,
}

/// Which of our hooks a server has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HookState {
    /// None.
    #[default]
    Missing,
    /// Some, or ones that run another command.
    Different,
    /// All, with the expected command.
    Current,
}

impl Hooks {
    /// Hooks that run `shell`, a command line for sh. It must print nothing and succeed: otherwise tmux
    /// puts a pane into view mode.
    pub fn running(shell: &[u8]) -> Self {
        let command = format!("run-shell -b {}", quote(&escape_format(shell)));
        let mut hasher = DefaultHasher::new();
        (&command, CHANGES, INDEX).hash(&mut hasher);
        Self { mark: format!("{:016x}", hasher.finish()), command }
    }

    /// The commands that set them, as arguments of a client.
    pub fn set(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        for name in CHANGES {
            let hook = format!("{name}[{INDEX}]");
            words.extend([SET, "-g", &hook, &self.command, ";"].map(OsString::from));
        }
        words.extend([SET, "-g", MARK, &self.mark].map(OsString::from));
        words
    }

    /// The commands that remove our hooks, whatever they run.
    pub fn unset() -> Vec<OsString> {
        let mut words = Vec::new();
        for name in CHANGES {
            let hook = format!("{name}[{INDEX}]");
            words.extend([SET, "-g", "-u", &hook, ";"].map(OsString::from));
        }
        words.extend([SET, "-g", "-u", MARK].map(OsString::from));
        words
    }
}

/// The format that prints `1` or `0` for each hook that is set or not, and a last one for whether they
/// run what `wanted` runs.
pub fn question(wanted: Option<&Hooks>) -> String {
    let mark = wanted.map_or("", |hooks| &hooks.mark);
    let set = CHANGES.map(|name| format!("#{{?{name}[{INDEX}],1,0}}")).concat();
    format!("{set}#{{==:#{{{MARK}}},{mark}}}")
}

/// Reads the answer to [`question`]; `None` if it is invalid.
pub fn answer(line: &[u8]) -> Option<HookState> {
    let (mark, set) = line.split_last()?;
    let digits =
        set.len() == CHANGES.len() && line.iter().all(|digit| matches!(digit, b'0' | b'1'));
    digits.then(|| match (set.contains(&b'1'), set.contains(&b'0'), mark) {
        (false, ..) => HookState::Missing,
        (true, false, b'1') => HookState::Current,
        (true, ..) => HookState::Different,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_some_and_other_hooks_are_told_apart() {
        for (line, found) in [
            (&b"1111111111"[..], Some(HookState::Current)),
            (b"1111111110", Some(HookState::Different)),
            (b"1111111011", Some(HookState::Different)),
            (b"0000000001", Some(HookState::Missing)),
            (b"111111111", None),
            (b"11111111x1", None),
            (b"", None),
        ] {
            assert_eq!(answer(line), found, "{line:?}");
        }
    }

    #[test]
    fn a_hostile_path_is_one_quoted_argument() {
        let hooks = Hooks::running(b"'/a#{pid}\"$b' save");
        let expected = r#"run-shell -b "\047/a\043\043\173pid\175\042\044b\047 save""#;
        assert_eq!(hooks.command, expected);
        assert_ne!(hooks.mark, Hooks::running(b"'/b' save").mark);
        assert!(question(Some(&hooks)).contains(&hooks.mark));
    }
}
