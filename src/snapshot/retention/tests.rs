//! What retention promises, for any series.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// 2026-11-20T12:00:00Z.
const NOON: Epoch = 1_795_176_000;

fn id(seconds: Epoch) -> SnapshotId {
    SnapshotId::next(seconds, None, None)
}

fn known(series: &[(Epoch, usize)]) -> Vec<Candidate> {
    series.iter().map(|&(at, full)| Candidate { id: id(at), fullness: Some(full) }).collect()
}

fn kept(known: &[Candidate], now: Epoch, rules: &Rules) -> Vec<Candidate> {
    let gone: BTreeSet<SnapshotId> = surplus(known, now, rules).into_iter().collect();
    known.iter().filter(|one| !gone.contains(&one.id)).copied().collect()
}

fn times(known: &[Candidate]) -> Vec<Epoch> {
    known.iter().map(|one| one.id.seconds()).collect()
}

/// Sound ones, oldest first.
fn valid(known: &[Candidate]) -> Vec<(SnapshotId, usize)> {
    known.iter().filter_map(|one| Some((one.id, one.fullness?))).collect()
}

/// The last full ones before a loss, with the time of the loss.
fn last_full(known: &[Candidate]) -> Vec<(SnapshotId, Epoch)> {
    let valid = valid(known);
    let pairs = valid.windows(2).filter(|pair| pair[1].1 < pair[0].1);
    pairs.map(|pair| (pair[0].0, pair[1].0.seconds())).collect()
}

prop_compose! {
    /// A series that ends somewhere about `NOON`: gaps of seconds to weeks, some damaged.
    fn series()(
        steps in proptest::collection::vec(
            (prop_oneof![1_u64..60, 60_u64..4000, 4000_u64..100_000, 100_000_u64..2_000_000],
             0_usize..6, proptest::bool::weighted(0.1)),
            0..120),
        ahead in 0_u64..200_000,
    ) -> Vec<Candidate> {
        let mut at = NOON + ahead;
        let mut series: Vec<Candidate> = steps.into_iter().map(|(gap, full, damaged)| {
            at -= gap;
            Candidate { id: id(at), fullness: (!damaged).then_some(full) }
        }).collect();
        series.reverse();
        series
    }
}

prop_compose! {
    fn rules()(
        keep_all_hours in 0_u32..48, hourly_days in 0_u32..14, daily_days in 0_u32..120,
        max_snapshots in prop_oneof![0_u32..20, 20_u32..200],
    ) -> Rules {
        Rules { keep_all_hours, hourly_days, daily_days, max_snapshots }
    }
}

proptest! {
    #[test]
    fn applying_it_again_deletes_nothing(series in series(), rules in rules()) {
        let once = kept(&series, NOON, &rules);
        prop_assert_eq!(surplus(&once, NOON, &rules), vec![]);
    }

    #[test]
    fn what_goes_is_of_the_series_each_once_oldest_first(series in series(), rules in rules()) {
        let gone = surplus(&series, NOON, &rules);
        prop_assert!(gone.windows(2).all(|pair| pair[0] < pair[1]));
        let has = |id: &SnapshotId| series.iter().any(|one| one.id == *id);
        prop_assert!(gone.iter().all(has));
        let mut shuffled = series;
        shuffled.reverse();
        prop_assert_eq!(surplus(&shuffled, NOON, &rules), gone);
    }

    #[test]
    fn damaged_ones_and_the_newest_sound_one_stay(series in series(), rules in rules()) {
        let kept = kept(&series, NOON, &rules);
        let damaged = |known: &[Candidate]| known.iter().filter(|one| one.fullness.is_none()).count();
        prop_assert_eq!(damaged(&kept), damaged(&series));
        prop_assert_eq!(valid(&kept).pop(), valid(&series).pop());
    }

    #[test]
    fn the_latest_loss_stays_with_the_last_full_one_before_it(
        series in series(), rules in rules(),
    ) {
        let kept = kept(&series, NOON, &rules);
        prop_assert_eq!(last_full(&kept).pop(), last_full(&series).pop());
    }

    #[test]
    fn every_loss_stays_through_the_daily_horizon_while_there_is_room(
        series in series(), rules in rules(),
    ) {
        let rules = Rules { max_snapshots: 1000, ..rules };
        let kept = kept(&series, NOON, &rules);
        for (id, lost) in last_full(&series) {
            if NOON.saturating_sub(lost) < u64::from(rules.daily_days) * DAY {
                prop_assert!(kept.iter().any(|one| one.id == id), "{id}");
            }
        }
    }

    #[test]
    fn the_fullest_before_the_losses_of_a_day_stays_even_when_there_is_no_room(
        series in series(), rules in rules(),
    ) {
        let (kept, all) = (valid(&kept(&series, NOON, &rules)), series);
        let series = valid(&all);
        for (id, lost) in last_full(&all) {
            if NOON.saturating_sub(lost) >= u64::from(rules.daily_days) * DAY {
                continue;
            }
            let full = series.iter().find(|one| one.0 == id).unwrap().1;
            let as_full = |one: &&(SnapshotId, usize)| {
                one.0.seconds() / DAY == id.seconds() / DAY && one.1 >= full
            };
            prop_assert!(kept.iter().any(|one| as_full(&one)), "{id}");
        }
    }

    #[test]
    fn the_last_of_each_hour_and_day_stays_while_there_is_room(series in series()) {
        let rules = Rules::default();
        let kept = kept(&series, NOON, &rules);
        let valid = valid(&series);
        for (at, (id, _)) in valid.iter().enumerate() {
            let replaced = valid.get(at + 1).map_or(NOON, |(next, _)| next.seconds());
            let age = NOON.saturating_sub(replaced);
            let last_of = |unit: u64| valid.get(at + 1).is_none_or(|(next, _)| {
                next.seconds() / unit != id.seconds() / unit
            });
            let stays = age < DAY
                || (age < 7 * DAY && last_of(HOUR))
                || (age < 90 * DAY && last_of(DAY));
            if stays {
                prop_assert!(kept.iter().any(|one| one.id == *id), "{id}");
            }
        }
    }

    #[test]
    fn what_a_later_time_keeps_an_earlier_one_kept(
        series in series(), rules in rules(), later in 0_u64..10_000_000,
    ) {
        let rules = Rules { max_snapshots: 1000, ..rules };
        let (before, after) = (kept(&series, NOON, &rules), kept(&series, NOON + later, &rules));
        prop_assert!(after.iter().all(|one| before.contains(one)));
    }

    #[test]
    fn pruning_on_the_way_keeps_what_pruning_at_the_end_would(
        series in series(), rules in rules(), later in 0_u64..10_000_000,
    ) {
        let rules = Rules { max_snapshots: 1000, ..rules };
        let on_the_way = kept(&kept(&series, NOON, &rules), NOON + later, &rules);
        let at_the_end = kept(&series, NOON + later, &rules);
        let in_order = |one: &Candidate| on_the_way.contains(one);
        prop_assert!(at_the_end.iter().filter(|one| !in_order(one)).count() == 0);
    }

    #[test]
    fn ids_of_the_future_stay_while_there_is_room(series in series(), rules in rules()) {
        let rules = Rules { max_snapshots: 1000, keep_all_hours: rules.keep_all_hours + 1, ..rules };
        let ahead = |known: &[Candidate]| times(known).iter().filter(|at| **at > NOON).count();
        prop_assert_eq!(ahead(&kept(&series, NOON, &rules)), ahead(&series));
    }

    #[test]
    fn the_count_is_bounded_but_for_the_protected(series in series(), rules in rules()) {
        let kept = valid(&kept(&series, NOON, &rules)).len();
        let days: BTreeSet<u64> =
            valid(&series).iter().map(|(id, _)| id.seconds() / HOUR).collect();
        let protected = 3 + 2 * days.len();
        prop_assert!(kept <= usize::try_from(rules.max_snapshots).unwrap().max(protected));
        prop_assert!(valid(&series).is_empty() || kept > 0);
    }
}

#[test]
fn the_last_of_each_hour_is_kept_for_a_week_and_of_each_day_for_a_quarter() {
    let ago = |days: u64, seconds: u64| NOON - days * DAY + seconds;
    let series = known(&[
        (ago(100, 0), 5),
        (ago(50, 0), 5),
        (ago(50, 3 * HOUR), 5),
        (ago(3, 0), 5),
        (ago(3, 60), 5),
        (ago(3, HOUR), 5),
        (ago(0, 0) - 120, 5),
        (ago(0, 0) - 60, 5),
    ]);
    let left = times(&kept(&series, NOON, &Rules::default()));
    let expected: Vec<Epoch> = [0, 2, 4, 5, 6, 7].map(|at: usize| series[at].id.seconds()).to_vec();
    assert_eq!(left, expected, "the first described the present until 50 days ago");
}

#[test]
fn a_state_that_lasted_for_months_is_as_old_as_its_end() {
    let series = known(&[(NOON - 200 * DAY, 5), (NOON - 60, 6), (NOON, 6)]);
    assert_eq!(kept(&series, NOON, &Rules::default()).len(), 3);
}

#[test]
fn lesson_01_the_manifest_of_fourteen_outlives_any_number_of_small_ones_after_it() {
    // A reboot, then two survivors, and a change each hour for a year.
    let mut series = known(&[(NOON, 14), (NOON + 300, 2)]);
    for hour in 1..365 * 24 {
        let at = NOON + 300 + hour * HOUR;
        series.push(Candidate { id: id(at), fullness: Some(2) });
        series = kept(&series, at, &Rules::default());
    }
    assert_eq!(series[0], Candidate { id: id(NOON), fullness: Some(14) });
    assert!(series.len() < 300, "{}", series.len());
}

#[test]
fn lesson_02_all_steps_of_a_loss_over_three_saves_stay() {
    let mut series = known(&[(NOON, 18), (NOON + 300, 13), (NOON + 600, 8)]);
    for step in 1..80 * 24 {
        series.push(Candidate { id: id(NOON + 600 + step * HOUR), fullness: Some(8) });
    }
    let left = kept(&series, NOON + 80 * DAY, &Rules::default());
    assert_eq!(valid(&left)[..3], valid(&series)[..3]);
}

#[test]
fn lesson_10_a_change_every_five_minutes_for_months_stays_below_the_cap() {
    // The predecessor's other store reached 3,521 files. Here even each second change is a loss.
    let rules = Rules::default();
    let mut series: Vec<Candidate> = Vec::new();
    let mut most = 0;
    for step in 0..120 * 288_u64 {
        let at = NOON + step * 300;
        let fullness = Some(usize::try_from(20 + step % 2 + step % 7).unwrap());
        let new_hour = series.last().is_none_or(|last| last.id.seconds() / HOUR != at / HOUR);
        series.push(Candidate { id: id(at), fullness });
        if new_hour || series.len() > 1000 {
            series = kept(&series, at, &rules);
        }
        most = most.max(series.len());
    }
    assert!(most <= 1000, "{most}");
    let oldest = series[0].id.seconds();
    assert!(oldest < NOON + 31 * DAY, "a quarter is still covered: {}", id(oldest));
}

#[test]
fn a_clock_that_was_ahead_once_does_not_make_the_store_grow_for_ever() {
    let mut series = known(&[(NOON - HOUR, 3)]);
    let mut last = id(NOON + 3650 * DAY);
    series.push(Candidate { id: last, fullness: Some(3) });
    for _ in 0..3000 {
        last = SnapshotId::next(NOON, Some(last), None);
        series.push(Candidate { id: last, fullness: Some(3) });
        if series.len() > 1000 {
            series = kept(&series, NOON, &Rules::default());
        }
    }
    assert!(series.len() <= 1000);
    assert_eq!(series.last().unwrap().id, last);
}
