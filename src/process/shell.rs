//! Shells: which programs are one, and when one only waits at its prompt.

use super::Process;
use std::path::PathBuf;

/// Beginnings of the names of daemons that prompts start below each shell (powerlevel10k).
const PROMPT_DAEMONS: [&[u8]; 1] = [b"gitstatusd"];
/// What shells are called as.
const SHELLS: [&[u8]; 11] =
    [b"ash", b"bash", b"csh", b"dash", b"fish", b"ksh", b"mksh", b"nu", b"sh", b"tcsh", b"zsh"];

/// Whether a program of that name is a shell.
pub fn is_shell_name(name: &[u8]) -> bool {
    SHELLS.contains(&name)
}

impl Process {
    /// The name that it was called as, without the `-` of a login shell.
    fn shell_name(&self) -> &[u8] {
        let called = self.called();
        called.strip_prefix(b"-").unwrap_or(called)
    }

    /// Whether it is a shell.
    pub fn is_shell(&self) -> bool {
        is_shell_name(self.shell_name())
    }

    /// Whether it is a shell that takes its commands from its terminal. `own` is the name of the user's
    /// shell, which may be none that we know.
    pub fn is_interactive_shell(&self, own: &[u8]) -> bool {
        (self.shell_name() == own || self.is_shell()) && reads_its_terminal(&self.argv)
    }

    /// Whether it is a shell at its prompt: it reads its terminal and owns it, and nothing runs in it
    /// or below it but helpers of its prompt, so that nothing of the user's ends with it. `own` is the
    /// name of the user's shell, which may be none that we know.
    pub fn is_waiting_shell(&self, own: &[u8]) -> bool {
        (self.shell_name() == own || self.is_shell())
            && reads_its_terminal(&self.argv)
            && !self.stat.running
            && self.is_alone_in_the_foreground()
    }

    /// Whether it is a shell that may be at its prompt in a moment: it computes, what owned its terminal has ended, or
    /// what runs below it has only just started, as what makes a prompt does. `now` in seconds since the epoch.
    pub fn is_settling_shell(&self, own: &[u8], now: u64) -> bool {
        const JUST: u64 = 2;
        let is_fresh =
            |child: &Process| child.started().is_some_and(|started| started + JUST >= now);
        let children = self.running_children();
        let owner_has_ended = self.stat.group != self.stat.foreground
            && children.iter().all(|child| child.stat.group != self.stat.foreground);
        self.is_interactive_shell(own)
            && (self.stat.running || owner_has_ended || children.iter().any(is_fresh))
    }

    /// Whether it waits for its terminal with nothing below it but helpers of its prompt.
    fn is_alone_in_the_foreground(&self) -> bool {
        self.stat.group == self.stat.foreground
            && self.running_children().iter().all(|child| self.is_prompt_helper(child))
    }

    /// Whether a process below this shell belongs to its prompt, which starts another one with the next
    /// shell: a fork of the shell itself (asynchronous prompts, such as zsh-async) that has another
    /// terminal or none, or a daemon that is known to end with its shell. A job of the user's is none of
    /// these, also if it is a fork of the shell: jobs keep the terminal open. Other programs with a
    /// session of their own (ssh-agent) may hold what the user needs.
    pub fn is_prompt_helper(&self, child: &Process) -> bool {
        if PROMPT_DAEMONS.iter().any(|name| child.called().starts_with(name)) {
            return true;
        }
        let is_fork = child.argv == self.argv;
        let has_own_session = child.stat.session != self.stat.session;
        is_fork && (has_own_session || !self.shares_terminal_with(child) && !child.has_children())
    }

    /// Whether a process has this one's terminal at one of its first three descriptors. If that cannot be
    /// read, it does.
    fn shares_terminal_with(&self, other: &Process) -> bool {
        let Some(terminal) = self.descriptor(0) else { return true };
        (0..3).any(|number| other.descriptor(number).is_none_or(|file| file == terminal))
    }

    /// Where an open descriptor points.
    fn descriptor(&self, number: u32) -> Option<PathBuf> {
        std::fs::read_link(self.dir.join("fd").join(number.to_string())).ok()
    }
}

/// Whether a shell with these arguments takes its commands from its terminal: one that was given
/// a script, or a command, is at work even while it waits.
fn reads_its_terminal(argv: &[Vec<u8>]) -> bool {
    const WITH_VALUE: [&[u8]; 5] = [b"-o", b"-O", b"+O", b"--rcfile", b"--init-file"];
    let mut words = argv.iter().skip(1).map(Vec::as_slice);
    while let Some(word) = words.next() {
        let is_short = word.starts_with(b"-") && !word.starts_with(b"--");
        if WITH_VALUE.contains(&word) {
            words.next();
        } else if is_short && word.contains(&b'c') || word.starts_with(b"--command") {
            return false;
        } else if is_short && word.contains(&b'i') {
            return true;
        } else if !word.starts_with(b"-") && !word.starts_with(b"+") {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_with_a_script_or_a_command_is_at_work() {
        let reads = |line: &str| {
            let argv: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            reads_its_terminal(&argv)
        };
        for line in ["-bash", "zsh -l", "bash --rcfile /x -i", "bash -o vi", "fish --login"] {
            assert!(reads(line), "{line}");
        }
        for line in ["bash deploy.sh", "sh -e deploy.sh", "bash -c x", "zsh -ic x", "nu x.nu"] {
            assert!(!reads(line), "{line}");
        }
        assert!(!reads("fish --command=x") && !reads("bash -- x"));
    }
}
