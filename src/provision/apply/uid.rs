//! The uid of a new account: one that no account of this host has or had.

use super::ChangeError;
use crate::provision::observe::parse;
use crate::provision::settings::Settings;
use crate::provision::state::written::Written;
use crate::sys::accounts;
use crate::sys::fs;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

/// Maximum size of an account database, in bytes.
const MAX_SIZE: u64 = 64 << 20;
/// `nobody`, and the number that programs with 16 bits take for no user.
const NEVER: [u32; 2] = [65_534, 65_535];
/// The number that the kernel takes for no user.
const NO_USER: u32 = u32::MAX;

/// The uid for the next account.
///
/// # Errors
/// The databases cannot be read, or no uid of the range is left.
pub(super) fn next(written: &Written, settings: &Settings) -> Result<u32, ChangeError> {
    let passwd = fs::read(Path::new("/etc/passwd"), MAX_SIZE)?;
    let subuid = match fs::read(Path::new("/etc/subuid"), MAX_SIZE) {
        Err(error) if error.is_not_found() => Vec::new(),
        read => read?,
    };
    let taken = Taken {
        present: parse::passwd_uids(&passwd),
        were: were(written),
        subordinate: subordinate(&subuid),
    };
    let range = settings.uid_min..=settings.uid_max;
    let is_free = |uid: u32| accounts::name_of(uid).is_ok_and(|name| name.is_none());
    find(&range, &taken, is_free)
        .ok_or(ChangeError::NoUid { min: settings.uid_min, max: settings.uid_max })
}

/// Numbers that no new account gets.
struct Taken {
    present: BTreeSet<u32>,
    were: BTreeSet<u32>,
    /// Of the users' own containers.
    subordinate: Vec<RangeInclusive<u32>>,
}

fn were(written: &Written) -> BTreeSet<u32> {
    let made = written.accounts.values().filter_map(|made| made.uid);
    written.uids.keys().copied().chain(made).collect()
}

/// The ranges of subuid(5).
fn subordinate(text: &[u8]) -> Vec<RangeInclusive<u32>> {
    let range = |line: &str| {
        let mut fields = line.split(':').skip(1).map(|field| field.trim().parse::<u32>().ok());
        let (first, count) = (fields.next()??, fields.next()??);
        let last = first.saturating_add(count.checked_sub(1)?);
        Some(first..=last)
    };
    String::from_utf8_lossy(text).lines().filter_map(range).collect()
}

/// The one after all that are and were, as useradd(8) has it; if there is none, the lowest that never was.
fn find(range: &RangeInclusive<u32>, taken: &Taken, is_free: impl Fn(u32) -> bool) -> Option<u32> {
    let last = taken.present.iter().chain(&taken.were).filter(|uid| range.contains(uid)).max();
    let from = last.map_or(*range.start(), |last| last.saturating_add(1)).max(1);
    next_from(from, *range.end(), taken, &is_free)
        .or_else(|| next_from((*range.start()).max(1), from.saturating_sub(1), taken, &is_free))
}

fn next_from(from: u32, to: u32, taken: &Taken, is_free: &impl Fn(u32) -> bool) -> Option<u32> {
    let mut uid = from;
    while uid <= to && uid != NO_USER {
        if let Some(range) = taken.subordinate.iter().find(|range| range.contains(&uid)) {
            uid = range.end().checked_add(1)?;
            continue;
        }
        let is_used = taken.present.contains(&uid) || taken.were.contains(&uid);
        if !is_used && !NEVER.contains(&uid) && is_free(uid) {
            return Some(uid);
        }
        uid += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(present: &[u32], were: &[u32], subordinate: &str) -> Taken {
        Taken {
            present: present.iter().copied().collect(),
            were: were.iter().copied().collect(),
            subordinate: super::subordinate(subordinate.as_bytes()),
        }
    }

    #[test]
    fn a_uid_of_any_range_is_never_given_twice() {
        let found = |range: RangeInclusive<u32>, present: &[u32], were: &[u32]| {
            find(&range, &taken(present, were, ""), |_| true)
        };
        assert_eq!(found(1000..=60_000, &[0, 1, 65_534], &[]), Some(1000));
        assert_eq!(found(100_000..=199_999, &[1000], &[100_000]), Some(100_001));
        assert_eq!(found(1000..=60_000, &[1005], &[1003, 100_000]), Some(1006));
        assert_eq!(found(5000..=5000, &[], &[]), Some(5000));
        assert_eq!(found(5000..=5000, &[5000], &[]), None, "not above what the host allows");
        assert_eq!(found(5000..=5000, &[], &[5000]), None, "a former one is not free");
        assert_eq!(found(5000..=5003, &[5003], &[5000]), Some(5001), "the gap that never was used");
        assert_eq!(found(RangeInclusive::new(5003, 5000), &[], &[]), None, "an empty range");
    }

    #[test]
    fn numbers_that_mean_no_user_are_never_given() {
        let found = |range: RangeInclusive<u32>, present: &[u32]| {
            find(&range, &taken(present, &[], ""), |_| true)
        };
        assert_eq!(found(1000..=100_000, &[65_534]), Some(65_536));
        assert_eq!(found(65_533..=65_535, &[65_533]), None);
        assert_eq!(found(0..=10, &[]), Some(1), "never root's");
        assert_eq!(found(u32::MAX - 1..=u32::MAX, &[]), Some(u32::MAX - 1));
        assert_eq!(found(u32::MAX..=u32::MAX, &[]), None);
    }

    #[test]
    fn a_uid_inside_somebodys_subordinate_range_is_that_users() {
        let ranges = "ann:100000:65536\nbad\nbob:165536:65536\n";
        let found = find(&(100_000..=300_000), &taken(&[], &[], ranges), |_| true);
        assert_eq!(found, Some(231_072));
        let full = "ann:100000:4294867295\n";
        assert_eq!(find(&(100_000..=300_000), &taken(&[], &[], full), |_| true), None);
    }

    #[test]
    fn a_uid_that_another_source_of_accounts_knows_is_passed_over() {
        let found = find(&(1000..=1010), &taken(&[], &[], ""), |uid| uid > 1003);
        assert_eq!(found, Some(1004));
    }
}
