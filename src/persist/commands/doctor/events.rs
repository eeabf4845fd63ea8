//! Checks what announces events: the site's command, and what waits for a person.

use crate::events::{self, Counts, Kind};
use crate::persist::context::Context;
use crate::persist::report::Check;
use crate::sys::clock::Epoch;
use crate::sys::fs;
use crate::text::shown;
use std::path::Path;

const NAME: &str = "events";
/// How long an agent that was given up is a reason to look, in seconds.
const RECENT: u64 = 86_400;

/// Checks them; nothing is said of a user without events and a site without a command.
pub(crate) fn checks(context: &Context) -> Vec<Check> {
    let dir = context.own_dir();
    let program = context.notifier.command.first().map(Path::new);
    let is_runnable = program.is_some_and(|path| path.is_file() && fs::may_enter(path));
    let counts = events::counts(&dir).unwrap_or_default();
    let mut checks: Vec<Check> =
        program.map(|path| judge_command(path, is_runnable, counts)).into_iter().collect();
    let since = context.now.saturating_sub(RECENT);
    if let Ok(log) = events::read(&dir, since) {
        let times = |kinds: &[Kind]| -> Vec<Epoch> {
            let of_kind = log.events.iter().filter(|one| kinds.contains(&one.event.kind));
            of_kind.map(|one| one.event.time).collect()
        };
        let left = times(&[Kind::GaveUp, Kind::NotResumed]);
        let back = times(&[Kind::Resumed, Kind::Restored]);
        checks.extend(judge_left(&left, &back));
    }
    checks
}

fn judge_command(program: &Path, is_runnable: bool, counts: Counts) -> Check {
    let program = shown(program);
    if !is_runnable {
        let what = format!("watch.notify: {program} is not a program that this user can run");
        return Check::fault(NAME, what, format!("ls -l {program}"));
    }
    if counts.failed > counts.done {
        let what = format!("watch.notify: {program} failed {} times", counts.failed);
        return Check::warn(NAME, what, format!("echo '{{}}' | {program}"));
    }
    Check::ok(NAME, format!("watch.notify: {program}"))
}

/// Agents that are left since the last that came back.
fn judge_left(left: &[Epoch], back: &[Epoch]) -> Option<Check> {
    let last_back = back.iter().max().copied().unwrap_or(0);
    let number = left.iter().filter(|time| **time > last_back).count();
    (number > 0).then(|| {
        let what = format!(
            "{} in the last day because of which agents or sessions wait for a person",
            crate::text::table::count(number, "event")
        );
        Check::warn(NAME, what, "persist events --kind gave-up --kind not-resumed --since 1d")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn a_command_that_cannot_run_is_a_fault_and_one_that_fails_a_warning() {
        let judge = |runnable, done, failed| {
            let counts = Counts { done, failed, dropped: 9 };
            judge_command(Path::new("/x/announce"), runnable, counts).state
        };
        assert_eq!(judge(false, 0, 0), CheckState::Fault);
        assert_eq!(judge(true, 1, 2), CheckState::Warn);
        assert_eq!(judge(true, 2, 2), CheckState::Ok);
    }

    #[test]
    fn what_was_left_warns_until_something_has_come_back() {
        assert_eq!(judge_left(&[], &[5]), None);
        assert_eq!(judge_left(&[3, 4], &[5]), None);
        let check = judge_left(&[3, 6, 7], &[5]).unwrap();
        assert_eq!(check.state, CheckState::Warn);
        assert!(check.what.starts_with("2 events "), "{}", check.what);
    }
}
