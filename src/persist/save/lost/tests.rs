use super::*;
use crate::snapshot::{EndKind, Ending, SnapshotId, Tombstone};
use proptest::prelude::*;

const WINDOW: Duration = Duration::from_hours(24);

fn uuid(n: u8) -> Vec<u8> {
    format!("0d0a8f5e-0000-4000-8000-{n:012}").into_bytes()
}

/// `name:window.pane`, its id, and its conversation; 0 is a shell.
fn row(session: &str, window: u32, pane_id: u32, conversation: u8) -> Row {
    let agent = conversation > 0;
    Row {
        session: session.into(),
        window,
        pane_id: Some(pane_id),
        conversation: agent.then(|| uuid(conversation)),
        agent: agent.then(|| b"claude".to_vec()),
        state: if agent { State::Live } else { State::Shell },
        ..Row::default()
    }
}

fn snapshot(server: &str, rows: Vec<Row>) -> Snapshot {
    Snapshot { server: server.to_owned(), rows, ..Snapshot::default() }
}

fn stored(snapshot: Snapshot) -> Stored {
    Stored { id: SnapshotId::next(1000, None, None), snapshot }
}

fn carry(live: &mut Snapshot, newest: &Snapshot, closings: &Closings, now: Epoch) -> CarryResult {
    let times = Times { now, seen: 900, window: WINDOW };
    carry_forward(live, &stored(newest.clone()), closings, &Evidence::default(), times)
}

fn described(snapshot: &Snapshot) -> Vec<String> {
    let describe = |row: &Row| {
        let id = row.conversation.as_ref().map_or(0, |id| id[35] - b'0');
        format!("{} {id} {}", row.label(), row.state.word())
    };
    snapshot.rows.iter().map(describe).collect()
}

#[test]
fn a_session_that_vanished_is_lost_with_all_its_panes_and_when_it_was_last_seen() {
    let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0), row("b", 0, 3, 0)]);
    let mut live = snapshot("s", vec![row("b", 0, 3, 0)]);
    let carried = carry(&mut live, &newest, &Closings::default(), 2000);
    assert_eq!(described(&live), ["a:0.0 1 lost", "a:1.0 0 lost", "b:0.0 0 shell"]);
    assert_eq!(carried.newly_lost.len(), 2);
    let lost = &live.rows[0];
    let times = (lost.last_seen, lost.lost_since, lost.pane_id);
    assert_eq!(times, (Some(900), Some(2000), None));
}

#[test]
fn an_agent_that_vanished_leaves_its_conversation_with_the_shell_in_its_pane() {
    let newest = snapshot("s", vec![Row { cwd: b"/code".to_vec(), ..row("a", 0, 1, 1) }]);
    let mut live = snapshot("s", vec![Row { cwd: b"/".to_vec(), ..row("moved", 4, 1, 0) }]);
    carry(&mut live, &newest, &Closings::default(), 2000);
    assert_eq!(described(&live), ["moved:4.0 1 lost"]);
    assert_eq!((live.rows[0].pane_id, live.rows[0].cwd.as_slice()), (Some(1), &b"/code"[..]));
    let again = live.clone();
    let mut next = snapshot("s", vec![row("moved", 4, 1, 0)]);
    let carried = carry(&mut next, &again, &Closings::default(), 3000);
    assert_eq!((next.rows[0].lost_since, carried), (Some(2000), CarryResult::default()));
}

#[test]
fn a_pane_that_vanished_from_a_live_session_takes_no_place_that_is_taken() {
    let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0), row("a", 2, 4, 2)]);
    let mut live = snapshot("s", vec![row("a", 0, 2, 0), row("a", 1, 3, 0)]);
    carry(&mut live, &newest, &Closings::default(), 2000);
    let expected = ["a:0.0 0 shell", "a:1.0 0 shell", "a:2.0 2 lost", "a:3.0 1 lost"];
    assert_eq!(described(&live), expected);
    let mut next = snapshot("s", vec![row("a", 0, 2, 0), row("a", 1, 3, 0)]);
    carry(&mut next, &live, &Closings::default(), 2100);
    assert_eq!(described(&next), expected, "what is lost stays where it is");
}

#[test]
fn what_runs_elsewhere_was_renamed_or_was_superseded_is_not_lost() {
    let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0), row("c", 0, 5, 3)]);
    let mut live = snapshot("s", vec![row("b", 0, 1, 1), row("b", 1, 2, 0), row("c", 0, 5, 4)]);
    let before = live.clone();
    let carried = carry(&mut live, &newest, &Closings::default(), 2000);
    assert_eq!((live, carried), (before, CarryResult::default()));
}

#[test]
fn an_agent_that_was_never_prompted_and_started_anew_beside_its_pane_is_not_lost() {
    let carried = |prompted, agent_runs| {
        let newest = snapshot("s", vec![Row { prompted: Some(prompted), ..row("a", 0, 1, 1) }]);
        let conversation = if agent_runs { 2 } else { 0 };
        let mut live = snapshot("s", vec![row("a", 0, 1, 0), row("a-1200", 0, 2, conversation)]);
        let evidence = Evidence { restored: BTreeMap::from([(uuid(1), 2)]), ..Evidence::default() };
        let times = Times { now: 2000, seen: 900, window: WINDOW };
        carry_forward(&mut live, &stored(newest), &Closings::default(), &evidence, times);
        described(&live)
    };
    assert_eq!(carried(false, true), ["a:0.0 0 shell", "a-1200:0.0 2 live"]);
    assert_eq!(carried(false, false)[0], "a:0.0 1 lost");
    assert_eq!(carried(true, true)[0], "a:0.0 1 lost", "what was said is never given up");
}

#[test]
fn what_was_closed_on_purpose_is_not_lost() {
    let newest = snapshot("s", vec![row("a", 0, 1, 1), row("b", 0, 2, 2), row("c", 0, 3, 3)]);
    let mut live = snapshot("s", vec![row("z", 0, 9, 0)]);
    let mut closings = Closings::default();
    let reason = Vec::new();
    closings.tombstones.0.push(Tombstone { session: b"a".to_vec(), closed: 1000, reason });
    for (n, ended) in [(2, 1000), (3, 999)] {
        closings.endings.add(Ending {
            session: vec![],
            ended,
            conversation: uuid(n),
            agent: vec![],
            how: EndKind::Closed,
            reason: vec![],
        });
    }
    carry(&mut live, &newest, &closings, 2000);
    assert_eq!(described(&live), ["c:0.0 3 lost", "z:0.0 0 shell"], "3 was closed before");
}

#[test]
fn two_conversations_that_point_to_one_pane_are_both_kept() {
    // 1 was restored into pane 8, which then went on with 2; 1 went on in pane 9, now gone.
    let newest = snapshot("s", vec![row("a", 0, 8, 2), row("b", 0, 9, 1)]);
    let mut live = snapshot("s", vec![row("a", 0, 8, 0)]);
    let evidence = Evidence { restored: BTreeMap::from([(uuid(1), 8)]), ..Evidence::default() };
    let times = Times { now: 2000, seen: 900, window: WINDOW };
    carry_forward(&mut live, &stored(newest), &Closings::default(), &evidence, times);
    assert_eq!(described(&live), ["a:0.0 2 lost", "b:0.0 1 lost"]);
}

#[test]
fn a_clock_that_was_behind_when_something_was_lost_expires_nothing_once_it_is_right() {
    let day = 86_400;
    let newest = snapshot("s", vec![row("a", 0, 1, 1)]);
    let times = |now| Times { now, seen: 100 * day, window: WINDOW };
    let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
    let evidence = Evidence::default();
    carry_forward(&mut live, &stored(newest), &Closings::default(), &evidence, times(5));
    let lost = stored(live);
    let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
    let now = times(100 * day + 60);
    carry_forward(&mut live, &lost, &Closings::default(), &evidence, now);
    assert_eq!(described(&live), ["a:0.0 1 lost", "z:0.0 0 shell"]);
}

#[test]
fn what_two_sessions_showed_is_lost_with_the_one_that_was_not_closed() {
    let in_group = |session, n| Row { group: Some(b"g".to_vec()), ..row(session, 0, 1, n) };
    let rows = vec![in_group("g", 1), in_group("h", 0), in_group("i", 0)];
    let newest = snapshot("s", rows);
    let mut closings = Closings::default();
    let (session, reason) = (b"g".to_vec(), Vec::new());
    closings.tombstones.0.push(Tombstone { session, closed: 1000, reason });
    let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
    carry(&mut live, &newest, &closings, 2000);
    assert_eq!(described(&live), ["h:0.0 1 lost", "i:0.0 0 lost", "z:0.0 0 shell"]);
}

#[test]
fn what_is_lost_is_carried_for_the_window_and_no_longer() {
    let newest = snapshot("s", vec![row("a", 0, 1, 1)]);
    let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
    carry(&mut live, &newest, &Closings::default(), 2000);
    let lost = live.clone();
    let at = |now| {
        let mut live = snapshot("t", vec![row("z", 0, 9, 0)]);
        let carried = carry(&mut live, &lost, &Closings::default(), now);
        (live.rows.len(), carried.expired.len())
    };
    assert_eq!(at(2000 + WINDOW.as_secs()), (2, 0));
    assert_eq!(at(2001 + WINDOW.as_secs()), (1, 1));
    assert_eq!(at(0), (2, 0), "a clock that went back expires nothing");
}

#[test]
fn another_server_with_a_session_of_that_name_says_nothing_of_the_agent() {
    let newest = snapshot("s", vec![row("a", 0, 1, 1), row("a", 1, 2, 0)]);
    let mut live = snapshot("t", vec![row("a", 0, 1, 0)]);
    carry(&mut live, &newest, &Closings::default(), 2000);
    assert_eq!(described(&live), ["a:0.0 0 shell", "a:1.0 1 lost"]);
    let mut live = snapshot("t", vec![row("a", 3, 8, 0)]);
    let evidence = Evidence { restored: BTreeMap::from([(uuid(1), 8)]), ..Evidence::default() };
    let times = Times { now: 2000, seen: 900, window: WINDOW };
    carry_forward(&mut live, &stored(newest), &Closings::default(), &evidence, times);
    assert_eq!(described(&live), ["a:3.0 1 lost"], "a restore had resumed it there");
}

prop_compose! {
    fn any_row()(session in 0_u8..3, window in 0_u32..3, id in 0_u32..9, conversation in 0_u8..5) -> Row {
        row(std::str::from_utf8(&[b'a' + session]).unwrap(), window, id, conversation)
    }
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    (proptest::collection::vec(any_row(), 1..8), 0_u8..2).prop_map(|(rows, server)| {
        let mut by_place: BTreeMap<(Vec<u8>, u32), Row> = BTreeMap::new();
        let (mut ids, mut conversations) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let fresh = ids.insert(row.pane_id)
                && row.conversation.as_ref().is_none_or(|id| conversations.insert(id.clone()));
            if fresh {
                by_place.entry((row.session.clone(), row.window)).or_insert(row);
            }
        }
        snapshot(&format!("s{server}"), by_place.into_values().collect())
    })
}

proptest! {
    /// Saves one after the other, nothing closed: no conversation is ever dropped but one
    /// whose own pane runs another, and no two rows share a place or a conversation.
    #[test]
    fn no_conversation_drops_out_unless_its_pane_runs_another(
        states in proptest::collection::vec(any_snapshot(), 2..6)
    ) {
        let mut newest = states[0].clone();
        for (n, state) in states.iter().enumerate().skip(1) {
            let mut next = state.clone();
            carry(&mut next, &newest, &Closings::default(), 2000 + n as u64);
            let conversations = |s: &Snapshot| -> Vec<Vec<u8>> {
                s.rows.iter().filter_map(|row| row.conversation.clone()).collect()
            };
            let (before, after) = (conversations(&newest), conversations(&next));
            let distinct: BTreeSet<_> = after.iter().collect();
            prop_assert_eq!(distinct.len(), after.len());
            let places: BTreeSet<_> = next.rows.iter().map(Row::place).collect();
            prop_assert_eq!(places.len(), next.rows.len());
            prop_assert!(next.rows.is_sorted_by_key(Row::place));
            for row in newest.rows.iter().filter(|row| row.conversation.is_some()) {
                let id = row.conversation.clone().unwrap();
                let superseded = newest.server == state.server
                    && row.pane_id.is_some()
                    && state.rows.iter().any(|now| now.pane_id == row.pane_id && now.agent.is_some());
                prop_assert!(after.contains(&id) || superseded, "{:?}", before);
            }
            let again = |mut live: Snapshot| {
                carry(&mut live, &next, &Closings::default(), 2000 + n as u64);
                live
            };
            prop_assert_eq!(again(state.clone()), next.clone(), "an equal state is equal");
            newest = next;
        }
    }
}

#[test]
fn what_a_restore_could_not_bring_back_is_carried_beyond_the_window() {
    let lost =
        Row { state: State::Lost, lost_since: Some(1000), pane_id: None, ..row("a", 0, 1, 1) };
    let newest = stored(snapshot("s", vec![lost.clone(), row("keep", 0, 2, 0)]));
    let times = Times { now: 1001 + WINDOW.as_secs(), seen: 900, window: WINDOW };
    let carried = |unrestored: Unrestored| {
        let mut live = snapshot("s", vec![row("keep", 0, 2, 0)]);
        let evidence = Evidence { unrestored, ..Evidence::default() };
        carry_forward(&mut live, &newest, &Closings::default(), &evidence, times);
        described(&live)
    };
    assert_eq!(carried(Unrestored::default()), ["keep:0.0 0 shell"]);
    let mut unrestored = Unrestored::default();
    unrestored.enter(&lost, false);
    assert_eq!(carried(unrestored), ["a:0.0 1 lost", "keep:0.0 0 shell"]);
}

#[test]
fn a_lost_session_whose_name_other_work_took_stays_whole_under_another() {
    let at = |cwd: &str, row: Row| Row { cwd: cwd.into(), ..row };
    let newest = vec![at("/x", row("a", 0, 1, 0)), at("/x", row("a", 1, 2, 1))];
    let mut live = snapshot("t", vec![at("/y", row("a", 0, 1, 0))]);
    let evidence = Evidence { hhmm: "1432".into(), ..Evidence::default() };
    let times = Times { now: 2000, seen: 900, window: WINDOW };
    let newest = stored(snapshot("s", newest));
    let carried = carry_forward(&mut live, &newest, &Closings::default(), &evidence, times);
    assert_eq!(described(&live), ["a:0.0 0 shell", "a-1432:0.0 0 lost", "a-1432:1.0 1 lost"]);
    assert_eq!(live.rows[1].origin.as_deref(), Some(&b"s/a"[..]));
    assert_eq!(carried.renamed.len(), 1);
    // The next save keeps it under that name.
    let newest = stored(live.clone());
    let mut later = snapshot("t", vec![at("/y", row("a", 0, 1, 0))]);
    let carried = carry_forward(&mut later, &newest, &Closings::default(), &evidence, times);
    assert_eq!((later, carried.renamed.len()), (live, 0));
}
