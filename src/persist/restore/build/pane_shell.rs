//! The shell of a restored pane: what the pane ran is what comes back.

use crate::agent::launcher;
use crate::process::base_name;
use crate::process::shell::is_shell_name;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The argument list for a pane that had a shell: empty for what tmux runs by default, the
/// `default-command` if there is one, else the `default-shell`.
///
/// `saved` is the argument list of the pane's first process, each word ended by a NUL byte. A
/// `default-command` that is our launcher would start an agent, so the account's shell is named then.
pub(crate) fn argv(
    saved: Option<&[u8]>,
    default_command: &str,
    default_shell: &[u8],
    account_shell: &[u8],
) -> Vec<Vec<u8>> {
    let is_launcher = default_command.contains(launcher::PROGRAM);
    let own = saved.and_then(SavedShell::parse);
    let own = own.filter(|own| {
        let given = match default_command {
            "" => vec![base_name(default_shell)],
            _ if is_launcher => vec![base_name(account_shell)],
            command => shells_in(command, default_shell),
        };
        // A command that names no shell decides by itself which one it becomes.
        !given.is_empty() && !given.contains(&own.name)
    });
    match own.and_then(|own| own.argv()) {
        Some(argv) => argv,
        None if is_launcher => vec![account_shell.to_vec(), b"-l".to_vec()],
        None => Vec::new(),
    }
}

/// A shell that waits for what is typed: options that run something are none of its arguments.
struct SavedShell<'a> {
    program: &'a [u8],
    name: &'a [u8],
    options: Vec<&'a [u8]>,
}

impl<'a> SavedShell<'a> {
    fn parse(saved: &'a [u8]) -> Option<Self> {
        const HARMLESS: [&[u8]; 4] = [b"-i", b"-l", b"--interactive", b"--login"];
        let mut words = saved.strip_suffix(b"\0")?.split(|&byte| byte == 0);
        let first = words.next()?;
        // Of a login shell only the name is known, after a dash.
        let (program, login) = first.strip_prefix(b"-").map_or((first, false), |name| (name, true));
        let name = base_name(program);
        let mut options: Vec<&[u8]> = words.collect();
        let is_plain = options.iter().all(|word| HARMLESS.contains(word));
        if !is_shell_name(name) || !is_plain {
            return None;
        }
        if options.is_empty() {
            options.push(if login { b"-l" } else { b"-i" }); // never one word alone
        }
        Some(Self { program, name, options })
    }

    /// The argument list; `None` if the program is not found.
    fn argv(&self) -> Option<Vec<Vec<u8>>> {
        let file = Path::new(OsStr::from_bytes(self.program));
        let file = if file.is_absolute() { Some(file.to_owned()) } else { on_path(file) };
        let file = file.filter(|file| file.is_file())?;
        let mut argv = vec![file.into_os_string().into_vec()];
        argv.extend(self.options.iter().map(|word| word.to_vec()));
        Some(argv)
    }
}

fn on_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// The names of the shells in a command, `$SHELL` for the default one.
fn shells_in<'a>(command: &'a str, default_shell: &'a [u8]) -> Vec<&'a [u8]> {
    let separates = |c: char| c.is_whitespace() || "'\"`;()|&".contains(c);
    let name = |word: &'a str| match word {
        "$SHELL" | "${SHELL}" => base_name(default_shell),
        word => base_name(word.as_bytes()),
    };
    command.split(separates).map(name).filter(|name| is_shell_name(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(saved: &str, default_command: &str, default_shell: &str) -> String {
        let saved = saved.replace(' ', "\0") + "\0";
        let shell = default_shell.as_bytes();
        let argv = argv(Some(saved.as_bytes()), default_command, shell, b"/bin/bash");
        argv.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_tmux_runs_by_default_is_left_to_tmux() {
        for (saved, command, default) in [
            ("-zsh", "", "/usr/bin/zsh"),
            ("fish", "/usr/bin/fish", "/bin/bash"),
            ("zsh -l", "exec zsh -l", "/bin/bash"),
            ("/bin/sh", "${SHELL}", "/bin/sh"),
            ("bash", "/opt/wrapper", "/bin/sh"),
            ("zsh", "reattach-to-user-namespace -l zsh", "/bin/bash"),
            ("top -d 1", "", "/bin/bash"),
            ("sh -c x", "", "/bin/bash"),
        ] {
            assert_eq!(shell(saved, command, default), "", "{saved} {command} {default}");
        }
    }

    #[test]
    fn another_shell_is_named_and_so_is_one_beside_the_launcher() {
        assert_eq!(shell("/bin/sh", "", "/bin/false"), "/bin/sh -i");
        assert_eq!(shell("/bin/sh", "exec zsh -l", "/bin/bash"), "/bin/sh -i");
        assert_eq!(shell("/bin/sh -l", "${SHELL}", "/bin/bash"), "/bin/sh -l");
        assert_eq!(shell("-bash", "/usr/bin/start-claude", "/bin/sh"), "/bin/bash -l");
        assert_eq!(shell("/nowhere/fish", "", "/bin/bash"), "");
    }
}
