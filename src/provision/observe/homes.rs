//! Homes, as their users' own processes report them.

use super::observed::{HomeReport, Observed};
use crate::provision::protocol::{Answer, HomeQuery, Request};
use crate::provision::settings::Settings;
use crate::provision::worker;
use crate::roster::Roster;
use crate::sys::process::parallel::for_each;

/// How many homes are inspected at once: most of the time is spent waiting for disks.
const PARALLEL: usize = 8;

/// Has a process of each user inspect the home, for those users of the roster who have an account.
pub fn inspect_homes(observed: &mut Observed, users: &Roster, settings: &Settings) {
    let queries: Vec<(&String, HomeQuery)> = users
        .users
        .iter()
        .filter(|(user, _)| may_be_asked(user, observed, settings))
        .map(|(user, row)| (user, HomeQuery::new(user, row, settings)))
        .filter(|(_, query)| *query != HomeQuery::default())
        .collect();
    let reports = for_each(&queries, PARALLEL, |(user, query)| {
        let report = match worker::ask(user, &Request::Inspect(query.clone())) {
            Ok(Answer::Facts(facts)) => HomeReport::Facts(facts),
            Ok(Answer::Failed(why)) => HomeReport::Unknown(why),
            Ok(Answer::Done(_)) => HomeReport::Unknown("not inspected".to_owned()),
            Err(error) => HomeReport::Unknown(error.to_string()),
        };
        ((*user).clone(), report)
    });
    observed.home_reports = reports.into_iter().collect();
}

/// Whether it is an account of a person, and the one that this program made, if it made one.
fn may_be_asked(user: &str, observed: &Observed, settings: &Settings) -> bool {
    let Some(account) = observed.accounts.get(user) else { return false };
    let made = observed.written.accounts.get(user).and_then(|made| made.uid);
    account.uid >= settings.uid_min && made.is_none_or(|uid| uid == account.uid)
}
