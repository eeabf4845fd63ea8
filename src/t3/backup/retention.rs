//! Which backups are no longer needed (pure).

use super::id::{BackupId, Why};
use super::limits::Limits;

/// How many backups of one change are kept: one that was tried again has several.
const PER_CHANGE: usize = 3;
const DAY: u64 = 86_400;

/// The backups to remove, of all complete ones of a user. The newest one stays, whatever it is, and so does
/// `protected`, the one of the running change.
pub(crate) fn superfluous(
    all: &[BackupId],
    limits: &Limits,
    protected: Option<&BackupId>,
    now: u64,
) -> Vec<BackupId> {
    let mut newest_first: Vec<&BackupId> = all.iter().collect();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let newest = newest_first.first().copied();
    let (mut daily, mut restarts, mut changes) = (0, 0, Vec::<(String, usize)>::new());
    let mut removed: Vec<BackupId> = Vec::new();
    for id in newest_first {
        let stays = match id.why() {
            Why::Daily | Why::Manual => {
                daily += 1;
                let is_young =
                    now.saturating_sub(id.time()) <= limits.keep_days.saturating_mul(DAY);
                // The last daily one stays, however old: pre-change copies do not stand in for it.
                daily == 1 || (is_young && daily <= limits.keep_daily)
            }
            Why::BeforeRestart => {
                restarts += 1;
                restarts <= limits.keep_restarts
            }
            Why::BeforeChange { version } => {
                let at = changes.iter().position(|(known, _)| *known == version);
                let at = at.unwrap_or_else(|| {
                    changes.push((version, 0));
                    changes.len() - 1
                });
                changes[at].1 += 1;
                at < limits.keep_changes && changes[at].1 <= PER_CHANGE
            }
        };
        if !stays && Some(id) != newest && Some(id) != protected {
            removed.push(id.clone());
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_796_053_500; // 2026-11-30 15:45

    fn ids(names: &[&str]) -> Vec<BackupId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn removed(names: &[&str], limits: &Limits, protected: Option<&str>) -> Vec<String> {
        let protected = protected.map(|name| name.parse().unwrap());
        let removed = superfluous(&ids(names), limits, protected.as_ref(), NOW);
        removed.into_iter().map(String::from).collect()
    }

    #[test]
    fn daily_ones_go_by_count_and_age_and_changes_have_a_quota_of_their_own() {
        let limits =
            Limits { keep_daily: 2, keep_changes: 2, keep_restarts: 1, ..Limits::default() };
        let names = [
            "20261130T033000Z-daily",
            "20261129T033000Z-manual",
            "20261128T033000Z-daily",
            "20261127T033000Z-before-0.0.28",
            "20261126T033000Z-before-0.0.26",
            "20261125T033000Z-before-0.0.24",
            "20261124T033000Z-before-restart",
            "20261123T033000Z-before-restart",
        ];
        let gone = [
            "20261128T033000Z-daily",
            "20261125T033000Z-before-0.0.24",
            "20261123T033000Z-before-restart",
        ];
        assert_eq!(removed(&names, &limits, None), gone);
        assert_eq!(removed(&names, &limits, Some(gone[1])), [gone[0], gone[2]]);
        let old =
            ["20261130T033000Z-before-0.0.28", "20260101T033000Z-daily", "20250101T033000Z-daily"];
        assert_eq!(removed(&old, &Limits::default(), None), [old[2]], "the last daily one stays");
    }

    #[test]
    fn the_newest_stays_whatever_the_limits_are() {
        let none = Limits {
            keep_daily: 0,
            keep_days: 0,
            keep_changes: 0,
            keep_restarts: 0,
            ..Limits::default()
        };
        for name in [
            "20200101T000000Z-daily",
            "20200101T000000Z-before-1",
            "20200101T000000Z-before-restart",
        ] {
            assert!(removed(&[name], &none, None).is_empty(), "{name}");
        }
        assert!(superfluous(&[], &none, None, NOW).is_empty());
    }

    #[test]
    fn a_change_that_is_tried_each_night_does_not_push_out_the_others() {
        let again = (1..=17).map(|day| format!("202611{day:02}T040000Z-before-0.0.30"));
        let mut names: Vec<String> = again.collect();
        names.push("20261001T040000Z-before-0.0.28".to_owned());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let gone = removed(&names, &Limits::default(), Some("20261101T040000Z-before-0.0.30"));
        assert_eq!(gone.len(), 13);
        assert!(!gone.contains(&"20261001T040000Z-before-0.0.28".to_owned()));
        assert!(!gone.contains(&"20261101T040000Z-before-0.0.30".to_owned()), "it is protected");
    }
}
