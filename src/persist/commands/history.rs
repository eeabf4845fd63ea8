//! `history`: all known conversations, and the sessions that were closed.

use crate::agent::{Backgrounded, Home};
use crate::persist::capture::agents;
use crate::persist::context::Context;
use crate::persist::report::{
    ClosedSession, ConversationState, HistoryConversation, HistoryReport, Report,
};
use crate::persist::save::closings::Closings;
use crate::persist::save::{history_index, read_closings};
use crate::snapshot::{
    Conversation, EndKind, Ending, Endings, Row, Snapshot, State, Stored, Tombstone, Tombstones,
};
use crate::sys::FileError;
use crate::sys::clock::Epoch;
use crate::text::json_text;
use std::collections::HashMap;

/// Maximum number of conversations, and of closed sessions, that are reported without `--all`.
const USUAL: usize = 50;

/// Reports the history, newest first.
pub fn history(context: &Context, all: bool) -> Report {
    let mut report = HistoryReport::default();
    report.error = try_history(context, all, &mut report).err().map(Into::into);
    Report::History(report)
}

fn try_history(context: &Context, all: bool, report: &mut HistoryReport) -> Result<(), FileError> {
    let Some(store) = context.store()? else { return Ok(()) };
    let notes = &mut report.notes;
    let newest = store.newest(notes)?.map(|(_, stored)| stored);
    let (mut index, _) = history_index::read(&store, notes)?;
    // The newest snapshot was up to date for as long as saves found nothing to write.
    let confirmed = store.activity(notes).confirmed;
    let seen = newest.as_ref().map_or(0, |newest| newest.id.seconds().max(confirmed));
    if let Some(Stored { snapshot, .. }) = &newest {
        index.observe(snapshot, seen, None);
    }
    let home = Home::new(&context.account.home);
    let rows = newest.as_ref().map_or(&[][..], |stored| &stored.snapshot.rows);
    let background = agents::backgrounded(rows, &home);
    notes.extend(home.take_all_notes());
    let in_background = Snapshot {
        rows: background.iter().map(history_index::row_of).collect(),
        ..Snapshot::default()
    };
    index.observe_new(&in_background, context.now);
    let Closings { endings, tombstones } = read_closings::read(&store, notes);
    let records = Records {
        endings,
        tombstones,
        seen,
        background: background.iter().map(|job| (job.conversation.key().into(), job)).collect(),
        rows: newest.iter().flat_map(|stored| &stored.snapshot.rows).filter_map(with_id).collect(),
    };
    let conversations = index.newest_first();
    let shown = if all { usize::MAX } else { USUAL };
    report.more = conversations.len().saturating_sub(shown);
    report.conversations =
        conversations.into_iter().take(shown).map(|c| records.describe(c)).collect();
    let mut closed = records.tombstones.0;
    closed.sort_by_key(|tombstone| std::cmp::Reverse(tombstone.closed));
    let closed = closed.into_iter().take(shown).map(|tombstone| ClosedSession {
        session: json_text(&tombstone.session),
        closed: tombstone.closed,
        reason: json_text(&tombstone.reason),
    });
    report.closed = closed.collect();
    report.snapshot = newest.as_ref().map(|newest| newest.id.to_string());
    Ok(())
}

fn with_id(row: &Row) -> Option<(Vec<u8>, &Row)> {
    Some((row.conversation_key()?, row))
}

/// What is recorded about conversations besides the index.
struct Records<'a> {
    endings: Endings,
    tombstones: Tombstones,
    /// When the newest snapshot was last up to date.
    seen: Epoch,
    /// The panes of the newest snapshot, by conversation.
    rows: HashMap<Vec<u8>, &'a Row>,
    /// What is in the background, by conversation.
    background: HashMap<Vec<u8>, &'a Backgrounded>,
}

impl Records<'_> {
    fn describe(&self, one: &Conversation) -> HistoryConversation {
        let row = self.rows.get(&one.id.to_ascii_lowercase()).copied();
        let (mut state, why) = self.state(one, row);
        let job = self.background.get(&one.id.to_ascii_lowercase());
        if job.is_some() {
            state = ConversationState::Background;
        }
        HistoryConversation {
            conversation: json_text(&one.id),
            agent: json_text(&one.agent),
            session: json_text(&one.session),
            cwd: json_text(&one.cwd),
            first_seen: one.first_seen,
            last_seen: one.last_seen,
            state,
            attach: job.map(|job| json_text(job.attach.as_bytes())),
            ended: why.as_ref().map(|(at, _)| *at),
            reason: why.map(|(_, reason)| json_text(&reason)),
        }
    }

    /// Its state now, by the newest snapshot and the recorded endings; with the time and the reason
    /// of its end, if one was recorded.
    fn state(
        &self,
        one: &Conversation,
        row: Option<&Row>,
    ) -> (ConversationState, Option<(Epoch, Vec<u8>)>) {
        // What is in the newest snapshot was there at least until then.
        let is_there = row.is_some_and(|row| row.state != State::Lost);
        let seen = if is_there { self.seen.max(one.last_seen) } else { one.last_seen };
        let of_it = |ending: &&Ending| {
            ending.conversation.eq_ignore_ascii_case(&one.id) && ending.ended >= seen
        };
        let ending = self.endings.0.iter().rfind(of_it);
        let recorded = ending.map(|ending| (ending.ended, ending.reason.clone()));
        if ending.is_some_and(|ending| ending.how == EndKind::Closed) {
            return (ConversationState::Closed, recorded);
        }
        let since =
            |tombstone: &&Tombstone| tombstone.session == one.session && tombstone.closed >= seen;
        if let Some(tombstone) = self.tombstones.0.iter().rfind(since) {
            return (ConversationState::Closed, Some((tombstone.closed, tombstone.reason.clone())));
        }
        let state = match row.map(|row| row.state) {
            Some(State::Live) => ConversationState::Live,
            Some(State::Suspended) => ConversationState::Suspended,
            Some(State::Lost) => ConversationState::Lost,
            Some(State::Shell) | None => ConversationState::Gone,
        };
        (state, recorded)
    }
}
