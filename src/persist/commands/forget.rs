//! `forget`: records that sessions, or agents, were closed on purpose.

use crate::persist::capture::BUILDER_PREFIX;
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{ForgetReport, Report};
use crate::persist::restore::selection::{self, Match};
use crate::persist::restore::session_name;
use crate::persist::save::{history_index, save};
use crate::snapshot::{EndKind, Ending, Endings, Row, State, Store, Stored, Tombstone, Tombstones};
use crate::sys::clock::Epoch;
use crate::sys::fs;
use crate::sys::locks::Lock;
use crate::text::{escape, json_text};
use crate::tmux::{Listing, TmuxError, command};
use std::collections::BTreeSet;

/// Records the sessions and conversations that `words` name as closed now, so that a restore skips
/// them in existing snapshots. With `kill`, also ends the live sessions among them. They are saved
/// before, so that what was renamed or moved since the last save is closed under its present name.
///
/// # Errors
/// In the report, if a word names nothing that is live or was ever saved; nothing is recorded then.
pub fn forget(context: &Context, words: &[String], reason: &str, kill: bool) -> Report {
    let mut report = ForgetReport { closed: context.now, ..ForgetReport::default() };
    if kill && let Some(problem) = save(context).problem() {
        report.notes.push(format!("not saved before: {}", problem.message));
    }
    let done = try_forget(context, words, reason, kill, &mut report);
    report.error = done.err().map(Into::into);
    Report::Forget(report)
}

fn try_forget(
    context: &Context,
    words: &[String],
    reason: &str,
    kill: bool,
    report: &mut ForgetReport,
) -> Result<(), Error> {
    let mut store = context.writable_store()?;
    let lock = store.lock(context.lock_wait)?;
    let newest = store.newest(&mut report.notes)?.map(|(_, stored)| stored);
    let live = context.server.list().ok().flatten().unwrap_or_default();
    let matches = find_all(words, &store, newest.as_ref(), &live, &mut report.notes)?;
    // The newest snapshot may have a later time than now, if the clock was set back.
    let closed = context.now.max(newest.as_ref().map_or(0, |stored| stored.id.seconds()));
    let sessions: Vec<&[u8]> = matches.iter().filter_map(session).collect();
    let close = Close { closed, reason };
    // Recorded before a session is ended: an interruption in between loses nothing.
    close.sessions(&store, &lock, &sessions, &mut report.notes)?;
    close.conversations(context, &store, newest.as_ref(), &matches, report)?;
    report.sessions = sessions.iter().map(|session| json_text(session)).collect();
    if kill {
        report.killed = end(context, &live, &sessions)?;
    } else {
        let is_live = |name: &&&[u8]| live.panes.iter().any(|pane| pane.session == **name);
        report.notes.extend(sessions.iter().filter(is_live).map(|session| {
            let name = json_text(session);
            format!("{name} is still live: the next save keeps it again (--kill ends it)")
        }));
    }
    Ok(())
}

fn session(one: &Match) -> Option<&[u8]> {
    match one {
        Match::Session(name) => Some(name),
        Match::Conversation(_) | Match::Several(_) | Match::None => None,
    }
}

/// The time and the reason that are recorded.
struct Close<'a> {
    closed: Epoch,
    reason: &'a str,
}

impl Close<'_> {
    fn sessions(
        &self,
        store: &Store,
        lock: &Lock,
        sessions: &[&[u8]],
        notes: &mut Vec<String>,
    ) -> Result<(), Error> {
        // Read in any case: if the file cannot be read, `forget` must fail.
        let Tombstones(mut tombstones) = store.tombstones(notes)?;
        for session in sessions {
            tombstones.retain(|old| old.session != *session);
            let (session, closed, reason) = (session.to_vec(), self.closed, self.reason.into());
            tombstones.push(Tombstone { session, closed, reason });
        }
        if !sessions.is_empty() {
            store.write_tombstones(&Tombstones(tombstones), lock)?;
        }
        Ok(())
    }

    fn conversations(
        &self,
        context: &Context,
        store: &Store,
        newest: Option<&Stored>,
        matches: &[Match],
        report: &mut ForgetReport,
    ) -> Result<(), Error> {
        let mut endings = Vec::new();
        for one in matches {
            let Match::Conversation(id) = one else { continue };
            let of = |row: &&Row| row.conversation_key().as_deref() == Some(id.key().as_bytes());
            let row = newest.and_then(|stored| stored.snapshot.rows.iter().find(of));
            let live = row.filter(|row| matches!(row.state, State::Live | State::Suspended));
            report.notes.extend(live.map(|row| {
                let place = row.label();
                format!("{id} is live in {place}: unless it ends, the next save keeps it again")
            }));
            endings.push(Ending {
                session: row.map_or_else(Vec::new, |row| row.session.clone()),
                ended: self.closed,
                conversation: id.as_str().into(),
                agent: row.and_then(|row| row.agent.clone()).unwrap_or_default(),
                how: EndKind::Closed,
                reason: self.reason.into(),
            });
            report.conversations.push(id.as_str().to_owned());
        }
        if endings.is_empty() {
            return Ok(());
        }
        let add = |known: &mut Endings| endings.into_iter().for_each(|ending| known.add(ending));
        Ok(store.change_endings(context.lock_wait, &mut report.notes, add)?)
    }
}

/// What each word names: in the newest snapshot, else a session that is live or in the history.
fn find_all(
    words: &[String],
    store: &Store,
    newest: Option<&Stored>,
    live: &Listing,
    notes: &mut Vec<String>,
) -> Result<Vec<Match>, Error> {
    let nothing = Stored::default();
    let stored = newest.unwrap_or(&nothing);
    let find = |word: &String| match selection::find(word, stored) {
        Match::Several(count) => Err(selection::ambiguous(word, count, stored)),
        Match::None => {
            let known = Known::sessions(store, stored, live)?;
            let names = known.names.iter().map(Vec::as_slice).collect();
            if let Some(name) = session_name::find(word, &names) {
                return Ok(Match::Session(name));
            }
            if !known.complete {
                // One of the snapshots that cannot be read may have it.
                notes.push(format!("no valid snapshot has a session '{word}'; recorded anyway"));
                return Ok(Match::Session(session_name::exact(word)));
            }
            let sessions = names.into_iter().map(escape).collect();
            Err(Error::UnknownSession { name: word.clone(), sessions })
        }
        found => Ok(found),
    };
    words.iter().map(find).collect()
}

/// The names of all sessions that are live, in a snapshot, or in the history of conversations.
struct Known {
    names: BTreeSet<Vec<u8>>,
    /// Whether every snapshot could be read.
    complete: bool,
}

impl Known {
    fn sessions(store: &Store, newest: &Stored, live: &Listing) -> Result<Self, Error> {
        let mut names: BTreeSet<Vec<u8>> = newest.session_names().map(<[u8]>::to_vec).collect();
        names.extend(live.panes.iter().map(|pane| pane.session.clone()));
        let (history, _) = history_index::read(store, &mut Vec::new())?;
        names.extend(history.newest_first().into_iter().map(|one| one.session.clone()));
        let mut complete = true;
        for id in store.ids()?.0.into_iter().filter(|id| *id != newest.id) {
            match store.read(id) {
                Ok((_, snapshot)) => names.extend(snapshot.rows.into_iter().map(|row| row.session)),
                Err(_) => complete = false,
            }
        }
        Ok(Self { names, complete })
    }
}

/// Ends live sessions, by tmux's ids of them; returns their number.
fn end(context: &Context, live: &Listing, names: &[&[u8]]) -> Result<usize, TmuxError> {
    let panes = live.panes.iter().filter(|pane| names.contains(&pane.session.as_slice()));
    let ids: BTreeSet<u32> = panes.map(|pane| pane.session_id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let name = format!("{BUILDER_PREFIX}{}", fs::random_hex());
    let mut connection = context.server.build(&name, std::path::Path::new("/"))?;
    let lines: Vec<_> = ids.iter().copied().map(command::kill_session).collect();
    connection.exchange(&lines)?; // a session that has ended meanwhile is no failure
    connection.finish()?;
    Ok(ids.len())
}
