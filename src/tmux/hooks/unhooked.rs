//! Commands for which no `after-...` hook of the user's runs (pure): such a hook may fail, print, ask or wait, in
//! the middle of an answer.
//!
//! - `list-commands`, `if-shell`, `run-shell` and `set-window-option` have no such hook. A format that
//!   `list-commands` prints has no session, so options in it are the global ones.
//! - What a hook runs causes no `after-...` hook. So where the user has such hooks, other commands are
//!   run as a hook of ours, [`CAUSE`], which is set only meanwhile.

use crate::tmux::escape::quote;

/// The hook that runs commands, and the command that causes it and does nothing. A user who has this hook, too, hears
/// of it.
pub(super) const CAUSE: (&str, &str) = ("after-list-buffers", "list-buffer -f 0");
/// No format says whether there is a hook of a name, only whether there is one under an index.
const INDEXES: [u32; 24] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 42, 50, 99, 100, 123, 200, 999, 1000];

/// The words of a command that prints a format, and nothing if that is empty.
pub(in crate::tmux) fn print(format: &str) -> [&str; 4] {
    ["list-command", "-F", format, "display-message"]
}

/// A format that is true if the user has one of these hooks.
pub(in crate::tmux) fn has(hooks: &[&str]) -> String {
    let of = |name: &&str| INDEXES.map(|index| format!("#{{{name}[{index}]}}")).concat();
    hooks.iter().map(of).collect()
}

/// The words of a command that runs `commands`, for which no hook runs, given the names of those that
/// would.
pub(in crate::tmux) fn run(commands: &str, hooks: &[&str]) -> [String; 5] {
    let as_hook = as_hook("-g", commands);
    ["if-shel".to_owned(), "-F".to_owned(), has(hooks), as_hook, commands.to_owned()]
}

/// The words of a command that runs the commands that a format gives, for which no hook runs: for an answer in which
/// nothing may be what a hook printed.
pub(in crate::tmux) fn run_format_as_hook(format: &str) -> [String; 4] {
    let as_hook = as_hook("-gF", format);
    ["if-shel".to_owned(), "-F".to_owned(), "1".to_owned(), as_hook]
}

/// The commands that run others as a hook. There must be a session.
pub(super) fn as_hook(flags: &str, commands: &str) -> String {
    let (hook, cause) = (format!("{}[{}]", CAUSE.0, super::INDEX), CAUSE.1);
    let text = quote(commands.as_bytes());
    format!("set-window-optio {flags} {hook} {text} ; {cause} ; set-window-optio -gqu {hook}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_run_as_they_are_unless_the_user_has_hooks_for_them() {
        let [command, flag, has, as_hook, plain] = run("show-options -p", &["after-show-options"]);
        assert_eq!(
            (command.as_str(), flag.as_str(), plain.as_str()),
            ("if-shel", "-F", "show-options -p")
        );
        assert!(has.starts_with("#{after-show-options[0]}#{after-show-options[1]}"), "{has}");
        assert!(
            as_hook
                .starts_with("set-window-optio -g after-list-buffers[7041] \"show-options -p\" ; "),
            "{as_hook}"
        );
    }
}
