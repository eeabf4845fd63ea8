//! Who may be cut, archived and removed, and when (pure).

use super::error::PolicyError;
use super::record::{CutRecord, Stage};
use crate::roster::{Roster, Tier};
use crate::sys::clock::Epoch;
use std::collections::BTreeMap;

/// Fewer digits of a digest do not prove that it was read.
const MIN_DIGITS: usize = 12;
const DAY: u64 = 24 * 3600;

/// Whether a cut by hand is allowed by the applied roster: of an admin only with `admin`, and never
/// of the last one. `cut` has the users who are cut: as admins they no longer count.
///
/// # Errors
/// [`PolicyError::Admin`] or [`PolicyError::LastAdmin`].
pub fn check_cut(
    user: &str,
    admin: bool,
    applied: &Roster,
    cut: &BTreeMap<String, Epoch>,
) -> Result<(), PolicyError> {
    let is_admin = |user: &str| applied.users.get(user).is_some_and(|row| row.tier == Tier::Admin);
    if !is_admin(user) {
        return Ok(());
    }
    let user = user.to_owned();
    if !admin {
        return Err(PolicyError::Admin { user });
    }
    let remains = |other: &&String| **other != user && is_admin(other) && !cut.contains_key(*other);
    if applied.users.keys().any(|other| remains(&other)) {
        Ok(())
    } else {
        Err(PolicyError::LastAdmin { user })
    }
}

/// Whether the user may be removed by the applied roster: the next apply would make the account
/// anew, with another uid.
///
/// # Errors
/// [`PolicyError::StillInRoster`].
pub fn check_removal(user: &str, applied: &Roster) -> Result<(), PolicyError> {
    if applied.users.contains_key(user) {
        return Err(PolicyError::StillInRoster { user: user.to_owned() });
    }
    Ok(())
}

/// Whether this can be the name of a person's account.
pub(super) fn check_name(user: &str) -> Result<(), PolicyError> {
    if crate::identity::is_user_name(user) && user != "root" {
        Ok(())
    } else {
        Err(PolicyError::NotAUser(user.to_owned()))
    }
}

/// Whether the account is a person's.
pub(super) fn check_uid(user: &str, uid: u32, uid_min: u32) -> Result<(), PolicyError> {
    if uid < uid_min.max(1) {
        return Err(PolicyError::SystemAccount { user: user.to_owned(), uid, uid_min });
    }
    Ok(())
}

/// Whether the home may be archived: only after a finished cut.
pub(super) fn check_archive(record: &CutRecord) -> Result<(), PolicyError> {
    let user = record.user.clone();
    match record.stage {
        Stage::Cut => Ok(()),
        Stage::Cutting => Err(PolicyError::CutUnfinished { user }),
        Stage::Undoing => Err(PolicyError::BeingUndone { user }),
        Stage::Removing => Err(PolicyError::BeingRemoved { user }),
    }
}

/// Whether a removal may begin or go on at `now`, `days` days after the cut at the earliest.
pub(super) fn check_time(record: &CutRecord, days: u32, now: Epoch) -> Result<(), PolicyError> {
    let user = record.user.clone();
    match record.stage {
        Stage::Cut | Stage::Removing => {}
        Stage::Cutting => return Err(PolicyError::CutUnfinished { user }),
        Stage::Undoing => return Err(PolicyError::BeingUndone { user }),
    }
    let from = record.since.saturating_add(u64::from(days) * DAY);
    if now < from {
        return Err(PolicyError::TooEarly { user, from: date(from), days });
    }
    Ok(())
}

/// The digits of a confirmation `NAME@DIGEST`, in lower case.
pub(super) fn confirmed_digits(user: &str, confirmation: &str) -> Result<String, PolicyError> {
    let (name, digits) = confirmation.rsplit_once('@').ok_or(PolicyError::NotAConfirmation)?;
    if name != user {
        let (name, user) = (name.to_owned(), user.to_owned());
        return Err(PolicyError::OtherUserConfirmed { name, user });
    }
    let digits = digits.to_ascii_lowercase();
    if digits.len() >= MIN_DIGITS && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok(digits)
    } else {
        Err(PolicyError::TooFewDigits(MIN_DIGITS))
    }
}

fn date(time: Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    utc.unwrap_or_default().format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_names_the_user_and_enough_of_the_digest() {
        assert_eq!(confirmed_digits("ann", "ann@0123456789AB").unwrap(), "0123456789ab");
        for wrong in ["ann", "bob@0123456789ab", "ann@0123456789a", "ann@0123456789ax", "ann@"] {
            assert!(confirmed_digits("ann", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lesson_33_an_admin_is_cut_only_if_asked_for_and_never_the_last_one() {
        let rows = "users:\n  ann: {authentik_user: a, k8s_user: a, tier: admin}\n  \
                    bob: {authentik_user: b, k8s_user: b, tier: admin}\n  \
                    cy: {authentik_user: c, k8s_user: c, tier: power-user}\n";
        let applied = crate::roster::parse(rows.as_bytes()).unwrap().roster;
        let (none, user) = (BTreeMap::new(), |name: &str| name.to_owned());
        assert_eq!(check_cut("cy", false, &applied, &none), Ok(()));
        assert_eq!(check_cut("unknown", false, &applied, &none), Ok(()));
        let refused = PolicyError::Admin { user: user("ann") };
        assert_eq!(check_cut("ann", false, &applied, &none), Err(refused));
        assert_eq!(check_cut("ann", true, &applied, &none), Ok(()));
        let cut = BTreeMap::from([(user("bob"), 7)]);
        let last = PolicyError::LastAdmin { user: user("ann") };
        assert_eq!(check_cut("ann", true, &applied, &cut), Err(last));
        assert!(check_removal("ann", &applied).is_err() && check_removal("x", &applied).is_ok());
    }

    #[test]
    fn ordinary_and_system_accounts_are_told_apart_by_uid() {
        assert_eq!(check_uid("ann", 1000, 1000), Ok(()));
        assert!(check_uid("toor", 0, 0).is_err() && check_uid("svc", 77, 1000).is_err());
        assert!(check_name("root").is_err() && check_name("../ann").is_err());
        assert_eq!(check_name("ann"), Ok(()));
    }
}
