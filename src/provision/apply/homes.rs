//! Work in homes: each by a process of its user's, several users at once.

use super::Run;
use super::act::{Host, Made};
use crate::provision::home::{Answer, Request, Work};
use crate::provision::plan::{Action, Change, code};
use crate::provision::worker;
use crate::sys::process::parallel::for_each;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many users' processes work at once: they wait for networks most of the time.
const PARALLEL: usize = 8;

/// How long one user's changes may take together before the rest wait for the next run: whoever stalls
/// has a place among those who work at once for no longer.
const MOST: Duration = Duration::from_mins(10);
const LATE: &str = "not tried: this user's other changes took more than 10 minutes";

/// Has the changes made, those of one user one after the other; then has the clones brought up to
/// date, which is no change: a person's own `git pull` would be none either.
///
/// # Errors
/// When one cannot be put on record.
pub(super) fn work(
    run: &Run<'_>,
    host: &Mutex<Host<'_>>,
    changes: &[&Change],
) -> Result<(), String> {
    let mut users: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    let mut of_root = Vec::new();
    for change in changes {
        match (&change.user, &change.action) {
            (Some(user), Some(Action::Home(_))) => users.entry(user).or_default().push(change),
            _ => of_root.push(*change),
        }
    }
    let locked = || host.lock().unwrap_or_else(PoisonError::into_inner);
    for change in of_root {
        locked().one(change)?;
    }
    let fresh = |user: &str| {
        let row = run.wish.roster.users.get(user)?;
        code::freshen(user, row, run.observed, &run.settings.code)
    };
    let chosen = |user: &&String| run.wish.users.is_empty() || run.wish.users.contains(*user);
    for user in run.wish.roster.users.keys().filter(chosen).filter(|user| fresh(user).is_some()) {
        users.entry(user).or_default();
    }
    let users: Vec<(&str, Vec<&Change>)> = users.into_iter().collect();
    let results = for_each(&users, PARALLEL, |(user, changes)| {
        let begun = Instant::now();
        for change in changes {
            let Some(Action::Home(work)) = &change.action else { continue };
            if locked().begin(change)? {
                let late = begun.elapsed() > MOST;
                let made = if late { Err(LATE.to_owned()) } else { ask(user, work) };
                locked().end(change, made)?;
            }
        }
        if let Some(work) = fresh(user).filter(|_| begun.elapsed() <= MOST) {
            let lines =
                ask(user, &work).unwrap_or_else(|why| vec![format!("not freshened: {why}")]);
            locked().freshened(user, lines);
        }
        Ok(())
    });
    results.into_iter().collect()
}

/// One piece of work by a user's process.
fn ask(user: &str, work: &Work) -> Made {
    match worker::ask(user, &Request::Do(work.clone()))? {
        Answer::Done(lines) => Ok(lines),
        Answer::Failed(why) => Err(why),
        Answer::Seen(_) => Err("the user's process answered something else".to_owned()),
    }
}
