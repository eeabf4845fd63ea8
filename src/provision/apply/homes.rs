//! Tasks in homes: each by a process of the user's, several users at once.

use super::executor::{ChangeResult, Executor};
use super::{ApplyError, ChangeError, Run};
use crate::provision::plan::{Action, Change, code};
use crate::provision::protocol::{Answer, HomeTask, Request};
use crate::provision::worker;
use crate::sys::process::parallel::for_each;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many users' processes work at once: they wait for networks most of the time.
const PARALLEL: usize = 8;
/// How long the changes of one user may take together before the rest are left to the next run: a user who
/// stalls them occupies one of the [`PARALLEL`] places for no longer.
const MAX_PER_USER: Duration = Duration::from_mins(10);

/// Carries out the changes of each user in order, then has the user's clones brought up to date, which is
/// not a change: the user's own `git pull` would not be one either.
///
/// # Errors
/// A change cannot be put on record.
pub(super) fn perform(
    run: &Run<'_>,
    executor: &Mutex<Executor<'_>>,
    changes: &[&Change],
) -> Result<(), ApplyError> {
    let mut users: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    let mut of_root = Vec::new();
    for change in changes {
        match (&change.scope.user, &change.action) {
            (Some(user), Some(Action::Home(_))) => users.entry(user).or_default().push(change),
            _ => of_root.push(*change),
        }
    }
    let locked = || executor.lock().unwrap_or_else(PoisonError::into_inner);
    for change in of_root {
        locked().carry_out(change)?;
    }
    let freshen_task = |user: &str| {
        let row = run.desired.roster.users.get(user)?;
        code::freshen(user, row, run.observed, &run.settings.code)
    };
    let rows = run.desired.roster.users.keys();
    let chosen = rows.filter(|user| run.desired.includes(user));
    for user in chosen.filter(|user| freshen_task(user).is_some()) {
        users.entry(user).or_default();
    }
    let users: Vec<(&str, Vec<&Change>)> = users.into_iter().collect();
    let results = for_each(&users, PARALLEL, |(user, changes)| {
        let _span = tracing::debug_span!("user", user).entered();
        let begun = Instant::now();
        for change in changes {
            let Some(Action::Home(task)) = &change.action else { continue };
            if locked().begin(change)? {
                let late = begun.elapsed() > MAX_PER_USER;
                let result = if late { Err(ChangeError::Late) } else { ask(user, task) };
                locked().end(change, result)?;
            }
        }
        if let Some(task) = freshen_task(user).filter(|_| begun.elapsed() <= MAX_PER_USER) {
            let lines = ask(user, &task)
                .unwrap_or_else(|error| vec![format!("not brought up to date: {error}")]);
            locked().freshened(user, lines);
        }
        Ok(())
    });
    results.into_iter().collect()
}

/// Has a user's process perform one task.
fn ask(user: &str, task: &HomeTask) -> ChangeResult {
    match worker::ask(user, &Request::Perform(task.clone()))? {
        Answer::Done(lines) => Ok(lines),
        Answer::Failed(why) => Err(ChangeError::Task(why)),
        Answer::Facts(_) => Err(ChangeError::Internal("a task was answered with facts")),
    }
}
