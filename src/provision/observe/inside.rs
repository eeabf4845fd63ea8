//! Homes, as their users' own processes see them.

use super::observed::{Inside, Observed};
use crate::provision::home::{Answer, Look, Request};
use crate::provision::plan::Settings;
use crate::provision::worker;
use crate::roster::Roster;
use crate::sys::process::parallel::for_each;

/// How many homes are looked at once: most of the time is spent waiting for disks.
const PARALLEL: usize = 8;

/// Asks the processes of those users of the roster who have an account, and nobody else's.
pub fn inside(observed: &mut Observed, users: &Roster, settings: &Settings) {
    let asked: Vec<(&String, Look)> = users
        .users
        .iter()
        .filter(|(user, _)| may_be_asked(user, observed, settings))
        .map(|(user, row)| (user, settings.look(user, row)))
        .filter(|(_, look)| *look != Look::default())
        .collect();
    let answers = for_each(&asked, PARALLEL, |(user, look)| {
        let answer = match worker::ask(user, &Request::Look(look.clone())) {
            Ok(Answer::Seen(facts)) => Inside::Seen(facts),
            Ok(Answer::Failed(why)) | Err(why) => Inside::Unknown(why),
            Ok(Answer::Done(_)) => Inside::Unknown("answered something else".to_owned()),
        };
        ((*user).clone(), answer)
    });
    observed.inside = answers.into_iter().collect();
}

/// An account of a person, and the one that was made, if one was.
fn may_be_asked(user: &str, observed: &Observed, settings: &Settings) -> bool {
    let Some(account) = observed.accounts.get(user) else { return false };
    let made = observed.written.accounts.get(user).and_then(|made| made.uid);
    account.uid >= settings.uid_min && made.is_none_or(|uid| uid == account.uid)
}
