//! Bringing clones up to date before work begins: fetch all, fast-forward what can be, leave
//! everything else alone (`docs/freshen.md` has the table of states).
//!
//! The user's own git does the work, so that credential helpers and ssh configuration count; it
//! must never be root's. What a hostile repository can make git run is less than what the user's
//! own `git pull` in it would: no hooks, no fsmonitor; filters, helpers and ssh commands as
//! configured.

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
pub use outcome::{Branch, Outcome, Reason, Trouble};

use layout::GitDirs;
use shared::child::{Stopped, Until};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// When nothing at all has moved for this long, those at work are waiting for the network, and
/// the next ones get their chance.
const STUCK: Duration = Duration::from_millis(500);

/// However many clones there are and however stuck they are: no more at once.
const MOST_AT_ONCE: usize = 64;

/// Root asked for what only a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedToRoot;

impl std::fmt::Display for RefusedToRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("root does not run git in clones: it would run what their owners like")
    }
}

impl std::error::Error for RefusedToRoot {}

/// Brings the clones up to date, all at once; an outcome for each, in their order.
///
/// Returns by the deadline, or at once when `cancel` becomes readable, give or take the fifth of
/// a second that git may take to remove its lock files.
///
/// # Errors
/// The caller is root.
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
            Err(_) => outcomes[index].trouble = Some(Trouble::Damaged),
            Ok(dirs) => match repositories.iter_mut().find(|r| r[0].dirs.common == dirs.common) {
                Some(repository) => repository.push(Worktree { index, clone, dirs }),
                None => repositories.push(vec![Worktree { index, clone, dirs }]),
            },
        }
    }
    work(&repositories, &job, |index, branch, trouble| {
        (outcomes[index].branch, outcomes[index].trouble) = (branch, trouble);
    });
    Ok(outcomes)
}

/// What all workers need.
struct Job<'a> {
    options: &'a Options<'a>,
    shared: config::Shared,
    until: Until<'a>,
}

impl Job<'_> {
    fn stopped(&self, stopped: Stopped, late: fn(Duration) -> Trouble) -> Trouble {
        match stopped {
            Stopped::Late => late(self.options.deadline),
            Stopped::Cancelled => Trouble::Interrupted,
            Stopped::Failed(error) => Trouble::Git(error.to_string()),
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

/// What is sent home: which clone, and what became of it.
type Result3 = (usize, Branch, Option<Trouble>);

/// Deals the repositories out to threads.
fn work(
    repositories: &[Repository<'_>],
    job: &Job<'_>,
    mut note: impl FnMut(usize, Branch, Option<Trouble>),
) {
    let next = AtomicUsize::new(0);
    let (home, results) = channel();
    let most = repositories.len().min(MOST_AT_ONCE);
    let step = job.options.at_once.clamp(1, most.max(1));
    let worker = |home: Sender<Result3>| {
        while let Some(repository) = repositories.get(next.fetch_add(1, Ordering::Relaxed)) {
            freshen_one(repository, job, &home);
        }
    };
    let mut missing: usize = repositories.iter().map(Vec::len).sum();
    std::thread::scope(|scope| {
        let mut workers = 0;
        while missing > 0 {
            let waiting = repositories.len().saturating_sub(next.load(Ordering::Relaxed));
            for _ in 0..step.min(most - workers).min(waiting) {
                let (worker, home) = (&worker, home.clone());
                scope.spawn(move || worker(home));
                workers += 1;
            }
            while missing > 0
                && let Ok((index, branch, trouble)) = results.recv_timeout(STUCK)
            {
                note(index, branch, trouble);
                missing -= 1;
            }
        }
    });
}

/// One fetch, then each worktree.
fn freshen_one(repository: &[Worktree<'_>], job: &Job<'_>, home: &Sender<Result3>) {
    let turn = job.until.pause(Duration::ZERO).map_err(|s| job.stopped(s, Trouble::NotReached));
    let turn = turn.and_then(|()| {
        let turn = fetch::Turn::wait(&repository[0].dirs, job);
        turn.map_err(|stopped| job.stopped(stopped, |_| Trouble::Busy))
    });
    let trouble = match &turn {
        Ok(_) => fetch::fetch(repository[0].clone, &repository[0].dirs, job),
        Err(trouble) => Some(trouble.clone()),
    };
    let is_final = trouble.as_ref().is_some_and(Trouble::is_final);
    let mut trouble = trouble;
    for worktree in repository {
        // Of one repository the trouble is told once.
        let trouble = trouble.take();
        let (branch, trouble) =
            if is_final { (Branch::Same, trouble) } else { forward_one(worktree, trouble, job) };
        let _ = home.send((worktree.index, branch, trouble));
    }
}

/// Even when a remote failed: another may have answered, or an earlier fetch brought something.
fn forward_one(
    worktree: &Worktree<'_>,
    trouble: Option<Trouble>,
    job: &Job<'_>,
) -> (Branch, Option<Trouble>) {
    match forward::forward(worktree.clone, &worktree.dirs, job) {
        // One failure, told twice.
        Ok(Branch::LeftAlone(Reason::Git(_))) if trouble.is_some() => (Branch::Same, trouble),
        Ok(branch) => (branch, trouble),
        Err(stopped) => {
            let stopped = || job.stopped(stopped, Trouble::NotReached);
            (Branch::Same, Some(trouble.unwrap_or_else(stopped)))
        }
    }
}
