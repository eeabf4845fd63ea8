//! Which snapshots are no longer needed (pure): all of a day are kept, then the last of each hour,
//! then the last of each day; and of what was lost, the last snapshot that still had it.

use super::id::SnapshotId;
use crate::sys::clock::Epoch;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// For how long what is kept. A snapshot is as old as what replaced it: until then it described
/// the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Every snapshot of so many hours.
    pub keep_all_hours: u32,
    /// The last one of each hour (UTC) of so many days.
    pub hourly_days: u32,
    /// The last one of each day (UTC) of so many days.
    pub daily_days: u32,
    /// No more than so many, but for those that are never deleted.
    pub max_snapshots: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { keep_all_hours: 24, hourly_days: 7, daily_days: 90, max_snapshots: 1000 }
    }
}

/// What retention needs to know of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its name, which is its time.
    pub id: SnapshotId,
    /// How much was alive in it ([`super::Summary::fullness`]); `None` when it is damaged.
    pub fullness: Option<usize>,
}

/// What besides its age speaks for keeping a snapshot, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    None,
    /// It stands at a loss: the last full one before it, or the one that shows it.
    Loss,
    /// It is the newest, or stands at the latest loss, or at the greatest of its hour or day.
    Always,
}

/// The snapshots to delete, oldest first.
///
/// A loss is a snapshot in which less is alive than in the one before. Both stand at it: the one
/// before is what the user will want back, the one after keeps the loss visible, so that applying
/// this again comes to the same. Damaged ones are never deleted, they are left for inspection; those of the future are kept by age, for a clock that went back says nothing of them.
///
/// Beyond `max_snapshots` a tenth is given up at once, so that not every save has to: what only
/// its age speaks for first, then losses but the greatest of each hour (each day, when they are
/// older), always oldest first.
pub fn surplus(known: &[Candidate], now: Epoch, rules: &Rules) -> Vec<SnapshotId> {
    let mut valid: Vec<(SnapshotId, usize)> =
        known.iter().filter_map(|one| Some((one.id, one.fullness?))).collect();
    valid.sort_unstable();
    valid.dedup_by_key(|(id, _)| *id);
    let aged = by_age(&valid, now, rules);
    let losses = by_loss(&valid, now, rules);
    let mut kept: Vec<bool> =
        aged.iter().zip(&losses).map(|(aged, loss)| *aged || *loss > Claim::None).collect();
    let max = usize::try_from(rules.max_snapshots.max(1)).unwrap_or(usize::MAX);
    if count(&kept) > max {
        let target = (max - max / 10).max(1);
        give_up(&mut kept, &valid, &aged, &losses, target);
    }
    valid.iter().zip(&kept).filter(|(_, kept)| !**kept).map(|((id, _), _)| *id).collect()
}

/// Unkeeps until no more than `target` are left.
fn give_up(
    kept: &mut [bool],
    valid: &[(SnapshotId, usize)],
    aged: &[bool],
    losses: &[Claim],
    target: usize,
) {
    let mut count = count(kept);
    for claim in [Claim::None, Claim::Loss] {
        for at in 0..kept.len() {
            // What only showed a loss that is given up goes with it.
            let alone =
                claim == Claim::Loss && at > 0 && !kept[at - 1] && !aged[at] && !is_loss(valid, at);
            if kept[at] && losses[at] == claim && (count > target || alone) {
                kept[at] = false;
                count -= 1;
            }
        }
    }
}

fn count(kept: &[bool]) -> usize {
    kept.iter().filter(|kept| **kept).count()
}

/// Whether the snapshot after this one has less.
fn is_loss(valid: &[(SnapshotId, usize)], at: usize) -> bool {
    valid.get(at + 1).is_some_and(|(_, after)| *after < valid[at].1)
}

/// What its age speaks for.
fn by_age(valid: &[(SnapshotId, usize)], now: Epoch, rules: &Rules) -> Vec<bool> {
    let keeps = |at: usize| {
        let Some((next, _)) = valid.get(at + 1) else { return true };
        let (own, next) = (valid[at].0.seconds(), next.seconds());
        let differ = |unit| own / unit != next / unit;
        match now.saturating_sub(next) {
            age if age < u64::from(rules.keep_all_hours) * HOUR => true,
            age if age < u64::from(rules.hourly_days) * DAY => differ(HOUR),
            age if age < u64::from(rules.daily_days) * DAY => differ(DAY),
            _ => false,
        }
    };
    (0..valid.len()).map(keeps).collect()
}

/// What a loss speaks for; the newest is kept whatever happened.
fn by_loss(valid: &[(SnapshotId, usize)], now: Epoch, rules: &Rules) -> Vec<Claim> {
    let mut claims = vec![Claim::None; valid.len()];
    let losses: Vec<usize> = (0..valid.len()).filter(|&at| is_loss(valid, at)).collect();
    let within = |at: &&usize| {
        let age = now.saturating_sub(valid[**at + 1].0.seconds());
        age < horizon(rules)
    };
    let mut greatest: HashMap<(u64, u64), usize> = HashMap::new();
    for &at in losses.iter().filter(within) {
        let seconds = valid[at].0.seconds();
        let hourly = u64::from(rules.hourly_days) * DAY;
        let hourly = hourly.max(u64::from(rules.keep_all_hours) * HOUR);
        let unit = if now.saturating_sub(seconds) < hourly { HOUR } else { DAY };
        let place = greatest.entry((unit, seconds / unit)).or_insert(at);
        if valid[at].1 >= valid[*place].1 {
            *place = at;
        }
        claim(&mut claims, at, Claim::Loss);
    }
    for at in greatest.into_values().chain(losses.last().copied()) {
        claim(&mut claims, at, Claim::Always);
    }
    if let Some(newest) = claims.last_mut() {
        *newest = Claim::Always;
    }
    claims
}

/// For both snapshots that stand at a loss.
fn claim(claims: &mut [Claim], loss: usize, claim: Claim) {
    for at in [loss, loss + 1] {
        claims[at] = claims[at].max(claim);
    }
}

/// Up to what age losses are kept.
fn horizon(rules: &Rules) -> u64 {
    let days = rules.daily_days.max(rules.hourly_days);
    (u64::from(days) * DAY).max(u64::from(rules.keep_all_hours) * HOUR)
}

#[cfg(test)]
mod tests;
