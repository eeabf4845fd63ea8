//! Which lobby a spare agent belongs to: one that has ended leaves its own behind, and the next one ends them.

use terminal_lobby::process::Proc;

/// This process, as the value of an option of tmux: its pid and its start time.
pub(super) fn own() -> String {
    let pid = std::process::id().cast_signed();
    word(pid, Proc::new("/proc").stat(pid).map_or(0, |stat| stat.start))
}

/// Whether the lobby that the value names still runs.
pub(super) fn is_alive(owner: &str) -> bool {
    let Some((pid, _)) = owner.split_once('-') else { return false };
    let Ok(pid) = pid.parse() else { return false };
    Proc::new("/proc").stat(pid).is_some_and(|stat| word(pid, stat.start) == owner)
}

fn word(pid: i32, start: u64) -> String {
    format!("{pid}-{start}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lobby_is_known_by_its_pid_and_its_start() {
        assert!(is_alive(&own()));
        for dead in ["", "1", "x-1", "-1", &format!("{}-1", std::process::id())] {
            assert!(!is_alive(dead), "{dead}");
        }
    }
}
