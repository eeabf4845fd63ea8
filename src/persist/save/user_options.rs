//! Adds the options that users and tools set to the rows of a save. Asking for those of 200 panes takes longer
//! than the rest of a save, so most saves ask only for those of sessions that are new, changed or in use, and each save
//! of the timer for those of a portion of the others, in turn. Whether the portion is as it was is asked in passing,
//! with the panes: a further client costs more.

use super::known_options::{Expected, Known, Values};
use crate::persist::capture::Capture;
use crate::persist::context::Context;
use crate::snapshot::{Activity, Row, Snapshot};
use crate::sys::clock::Epoch;
use crate::tmux::user_options::{Answer, Groups, Key, MAX_KEYS, Owner, encode, part};
use std::collections::BTreeSet;

/// For how long an answer about what is in use counts, in seconds.
const VALID: Epoch = 2;
/// After how many seconds the next portion is asked for: less than the time between two saves of the timer.
const PORTION_AFTER: Epoch = 240;
/// The panes of a portion: with as many, a save of 200 takes 4 % longer.
const PORTION: usize = 12;
/// So few panes are all asked for.
const FEW: usize = 16;

/// What was asked for, to be recorded with the save.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Not only what is new or changed, also what is in use.
    in_use: bool,
    /// The next portion; `None` if none was asked for.
    next: Option<Portion>,
}

/// What is to be asked for in passing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Portion {
    /// Its last pane, 0 if it is all panes.
    last: u32,
    groups: Groups,
}

impl Asked {
    /// Enters it into the record of a save that succeeded.
    pub(crate) fn enter(self, activity: &mut Activity, now: Epoch) {
        if self.in_use {
            activity.options_asked = now;
        }
        if let Some(next) = self.next {
            activity.options_read = now;
            activity.options_pane = next.last.into();
            activity.options_next = next.groups.encode().into_bytes();
        }
    }
}

/// A clock that went back counts as a long time.
fn since(then: Epoch, now: Epoch) -> Epoch {
    now.checked_sub(then).unwrap_or(Epoch::MAX)
}

/// What to ask for in passing: nothing unless it is time for it. `names` are the patterns of the configuration.
pub(crate) fn in_passing(names: &[String], activity: &Activity, now: Epoch) -> Groups {
    let is_all = activity.options_pane == 0;
    let is_due = since(activity.options_read, now) >= PORTION_AFTER
        || is_all && since(activity.options_asked, now) >= VALID;
    let record = std::str::from_utf8(&activity.options_next).ok();
    let groups = record.filter(|_| is_due && !names.is_empty()).and_then(Groups::parse);
    groups.unwrap_or_default()
}

/// Completes what was captured, for which `groups` were asked for in passing. `previous` is the newest snapshot. Gives
/// what was asked for, and a note if the server did not answer; what the newest snapshot has is used then.
pub(crate) fn complete(
    context: &Context,
    captured: &mut Capture,
    groups: &Groups,
    previous: Option<&Snapshot>,
    activity: &Activity,
) -> (Asked, Option<String>) {
    let names = &context.keep.user_options;
    if names.is_empty() || captured.snapshot.rows.is_empty() {
        return (Asked::default(), None);
    }
    let previous = previous.filter(|snapshot| snapshot.server == captured.snapshot.server);
    let known = Known::of(previous, names);
    let request = request(captured, &known, groups, activity, context.now);
    let answer = match request.keys.as_deref() {
        Some([]) => Ok(Answer::new()),
        keys => context.server.user_options(keys, names),
    };
    match answer {
        Ok(answer) => {
            enter(captured, &answer, &known);
            let next = request.portion.map(|last| plan(captured, last, names));
            (Asked { in_use: request.in_use, next }, None)
        }
        Err(error) => {
            enter(captured, &Answer::new(), &known);
            let note = format!("options that users set are not known: {error}");
            (Asked::default(), Some(note))
        }
    }
}

/// What to ask for beside what was asked in passing.
struct Request {
    /// Not only what is new or changed, also what is in use.
    in_use: bool,
    /// The last pane of a portion, 0 of all; `None` without a portion.
    portion: Option<u32>,
    /// `None` for all.
    keys: Option<Vec<Key>>,
}

fn request(
    captured: &Capture,
    known: &Known<'_>,
    groups: &Groups,
    activity: &Activity,
    now: Epoch,
) -> Request {
    const ALL: Request = Request { in_use: true, portion: Some(0), keys: None };
    let in_use = since(activity.options_asked, now) >= VALID;
    let is_small = captured.snapshot.rows.len() <= FEW;
    let are_as_known = are_as_known(captured, known, groups);
    let passed: BTreeSet<Key> = groups.iter().flatten().copied().collect();
    let are_all = is_small && keys(captured, |_, _| true).is_subset(&passed);
    if in_use && is_small && !(are_as_known && are_all) {
        return ALL;
    }
    let mut portion = None;
    let mut panes = BTreeSet::new();
    if is_small {
        portion = in_use.then_some(0);
    } else if !groups.is_empty() {
        portion = Some(u32::try_from(activity.options_pane).unwrap_or_default());
        if !are_as_known {
            let of_panes = passed.iter().filter(|(owner, _)| *owner != Owner::Session);
            panes.extend(of_panes.map(|(_, pane)| *pane));
        }
    } else if since(activity.options_read, now) >= PORTION_AFTER {
        let next = next_portion(captured, activity.options_pane);
        portion = next.last().copied();
        panes.extend(next);
    }
    // Of few panes, what is in use was asked for in passing.
    let in_use_since = (in_use && !is_small).then(|| activity.options_asked.saturating_sub(1));
    let changed = known.changed(captured, in_use_since);
    let keys = keys(captured, |session, pane| changed.contains(session) || panes.contains(&pane));
    if keys.len() > MAX_KEYS {
        return ALL;
    }
    Request { in_use, portion, keys: Some(keys.into_iter().collect()) }
}

/// The keys of panes, and of their windows and sessions.
fn keys(captured: &Capture, is_wanted: impl Fn(&[u8], u32) -> bool) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for row in &captured.snapshot.rows {
        let Some(pane) = row.pane_id.filter(|pane| is_wanted(&row.session, *pane)) else {
            continue;
        };
        if let Some(id) = captured.session_ids.get(&row.session) {
            keys.insert((Owner::Session, *id));
        }
        if row.linked.is_none() {
            keys.insert((Owner::Pane, pane));
            if row.pane_flags.active {
                keys.insert((Owner::Window, pane));
            }
        }
    }
    keys
}

/// Whether there is an answer to what was asked in passing, and all of it is what the newest snapshot has.
fn are_as_known(captured: &Capture, known: &Known<'_>, groups: &Groups) -> bool {
    let Some(answers) = captured.group_answers.as_ref().filter(|_| !groups.is_empty()) else {
        return false;
    };
    let expected = Expected::of(known);
    groups.iter().zip(answers).all(|(keys, options)| {
        let mut known = keys.iter().filter_map(|key| expected.values(captured, *key));
        let options: Values = options.iter().cloned().collect();
        match (known.next(), known.next(), keys) {
            (None, ..) => options.is_empty(),
            (Some(known), None, [_]) => *known == options,
            _ => false,
        }
    })
}

/// The next portion, after a pane.
fn plan(captured: &Capture, after: u32, names: &[String]) -> Portion {
    let is_small = captured.snapshot.rows.len() <= FEW;
    let panes = next_portion(captured, after.into());
    let last = panes.last().copied().filter(|_| !is_small).unwrap_or_default();
    let known = Known::of(Some(&captured.snapshot), names);
    let expected = Expected::of(&known);
    let keys = keys(captured, |_, pane| is_small || panes.contains(&pane));
    let keys = keys.into_iter().take(MAX_KEYS);
    let keys = keys.map(|key| (key, expected.values(captured, key).is_some()));
    Portion { last, groups: Groups::of(keys) }
}

/// The panes whose turn it is after a pane, by their ids.
fn next_portion(captured: &Capture, after: u64) -> Vec<u32> {
    let panes: BTreeSet<u32> =
        captured.snapshot.rows.iter().filter_map(|row| row.pane_id).collect();
    let (before, behind): (Vec<u32>, Vec<u32>) =
        panes.into_iter().partition(|pane| u64::from(*pane) <= after);
    behind.into_iter().chain(before).take(PORTION).collect()
}

/// Enters an answer: a session's options with its first pane, a window's with one of its panes. What was not asked for is
/// as it was.
fn enter(captured: &mut Capture, answer: &Answer, known: &Known<'_>) {
    let ids = &captured.session_ids;
    let of_session =
        |row: &Row| ids.get(&row.session).and_then(|id| answer.get(&(Owner::Session, *id)));
    let windows: BTreeSet<(Vec<u8>, u32)> = captured
        .snapshot
        .rows
        .iter()
        .filter(|row| row.pane_id.is_some_and(|pane| answer.contains_key(&(Owner::Window, pane))))
        .map(|row| (row.session.clone(), row.window))
        .collect();
    let mut sessions = BTreeSet::new();
    let mut fields = Vec::new();
    for row in &captured.snapshot.rows {
        let before = known.row(row).and_then(|row| row.user_options.as_deref()).unwrap_or_default();
        let Some(pane) = row.pane_id else {
            fields.push(Vec::new());
            continue;
        };
        let is_first = sessions.insert(row.session.clone());
        let mut field = match of_session(row) {
            Some(options) if is_first => encode(Owner::Session, options),
            Some(_) => Vec::new(),
            None => part(before, Owner::Session),
        };
        if row.linked.is_none() {
            field.extend(match answer.get(&(Owner::Window, pane)) {
                Some(options) => encode(Owner::Window, options),
                None if windows.contains(&(row.session.clone(), row.window)) => Vec::new(),
                None => part(before, Owner::Window),
            });
            field.extend(match answer.get(&(Owner::Pane, pane)) {
                Some(options) => encode(Owner::Pane, options),
                None => part(before, Owner::Pane),
            });
        }
        fields.push(field);
    }
    for (row, field) in captured.snapshot.rows.iter_mut().zip(fields) {
        row.user_options = Some(field).filter(|field| !field.is_empty());
    }
}
