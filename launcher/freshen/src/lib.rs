//! Updates git clones: fetches all remotes, fast-forwards the checked-out branch if possible, and leaves
//! everything else alone (`docs/freshen.md` has the table of states).
//!
//! git runs as the user, with the user's credential helpers and ssh configuration, and never as root. A
//! hostile repository can make git run less than the user's own `git pull` there would: no hooks, no
//! fsmonitor; only filters, helpers and ssh commands as configured.

mod blocked;
mod changes;
mod config;
mod fetch;
mod forward;
mod git;
mod layout;
mod options;
mod orig_head;
mod outcome;
mod refs;
mod spread;
mod under_way;
mod undo;

pub use git::{QUIET_ENVIRONMENT, QUIET_SETTINGS, error_line};
pub use layout::{Layout, discover};
pub use options::Options;
pub use outcome::{Branch, FetchFailure, Lock, Outcome, Reason};
pub use under_way::wait_for_updates;

use layout::{Entry, GitDirs};
use shared::child::{Stopped, Until};
use spread::{Plan, spread};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// If no repository was finished for this long, all workers wait for the network, and more are started.
const STUCK: Duration = Duration::from_millis(500);
/// How directories are looked at: that takes no time unless a mount is dead.
const PROBE: Plan =
    Plan { at_once: 1, stuck: Duration::from_millis(50), patience: Some(Duration::from_secs(1)) };

/// The caller is root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedToRoot;

impl std::fmt::Display for RefusedToRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("root runs no git in clones: git would run what their owners configured")
    }
}

impl std::error::Error for RefusedToRoot {}

/// Finds the clones of a code directory as [`discover`] does, and updates them, all under one deadline. A
/// directory that does not answer, as on a mount whose server is gone, holds nothing up.
pub fn update(code_dir: &Path, options: &Options<'_>) -> Result<Vec<Outcome>, RefusedToRoot> {
    let job = Job::new(options)?;
    let dead = |path: PathBuf| Outcome::dead(path);
    let mut listing = None;
    spread(
        vec![code_dir.to_owned()],
        PROBE,
        &job,
        |dir, _, answer| answer(layout::list(dir)),
        |answer| listing = Some(answer),
    );
    let candidates = match listing {
        None if job.is_cancelled() => return Ok(Vec::new()),
        None => return Ok(vec![dead(code_dir.to_owned())]),
        Some(layout::Listing::Single) => return Ok(freshen_all(&[code_dir.to_owned()], &job)),
        Some(layout::Listing::Candidates(candidates)) => candidates,
    };
    let mut unanswered: Vec<PathBuf> = candidates.iter().map(|c| c.path.clone()).collect();
    let mut entries: Vec<Entry> = Vec::new();
    spread(
        candidates,
        PROBE,
        &job,
        |candidate, _, answer| answer((candidate.path.clone(), candidate.probe())),
        |(path, entry)| {
            unanswered.retain(|other| *other != path);
            entries.extend(entry);
        },
    );
    if job.is_cancelled() {
        return Ok(Vec::new());
    }
    let clones = layout::arrange(entries);
    let none = clones.is_empty() && unanswered.is_empty();
    // A broken one, which hides no clones: there are none.
    let clones =
        if none && layout::has_dot_git(code_dir) { vec![code_dir.to_owned()] } else { clones };
    let mut outcomes = freshen_all(&clones, &job);
    if !job.is_cancelled() {
        outcomes.extend(unanswered.into_iter().map(dead));
    }
    outcomes.sort_by(|a, b| a.clone.cmp(&b.clone));
    Ok(outcomes)
}

/// Updates the clones; returns an outcome for each, in their order.
///
/// Returns by the deadline, or as soon as `cancel` is readable, plus at most half a second in which git may
/// remove its lock files. [`wait_for_updates`] waits for what is still under way then.
pub fn freshen(clones: &[PathBuf], options: &Options<'_>) -> Result<Vec<Outcome>, RefusedToRoot> {
    let job = Job::new(options)?;
    Ok(freshen_all(clones, &job))
}

fn freshen_all(clones: &[PathBuf], job: &Arc<Job>) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = clones.iter().cloned().map(Outcome::dead).collect();
    let mut found: Vec<(usize, std::io::Result<GitDirs>)> = Vec::new();
    spread(
        clones.iter().cloned().enumerate().collect(),
        PROBE,
        job,
        |(index, clone): &(usize, PathBuf), _, answer| answer((*index, GitDirs::of(clone))),
        |answer| found.push(answer),
    );
    found.sort_by_key(|(index, _)| *index);
    let mut repositories: Vec<Repository> = Vec::new();
    for (index, dirs) in found {
        let clone = clones[index].clone();
        match dirs {
            Err(_) => outcomes[index].failure = Some(FetchFailure::Damaged),
            Ok(dirs) => {
                // Until it reports something else.
                outcomes[index].failure = Some(job.late());
                let same = repositories.iter_mut().find(|r| r[0].dirs.common == dirs.common);
                let worktree = Worktree { index, clone, dirs };
                match same {
                    Some(repository) => repository.push(worktree),
                    None => repositories.push(vec![worktree]),
                }
            }
        }
    }
    let at_once = job.options.at_once;
    spread(
        repositories,
        Plan { at_once, stuck: STUCK, patience: None },
        job,
        |repository: &Repository, job, answer| freshen_one(repository, job, answer),
        |(index, branch, failure)| {
            (outcomes[index].branch, outcomes[index].failure) = (branch, failure);
        },
    );
    if job.is_cancelled() {
        for outcome in &mut outcomes {
            if matches!(
                outcome.failure,
                Some(FetchFailure::DeadDirectory | FetchFailure::NoAnswer(_))
            ) {
                outcome.failure = Some(FetchFailure::Interrupted);
            }
        }
    }
    outcomes
}

/// What all workers share. It is no reference, since a worker may get stuck and be left behind.
#[derive(Debug)]
struct Job {
    /// Without the descriptor, which is below.
    options: Options<'static>,
    cancel: Option<OwnedFd>,
    shared: OnceLock<config::Shared>,
    end: Instant,
}

impl Job {
    fn new(options: &Options<'_>) -> Result<Arc<Self>, RefusedToRoot> {
        if rustix::process::geteuid().is_root() && !options.even_as_root {
            return Err(RefusedToRoot);
        }
        let cancel = options.cancel.and_then(|cancel| cancel.try_clone_to_owned().ok());
        let end = Instant::now() + options.deadline;
        Ok(Arc::new(Self {
            options: options.without_cancel(),
            cancel,
            shared: OnceLock::new(),
            end,
        }))
    }

    fn until(&self) -> Until<'_> {
        Until { end: self.end, cancel: self.cancel.as_ref().map(AsFd::as_fd) }
    }

    fn shared(&self) -> &config::Shared {
        self.shared.get_or_init(|| config::Shared::read(&self.options.environment, self.until()))
    }

    fn is_over(&self) -> bool {
        self.until().pause(Duration::ZERO).is_err()
    }

    fn is_cancelled(&self) -> bool {
        matches!(self.until().pause(Duration::ZERO), Err(Stopped::Cancelled))
    }

    fn late(&self) -> FetchFailure {
        FetchFailure::NoAnswer(self.options.deadline)
    }

    fn stopped(&self, stopped: Stopped, late: fn(Duration) -> FetchFailure) -> FetchFailure {
        match stopped {
            Stopped::DeadlinePassed => late(self.options.deadline),
            Stopped::Cancelled => FetchFailure::Interrupted,
            Stopped::Failed(error) => FetchFailure::Git(error.to_string()),
        }
    }
}

/// One of the clones.
#[derive(Debug)]
struct Worktree {
    index: usize,
    clone: PathBuf,
    dirs: GitDirs,
}

/// The clones that share refs and objects, and so one fetch; never empty.
type Repository = Vec<Worktree>;

/// The index of a clone, and its outcome.
type Progress = (usize, Branch, Option<FetchFailure>);

/// One fetch, then each worktree.
fn freshen_one(repository: &[Worktree], job: &Arc<Job>, answer: &dyn Fn(Progress)) {
    let turn =
        job.until().pause(Duration::ZERO).map_err(|s| job.stopped(s, FetchFailure::NotReached));
    let turn = turn.and_then(|()| {
        let turn = fetch::Turn::wait(&repository[0].dirs, job);
        turn.map_err(|stopped| job.stopped(stopped, |_| FetchFailure::Busy))
    });
    let (turn, mut failure) = match turn {
        Ok(turn) => {
            let failure = fetch::fetch(&repository[0].clone, &repository[0].dirs, job);
            (Some(turn), failure)
        }
        Err(failure) => (None, Some(failure)),
    };
    let turn = turn.filter(|_| !failure.as_ref().is_some_and(FetchFailure::is_final));
    for worktree in repository {
        // The failure of a repository is reported once.
        let failure = failure.take();
        let (branch, failure) = match &turn {
            None => (Branch::Same, failure),
            Some(turn) => forward_one(worktree, failure, turn, job),
        };
        answer((worktree.index, branch, failure));
    }
}

/// Forwards even if a remote failed: another may have answered, or an earlier fetch got something.
fn forward_one(
    worktree: &Worktree,
    failure: Option<FetchFailure>,
    turn: &fetch::Turn,
    job: &Arc<Job>,
) -> (Branch, Option<FetchFailure>) {
    match forward::forward(&worktree.clone, &worktree.dirs, turn, job) {
        // The same failure again.
        Ok(Branch::LeftAlone(Reason::Git(_))) if failure.is_some() => (Branch::Same, failure),
        Ok(branch) => (branch, failure),
        Err(stopped) => {
            let stopped = || job.stopped(stopped, FetchFailure::NotReached);
            (Branch::Same, Some(failure.unwrap_or_else(stopped)))
        }
    }
}
