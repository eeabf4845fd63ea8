//! Updates git clones: fetches all remotes, fast-forwards the checked-out branch if possible, and leaves
//! everything else alone (`docs/freshen.md` has the table of states).
//!
//! git runs as the user, with the user's credential helpers and ssh configuration, and never as root. A
//! hostile repository can make git run less than the user's own `git pull` there would: no hooks, no
//! fsmonitor; only filters, helpers and ssh commands as configured.

mod config;
mod fetch;
mod forward;
mod git;
mod layout;
mod options;
mod orig_head;
mod outcome;
mod refs;

pub use git::{QUIET_ENVIRONMENT, QUIET_SETTINGS, error_line};
pub use layout::{Layout, discover};
pub use options::Options;
pub use outcome::{Branch, FetchFailure, Outcome, Reason};

use layout::GitDirs;
use shared::child::{Stopped, Until};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// If no repository was finished for this long, all workers wait for the network, and more are started.
const STUCK: Duration = Duration::from_millis(500);

/// Maximum number of repositories that are updated at the same time.
const MAX_AT_ONCE: usize = 64;

/// The caller is root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedToRoot;

impl std::fmt::Display for RefusedToRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("root runs no git in clones: git would run what their owners configured")
    }
}

impl std::error::Error for RefusedToRoot {}

/// Updates the clones; returns an outcome for each, in their order.
///
/// Returns by the deadline, or as soon as `cancel` is readable, plus at most a fifth of a second in which
/// git may remove its lock files.
pub fn freshen(clones: &[PathBuf], options: &Options<'_>) -> Result<Vec<Outcome>, RefusedToRoot> {
    if rustix::process::geteuid().is_root() && !options.even_as_root {
        return Err(RefusedToRoot);
    }
    if clones.is_empty() {
        return Ok(Vec::new());
    }
    let end = Instant::now() + options.deadline;
    let shared = config::Shared::read(&options.environment);
    let job = Job { options, shared, until: Until { end, cancel: options.cancel } };
    let mut outcomes: Vec<Outcome> = clones.iter().cloned().map(Outcome::new).collect();
    let mut repositories: Vec<Repository> = Vec::new();
    for (index, clone) in clones.iter().enumerate() {
        match GitDirs::of(clone) {
            Err(_) => outcomes[index].failure = Some(FetchFailure::Damaged),
            Ok(dirs) => match repositories.iter_mut().find(|r| r[0].dirs.common == dirs.common) {
                Some(repository) => repository.push(Worktree { index, clone, dirs }),
                None => repositories.push(vec![Worktree { index, clone, dirs }]),
            },
        }
    }
    run_workers(&repositories, &job, |index, branch, failure| {
        (outcomes[index].branch, outcomes[index].failure) = (branch, failure);
    });
    Ok(outcomes)
}

/// What all workers share.
struct Job<'a> {
    options: &'a Options<'a>,
    shared: config::Shared,
    until: Until<'a>,
}

impl Job<'_> {
    fn stopped(&self, stopped: Stopped, late: fn(Duration) -> FetchFailure) -> FetchFailure {
        match stopped {
            Stopped::DeadlinePassed => late(self.options.deadline),
            Stopped::Cancelled => FetchFailure::Interrupted,
            Stopped::Failed(error) => FetchFailure::Git(error.to_string()),
        }
    }
}

/// One of the clones.
struct Worktree<'a> {
    index: usize,
    clone: &'a Path,
    dirs: GitDirs,
}

/// The clones that share refs and objects, and so one fetch; never empty.
type Repository<'a> = Vec<Worktree<'a>>;

/// The index of a clone, and its outcome.
type Progress = (usize, Branch, Option<FetchFailure>);

/// Distributes the repositories to threads.
fn run_workers(
    repositories: &[Repository<'_>],
    job: &Job<'_>,
    mut note: impl FnMut(usize, Branch, Option<FetchFailure>),
) {
    let next = AtomicUsize::new(0);
    let (sender, results) = channel();
    let most = repositories.len().min(MAX_AT_ONCE);
    let step = job.options.at_once.clamp(1, most.max(1));
    let worker = |sender: Sender<Progress>| {
        while let Some(repository) = repositories.get(next.fetch_add(1, Ordering::Relaxed)) {
            freshen_one(repository, job, &sender);
        }
    };
    let mut missing: usize = repositories.iter().map(Vec::len).sum();
    std::thread::scope(|scope| {
        let mut workers = 0;
        while missing > 0 {
            let waiting = repositories.len().saturating_sub(next.load(Ordering::Relaxed));
            for _ in 0..step.min(most - workers).min(waiting) {
                let (worker, sender) = (&worker, sender.clone());
                scope.spawn(move || worker(sender));
                workers += 1;
            }
            while missing > 0
                && let Ok((index, branch, failure)) = results.recv_timeout(STUCK)
            {
                note(index, branch, failure);
                missing -= 1;
            }
        }
    });
}

/// One fetch, then each worktree.
fn freshen_one(repository: &[Worktree<'_>], job: &Job<'_>, sender: &Sender<Progress>) {
    let turn =
        job.until.pause(Duration::ZERO).map_err(|s| job.stopped(s, FetchFailure::NotReached));
    let turn = turn.and_then(|()| {
        let turn = fetch::Turn::wait(&repository[0].dirs, job);
        turn.map_err(|stopped| job.stopped(stopped, |_| FetchFailure::Busy))
    });
    let failure = match &turn {
        Ok(_) => fetch::fetch(repository[0].clone, &repository[0].dirs, job),
        Err(failure) => Some(failure.clone()),
    };
    let is_final = failure.as_ref().is_some_and(FetchFailure::is_final);
    let mut failure = failure;
    for worktree in repository {
        // The failure of a repository is reported once.
        let failure = failure.take();
        let (branch, failure) =
            if is_final { (Branch::Same, failure) } else { forward_one(worktree, failure, job) };
        let _ = sender.send((worktree.index, branch, failure));
    }
}

/// Forwards even if a remote failed: another may have answered, or an earlier fetch got something.
fn forward_one(
    worktree: &Worktree<'_>,
    failure: Option<FetchFailure>,
    job: &Job<'_>,
) -> (Branch, Option<FetchFailure>) {
    match forward::forward(worktree.clone, &worktree.dirs, job) {
        // The same failure again.
        Ok(Branch::LeftAlone(Reason::Git(_))) if failure.is_some() => (Branch::Same, failure),
        Ok(branch) => (branch, failure),
        Err(stopped) => {
            let stopped = || job.stopped(stopped, FetchFailure::NotReached);
            (Branch::Same, Some(failure.unwrap_or_else(stopped)))
        }
    }
}
