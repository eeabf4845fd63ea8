//! Fast-forwards the checked-out branch, or leaves everything as it is.

use super::changes::{self, Change};
use super::fetch::Turn;
use super::git::{error_line, git};
use super::layout::GitDirs;
use super::outcome::{Branch, Reason};
use super::undo::{self, Ended, Undo};
use super::{Job, blocked, config, refs, under_way};
use shared::child::{self, Output, Stopped};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A tree is not touched with less free space: a disk that fills during an update leaves half
/// of one.
const MIN_FREE: u64 = 32 << 20;

/// Maximum size of the list of changes, in bytes.
const MAX_CHANGES: usize = 64 << 20;

/// Forwards the branch if possible; `turn` is held for as long as that takes.
pub(super) fn forward(
    clone: &Path,
    dirs: &GitDirs,
    turn: &Turn,
    job: &Arc<Job>,
) -> Result<Branch, Stopped> {
    if let Err(error) = undo::recover(clone, dirs, job) {
        return Ok(Branch::LeftAlone(error.reason()));
    }
    if refs::is_at_upstream(dirs) {
        return Ok(Branch::Same);
    }
    let state = match status(clone, job)? {
        Ok(state) => state,
        Err(reason) => return Ok(Branch::LeftAlone(reason)),
    };
    match state.decide(dirs) {
        Decision::Nothing => return Ok(Branch::Same),
        Decision::Leave(reason) => return Ok(Branch::LeftAlone(reason)),
        Decision::Forward if is_nearly_full(clone) => {
            return Ok(Branch::LeftAlone(Reason::DiskFull));
        }
        Decision::Forward => {}
    }
    match prepare(clone, dirs, &state, job)? {
        Ok(undo) => merge(clone, dirs, undo, state.behind, turn, job),
        Err(reason) => Ok(Branch::LeftAlone(reason)),
    }
}

/// Finds what would keep the update from being finished, then keeps what it replaces.
fn prepare(
    clone: &Path,
    dirs: &GitDirs,
    state: &State,
    job: &Job,
) -> Result<Result<Undo, Reason>, Stopped> {
    let (Some(old), Some(branch)) = (&state.commit, &state.branch) else {
        return Ok(Err(Reason::NoBranch));
    };
    let (raw, changes) = match changes(clone, old, job)? {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    if let Some(reason) = blocked::reason(clone, dirs, branch, &changes) {
        return Ok(Err(reason));
    }
    if blocked::is_in_the_way(clone, &changes) {
        return Ok(Err(Reason::InTheWay));
    }
    Ok(Undo::prepare(clone, dirs, old, branch, (&raw, changes), job))
}

/// git's list of what the update changes.
type Changes = (Vec<u8>, Vec<Change>);

fn changes(clone: &Path, old: &str, job: &Job) -> Result<Result<Changes, Reason>, Stopped> {
    let mut command = git(clone, &job.options.environment);
    command.args([
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-renames",
        "--no-ext-diff",
        "--full-index",
    ]);
    command.args(["--no-abbrev", "--ignore-submodules=none", old, "@{upstream}", "--"]);
    let output = child::run_with_all_output(command, MAX_CHANGES, job.until())?;
    if !output.success {
        let words = String::from_utf8_lossy(&output.stderr);
        return Ok(Err(Reason::Git(error_line(&words))));
    }
    let unread = || Reason::Git("diff-tree gave no list of changes".to_owned());
    let raw = output.stdout;
    Ok(changes::parse(&raw).ok_or_else(unread).map(|changes| (raw, changes)))
}

/// The output of `git status` for a clone.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    /// The commit that is checked out; `None` before the first one.
    commit: Option<String>,
    branch: Option<String>,
    upstream: Option<String>,
    /// Both ends of the comparison exist.
    compared: bool,
    ahead: u64,
    behind: u64,
    changed: bool,
}

/// One process for everything. It takes no lock and refreshes no index: a clone that is left
/// alone keeps every byte. Submodules have trees of their own, which a fast-forward does not
/// touch, whatever is in them.
fn status(clone: &Path, job: &Job) -> Result<Result<State, Reason>, Stopped> {
    let mut command = git(clone, &job.options.environment);
    command.env("GIT_OPTIONAL_LOCKS", "0");
    command.args(["status", "--porcelain=v2", "--branch", "-z", "--ahead-behind", "--no-renames"]);
    command.args(["--untracked-files=no", "--ignore-submodules=all"]);
    let output = child::run(command, job.until())?;
    if output.success {
        Ok(Ok(parse(&output.stdout)))
    } else {
        Ok(Err(Reason::Git(error_line(&String::from_utf8_lossy(&output.stderr)))))
    }
}

fn parse(answer: &[u8]) -> State {
    let mut state = State::default();
    for entry in answer.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let entry = String::from_utf8_lossy(entry);
        let Some(header) = entry.strip_prefix("# ") else {
            state.changed = true;
            continue;
        };
        match header.split_once(' ') {
            Some(("branch.oid", id)) => {
                state.commit = (id != "(initial)").then(|| id.to_owned());
            }
            Some(("branch.head", "(detached)")) => {}
            Some(("branch.head", name)) => state.branch = Some(name.to_owned()),
            Some(("branch.upstream", name)) => state.upstream = Some(name.to_owned()),
            Some(("branch.ab", counts)) => {
                let mut counts =
                    counts.split(' ').map(|count| count.trim_start_matches(['+', '-']).parse());
                if let (Some(Ok(ahead)), Some(Ok(behind))) = (counts.next(), counts.next()) {
                    (state.compared, state.ahead, state.behind) = (true, ahead, behind);
                }
            }
            _ => {}
        }
    }
    state
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Nothing,
    Leave(Reason),
    Forward,
}

impl State {
    /// Decides; a reason is given if the branch may be behind its upstream.
    fn decide(&self, dirs: &GitDirs) -> Decision {
        let under_way = refs::under_way(dirs).map(Reason::UnderWay);
        let Some(branch) = self.branch.clone() else {
            return Decision::Leave(under_way.unwrap_or(Reason::NoBranch));
        };
        let Some(upstream) = self.upstream.clone() else { return Decision::Nothing };
        if self.commit.is_none() {
            // A clone of an empty remote is as it should be.
            let waits = refs::has_upstream(dirs);
            let reason = Reason::NoCommit { branch };
            return if waits { Decision::Leave(reason) } else { Decision::Nothing };
        }
        if !self.compared {
            return Decision::Leave(Reason::NoSuchUpstream { upstream });
        }
        let (ahead, behind) = (self.ahead, self.behind);
        match (ahead, behind, under_way) {
            (_, 0, _) => Decision::Nothing,
            (_, _, Some(reason)) => Decision::Leave(reason),
            (0, _, None) if self.changed => Decision::Leave(Reason::LocalChanges),
            (0, _, None) => Decision::Forward,
            (..) => Decision::Leave(Reason::Diverged { branch, ahead, behind }),
        }
    }
}

fn is_nearly_full(clone: &Path) -> bool {
    rustix::fs::statvfs(clone).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) < MIN_FREE)
}

/// `@{upstream}`, not the commit we saw: should another branch be checked out in between, it is
/// that branch's own upstream.
fn merge(
    clone: &Path,
    dirs: &GitDirs,
    undo: Undo,
    behind: u64,
    turn: &Turn,
    job: &Arc<Job>,
) -> Result<Branch, Stopped> {
    let mut command = git(clone, &job.options.environment);
    command.args(["merge", "--ff-only", "--commit", "--no-squash", "--no-autostash", "--quiet"]);
    command.args(["--no-stat", "--no-overwrite-ignore", "@{upstream}"]);
    let started = config::read_settings(clone, dirs, job).and_then(|settings| {
        settings.switch_hooks_off(&mut command, &job.options.environment);
        job.until().pause(Duration::ZERO)?;
        Ok(child::start_uninterrupted(command)?)
    });
    let running = match started {
        Ok(running) => running,
        Err(stopped) => {
            undo.discard();
            return Err(stopped);
        }
    };
    undo.started(running.id());
    if running.ends(job.until()) {
        return Ok(conclude(&running.output()?, undo, behind, job));
    }
    let (turn, job) = (turn.clone(), Arc::clone(job));
    under_way::finish(move || {
        if let Ok(output) = running.output() {
            conclude(&output, undo, behind, &job);
        }
        drop(turn);
    });
    Ok(Branch::Unfinished)
}

/// The outcome of an update that has ended; what a failed one did is undone.
fn conclude(output: &Output, undo: Undo, behind: u64, job: &Job) -> Branch {
    if output.success {
        undo.discard();
        return Branch::Forwarded(behind);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let reason = match refusal(&words) {
        Reason::Git(_) if output.killed => Reason::Git("was killed".to_owned()),
        reason => reason,
    };
    let is_refused = matches!(reason, Reason::InTheWay | Reason::LocalChanges)
        || words.contains("index.lock': File exists");
    if is_refused && !output.killed {
        undo.was_refused(job);
        return Branch::LeftAlone(reason);
    }
    let ended = if output.killed { Ended::Killed } else { Ended::ByItself };
    match undo.roll_back(ended, job) {
        Ok(true) => Branch::LeftAlone(reason),
        Ok(false) => Branch::Forwarded(behind),
        Err(error) => Branch::LeftAlone(error.reason()),
    }
}

/// The meaning of git's messages (`LC_ALL=C`); the first that fits counts.
fn refusal(words: &str) -> Reason {
    let signs = [
        ("untracked working tree files would be", Reason::InTheWay),
        ("would lose untracked files", Reason::InTheWay),
        ("Your local changes", Reason::LocalChanges),
        ("No space left on device", Reason::DiskFull),
        (".lock': File exists", Reason::Busy),
    ];
    if let Some(lock) = blocked::old_lock(words) {
        return Reason::OldLock(lock);
    }
    let known = signs.into_iter().find(|(sign, _)| words.contains(sign));
    known.map_or_else(|| Reason::Git(error_line(words)), |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(entries: &[&str]) -> State {
        parse(entries.join("\0").as_bytes())
    }

    fn decide(ahead_behind: &str, more: &[&str]) -> Decision {
        let ahead_behind = format!("# branch.ab {ahead_behind}");
        let head = ["# branch.oid abc", "# branch.head main", "# branch.upstream origin/main"];
        let entries: Vec<&str> =
            head.into_iter().chain([&*ahead_behind]).chain(more.iter().copied()).collect();
        state(&entries).decide(&GitDirs { own: "/nowhere".into(), common: "/nowhere".into() })
    }

    #[test]
    fn only_a_clean_branch_behind_its_upstream_is_forwarded() {
        assert_eq!(decide("+0 -3", &[]), Decision::Forward);
        assert_eq!(decide("+0 -0", &["1 .M N... f"]), Decision::Nothing);
        assert_eq!(decide("+2 -0", &[]), Decision::Nothing);
        assert_eq!(decide("+0 -1", &["1 .M N... f"]), Decision::Leave(Reason::LocalChanges));
        let diverged = Reason::Diverged { branch: "main".into(), ahead: 2, behind: 3 };
        assert_eq!(decide("+2 -3", &[]), Decision::Leave(diverged));
        assert_eq!(
            decide("+? -?", &[]),
            Decision::Leave(Reason::NoSuchUpstream { upstream: "origin/main".into() })
        );
    }

    #[test]
    fn a_branch_without_upstream_is_nothing_to_talk_about() {
        let dirs = GitDirs { own: "/nowhere".into(), common: "/nowhere".into() };
        let local = state(&["# branch.oid abc", "# branch.head topic"]);
        assert_eq!(local.decide(&dirs), Decision::Nothing);
        let detached = state(&["# branch.oid abc", "# branch.head (detached)"]);
        assert_eq!(detached.decide(&dirs), Decision::Leave(Reason::NoBranch));
    }
}
