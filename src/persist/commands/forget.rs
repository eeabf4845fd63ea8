//! `forget`: records that sessions, or agents, were closed on purpose.

use crate::persist::capture::BUILDER_PREFIX;
use crate::persist::context::Context;
use crate::persist::report::{ForgetReport, Problem, Report};
use crate::persist::restore::selection::{self, Match};
use crate::persist::restore::session_name;
use crate::persist::save::save;
use crate::snapshot::{Ending, Endings, How, Row, State, Stored, Tombstone};
use crate::sys::fs;
use crate::text::json_text;
use crate::tmux::{Listing, TmuxError, command};
use std::collections::BTreeSet;

/// Records what the words name as closed now: snapshots that are not newer do not bring it back.
/// With `kill`, live sessions among it are ended; they are saved before, so that what was renamed or
/// moved since the last save is closed under the name that it has now.
pub fn forget(context: &Context, words: &[String], reason: &str, kill: bool) -> Report {
    let mut forgotten = ForgetReport { closed: context.now, ..ForgetReport::default() };
    if kill && let Some(problem) = save(context).problem() {
        forgotten.notes.push(format!("not saved before: {}", problem.message));
    }
    let done = try_forget(context, words, reason, kill, &mut forgotten);
    forgotten.error = done.err();
    Report::Forget(forgotten)
}

fn try_forget(
    context: &Context,
    words: &[String],
    reason: &str,
    kill: bool,
    forgotten: &mut ForgetReport,
) -> Result<(), Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::failed(&error);
    let mut store = context.writable_store().map_err(|e| failed(&e))?;
    let lock = store.lock(context.lock_wait).map_err(|e| failed(&e))?;
    let notes = &mut forgotten.notes;
    let newest = store.newest(notes).map_err(|e| failed(&e))?.map(|(_, stored)| stored);
    let named = name_all(words, newest.as_ref(), notes)?;
    let mut tombstones = store.tombstones(notes).map_err(|e| failed(&e))?;
    // A snapshot may be ahead of a clock that went back; closing comes after it all the same.
    let closed = context.now.max(newest.as_ref().map_or(0, |stored| stored.id.seconds()));
    let live = context.server.list().ok().flatten().unwrap_or_default();
    let (mut sessions, mut conversations, mut endings) = (Vec::new(), Vec::new(), Vec::new());
    for named in &named {
        match named {
            Match::Session(session) => {
                tombstones.0.retain(|old| old.session != *session);
                let reason = reason.into();
                tombstones.0.push(Tombstone { session: session.clone(), closed, reason });
                sessions.push(session);
            }
            Match::Conversation(id) => {
                let of = |row: &&Row| row.conversation.as_deref() == Some(id.as_str().as_bytes());
                let row = newest.as_ref().and_then(|stored| stored.snapshot.rows.iter().find(of));
                let live = row.filter(|row| matches!(row.state, State::Live | State::Suspended));
                notes.extend(live.map(|row| {
                    let place = row.label();
                    format!("{id} is live in {place}: unless it ends, a later save keeps it again")
                }));
                endings.push(Ending {
                    session: row.map_or_else(Vec::new, |row| row.session.clone()),
                    ended: closed,
                    conversation: id.as_str().into(),
                    agent: row.and_then(|row| row.agent.clone()).unwrap_or_default(),
                    how: How::Closed,
                    reason: reason.into(),
                });
                conversations.push(id.as_str().to_owned());
            }
            Match::Several(_) | Match::None => {}
        }
    }
    // EndedReport before anything is ended: a death in between leaves nothing to come back.
    if !sessions.is_empty() {
        store.write_tombstones(&tombstones, &lock).map_err(|e| failed(&e))?;
    }
    if !endings.is_empty() {
        let add = |known: &mut Endings| endings.into_iter().for_each(|ending| known.add(ending));
        store.change_endings(context.lock_wait, notes, add).map_err(|e| failed(&e))?;
    }
    forgotten.sessions = sessions.iter().map(|session| json_text(session)).collect();
    forgotten.conversations = conversations;
    if kill {
        forgotten.killed = end(context, &live, &sessions).map_err(|e| failed(&e))?;
    } else {
        let is_live = |name: &&&Vec<u8>| live.panes.iter().any(|pane| pane.session == ***name);
        let live = sessions.iter().filter(is_live).map(|session| {
            let name = json_text(session);
            format!("{name} is still live: a save from now on keeps it again (--kill ends it)")
        });
        forgotten.notes.extend(live);
    }
    Ok(())
}

/// What each word names. A session that no snapshot knows is taken at its word.
fn name_all(
    words: &[String],
    newest: Option<&Stored>,
    notes: &mut Vec<String>,
) -> Result<Vec<Match>, Problem> {
    let nothing = Stored::default();
    let stored = newest.unwrap_or(&nothing);
    let find = |word: &String| match selection::find(word, stored) {
        Match::Several(count) => Err(selection::several(word, count, stored)),
        Match::None => {
            notes.push(format!(
                "the newest snapshot has no session '{word}'; recorded all the same"
            ));
            Ok(Match::Session(session_name::exact(word)))
        }
        found => Ok(found),
    };
    words.iter().map(find).collect()
}

/// Ends live sessions by tmux's ids of them; gives their number.
fn end(context: &Context, live: &Listing, names: &[&Vec<u8>]) -> Result<usize, TmuxError> {
    let panes = live.panes.iter().filter(|pane| names.contains(&&pane.session));
    let ids: BTreeSet<u32> = panes.map(|pane| pane.session_id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let name = format!("{BUILDER_PREFIX}{}", fs::random_hex());
    let mut connection = context.server.build(&name, std::path::Path::new("/"))?;
    let lines: Vec<_> = ids.iter().copied().map(command::kill_session).collect();
    connection.exchange(&lines)?; // one that is gone already is no harm
    connection.finish()?;
    Ok(ids.len())
}
