//! The removal: of the account and the frozen home, after the archive was verified once more, the
//! delay is over, and name and digest were typed. The only stage that nothing undoes.

use super::archive::{Problem, digest_of, format_of, read_back};
use super::record::{Kept, Stage};
use super::settings::Settings;
use super::work::{Notes, Work};
use super::{account, frozen, processes, units};
use crate::sys::fs::{trusted_path, walk};
use crate::sys::{Dir, clock};
use std::path::Path;

/// Fewer digits of a digest are no proof that it was read.
const LEAST_DIGITS: usize = 12;
const DAY: u64 = 24 * 3600;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The OS user.
    pub user: &'a str,
    /// The archive.
    pub archive: &'a Path,
    /// `NAME@DIGEST`, as a person typed it.
    pub confirm: &'a str,
}

/// Removes the account and the frozen home. `bury` puts on record that the uid is never given
/// again; it is called before anything is removed. Gives lines for the receipt.
///
/// # Errors
/// What is refused, or which step failed: then the same command goes on from there.
pub fn remove(
    state: &Dir,
    asked: &Asked<'_>,
    settings: &Settings,
    notes: &mut dyn Notes,
    bury: &mut dyn FnMut(&str, u32) -> Result<(), String>,
) -> Result<Vec<String>, Problem> {
    let mut kept = allowed(state, asked, settings).map_err(Problem::Refused)?;
    let user = asked.user;
    let mut work = Work::new(user, notes);
    work.step("tombstone", &format!("put on record that the uid of {user} is not reused"), || {
        bury(user, kept.record.uid)?;
        kept.record.stage = Stage::Removing;
        kept.save().map(|()| vec![format!("uid {}: not reused", kept.record.uid)])
    });
    if work.is_well() {
        work.step("account", &format!("remove the account {user}"), || account_of(&kept));
    }
    if work.is_well() {
        work.step("home", &format!("remove the frozen home of {user}"), || tree_of(&kept));
    }
    if work.is_well() {
        work.step("units", &format!("unmask the units of {user}"), || units::unmask(&kept));
    }
    if work.is_well() {
        work.step("record", &format!("set the record of {user} aside"), || {
            kept.set_aside("removed").map(|()| Vec::new())
        });
    }
    work.end().map_err(Problem::Failed)
}

/// Looks whether it would be refused, the archive's content included; changes nothing.
///
/// # Errors
/// Why.
pub fn check(state: &Dir, asked: &Asked<'_>, settings: &Settings) -> Result<Vec<String>, Problem> {
    let kept = allowed(state, asked, settings).map_err(Problem::Refused)?;
    let place = kept.record.frozen.map_or_else(String::new, |frozen| frozen.place);
    let user = asked.user;
    Ok(vec![format!("remove the account {user}"), format!("remove {place} and all below it")])
}

fn allowed(state: &Dir, asked: &Asked<'_>, settings: &Settings) -> Result<Kept, String> {
    let user = asked.user;
    let kept = Kept::load(state, user)?;
    let kept = kept.ok_or_else(|| format!("{user} is not cut: `provision offboard cut {user}`"))?;
    let record = &kept.record;
    if !matches!(record.stage, Stage::Cut | Stage::Removing) {
        return Err(format!("the cut of {user} is not done"));
    }
    let digits = confirmed(user, asked.confirm)?;
    let from = record.since.saturating_add(u64::from(settings.remove_after_days) * DAY);
    if clock::now() < from {
        let (days, date) = (settings.remove_after_days, date(from));
        return Err(format!("{user} is removed {days} days after the cut at the earliest: {date}"));
    }
    let frozen = record.frozen.clone();
    let frozen = frozen.ok_or_else(|| {
        format!("no home of {user} is archived: `provision offboard archive {user}`")
    })?;
    let real = asked.archive.canonicalize();
    let real = real.map_err(|error| format!("--archive {}: {error}", asked.archive.display()))?;
    trusted_path::assert_roots_own(&real).map_err(|error| format!("--archive: {error}"))?;
    let name = real.file_name().and_then(|name| name.to_str()).ok_or("--archive: a file")?;
    let dir = Dir::open(real.parent().unwrap_or(Path::new("/"))).map_err(String::from)?;
    let digest = digest_of(&dir, name)?;
    if !digest.starts_with(&digits) {
        return Err(format!(
            "--archive {}: its digest is another one than --confirm names",
            real.display()
        ));
    }
    if !record.archives.iter().any(|archive| archive.digest == digest) {
        return Err(format!(
            "--archive {}: is no archive that was made of this home",
            real.display()
        ));
    }
    if record.stage == Stage::Removing {
        return Ok(kept); // it was compared before anything was removed
    }
    account::same(user, record.uid)?;
    let running = processes::seen(&processes::theirs(record))?;
    if !running.is_empty() {
        return Err(format!("{user} runs something: {}", processes::names(&running)));
    }
    let (parent, home) = frozen::find(&frozen)?.ok_or("the frozen home is gone")?;
    let format = format_of(name).ok_or("--archive: not a name of an archive")?;
    let compared = read_back(&parent, &home, &dir, name, format, None);
    compared.map_err(|why| format!("the archive is not what the frozen home holds: {why}"))?;
    Ok(kept)
}

/// The digits of `NAME@DIGEST`.
fn confirmed(user: &str, confirm: &str) -> Result<String, String> {
    let (name, digits) = confirm.rsplit_once('@').ok_or("--confirm: expected NAME@DIGEST")?;
    if name != user {
        return Err(format!("--confirm: names '{}', not {user}", name.escape_debug()));
    }
    let digits = digits.to_ascii_lowercase();
    let fine = digits.len() >= LEAST_DIGITS && digits.chars().all(|c| c.is_ascii_hexdigit());
    if fine {
        Ok(digits)
    } else {
        Err(format!("--confirm: expected {LEAST_DIGITS} digits of the digest or more"))
    }
}

fn account_of(kept: &Kept) -> Result<Vec<String>, String> {
    let record = &kept.record;
    let user = record.user.as_str();
    let mut lines = Vec::new();
    if account::find(user)?.is_some() {
        account::same(user, record.uid)?;
        account::change("userdel", &[user])?;
        if account::find(user)?.is_some() {
            return Err(format!("userdel ended well, and {user} is still there"));
        }
        lines.push(format!("account {user}: removed"));
    }
    if account::is_empty_group(user)? {
        account::change("groupdel", &[user])?;
        lines.push(format!("group {user}: removed"));
    }
    Ok(lines)
}

fn tree_of(kept: &Kept) -> Result<Vec<String>, String> {
    let Some(frozen) = &kept.record.frozen else { return Ok(Vec::new()) };
    if let Some((parent, name)) = frozen::find(frozen)? {
        walk::remove(&parent, &name).map_err(String::from)?;
    }
    Ok(vec![format!("{}: removed", frozen.place)])
}

fn date(time: clock::Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    utc.unwrap_or_default().format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_names_the_user_and_enough_of_the_digest() {
        assert_eq!(confirmed("ann", "ann@0123456789AB").unwrap(), "0123456789ab");
        for wrong in ["ann", "bob@0123456789ab", "ann@0123456789a", "ann@0123456789ax", "ann@"] {
            assert!(confirmed("ann", wrong).is_err(), "{wrong}");
        }
    }
}
