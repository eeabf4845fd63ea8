//! Backups of homes: whether the last good one of each is recent. Nothing is checked where none was ever begun.

use crate::persist::report::Check;
use crate::provision::backup::BackupError;
use crate::provision::backup::record::{self, Record};
use crate::sys::clock::Epoch;

const NAME: &str = "backups";
/// How old a backup that is made each night may be.
const MAX_HOURS: u16 = 48;
const FIX: &str = "provision backup status";
/// Homes that a warning names.
const NAMED: usize = 3;

pub(crate) fn check(now: Epoch) -> Option<Check> {
    judge(record::read(), now)
}

fn judge(record: Result<Record, BackupError>, now: Epoch) -> Option<Check> {
    let record = match record {
        Ok(record) => record,
        Err(error) => return Some(Check::warn(NAME, error.to_string(), FIX)),
    };
    let homes = record.repositories.iter().flat_map(|(repository, of)| {
        of.homes.iter().map(move |(user, attempts)| (repository, user, attempts))
    });
    let homes: Vec<_> = homes.collect();
    let old: Vec<String> = homes
        .iter()
        .filter(|(.., attempts)| !attempts.is_fresh(now, MAX_HOURS))
        .map(|(repository, user, _)| format!("{user} to {repository}"))
        .collect();
    if homes.is_empty() {
        return None;
    }
    if old.is_empty() {
        let what = format!("all {} are at most {MAX_HOURS} hours old", homes.len());
        return Some(Check::ok(NAME, what));
    }
    let named = old[..old.len().min(NAMED)].join(", ");
    let more = match old.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!("no good backup of the last {MAX_HOURS} hours: {named}{more}");
    Some(Check::warn(NAME, what, FIX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;
    use crate::provision::backup::record::{Attempts, RepositoryRecord};

    const HOUR: Epoch = 3600;

    /// The check of one repository with these homes, each with the hour of its last good backup, at hour 100.
    fn found(homes: &[(&str, Option<Epoch>)]) -> Option<(CheckState, String)> {
        let homes = homes.iter().map(|(user, hour)| {
            let good = hour.map(|hour| hour * HOUR);
            ((*user).to_owned(), Attempts { good, ..Attempts::default() })
        });
        let of = RepositoryRecord { homes: homes.collect(), ..RepositoryRecord::default() };
        let record = Record { repositories: [("/srv/b".to_owned(), of)].into() };
        judge(Ok(record), 100 * HOUR).map(|check| (check.state, check.what))
    }

    #[test]
    fn a_home_whose_last_good_backup_is_older_than_two_days_is_named() {
        assert_eq!(found(&[]), None);
        let fine = found(&[("ann", Some(52)), ("bob", Some(99))]).unwrap();
        assert_eq!(fine, (CheckState::Ok, "all 2 are at most 48 hours old".to_owned()));
        let (state, what) = found(&[("ann", Some(51)), ("bob", Some(99)), ("carl", None)]).unwrap();
        assert_eq!(state, CheckState::Warn);
        assert!(what.ends_with(": ann to /srv/b, carl to /srv/b"), "{what}");
        let many: Vec<(&str, Option<Epoch>)> =
            ["a", "b", "c", "d", "e"].map(|user| (user, None)).to_vec();
        assert!(found(&many).unwrap().1.ends_with("c to /srv/b and 2 more"));
    }
}
