//! Whether an instance is busy, by what its database says: read by a process of the user's.

use crate::sys::accounts::{self, Account};
use crate::t3::user_process::{self, AskError};
use chrono::DateTime;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The part of the user's process.
const PART: &str = "activity";
const DEADLINE: Duration = Duration::from_secs(20);
/// How long a locked database is waited for.
const LOCKED: Duration = Duration::from_secs(3);
/// Maximum number of sessions whose times are looked at; more count as busy.
const MAX_SESSIONS: usize = 100_000;
/// Maximum length of a text of an answer, in characters.
const MAX_TEXT: usize = 500;

/// What is asked: whether there was activity in the last so many seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub idle_seconds: u64,
    /// Seconds since the epoch.
    pub now: u64,
    /// Whether to take the lock on its database for a moment, which another program may hold: only where the instance is
    /// about to be stopped, or is; before 0.0.34 it does not wait for a lock.
    pub takes_lock: bool,
}

/// What a database says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Why the instance must not be stopped now; `None` if it is idle.
    pub busy: Option<String>,
    /// What it says of its newest rows; empty if it is not known.
    pub mark: String,
    /// The highest migration that it has had.
    pub level: Option<i64>,
    /// Whether there is a database.
    pub has_data: bool,
}

/// Asks the user's process.
///
/// # Errors
/// If it does not answer: then the instance counts as busy.
pub fn of(user: &str, query: Query) -> Result<Activity, AskError> {
    of_account(&accounts::by_name(user)?, query)
}

/// The same of an account in another home.
pub fn of_account(account: &Account, query: Query) -> Result<Activity, AskError> {
    let answer: Activity = user_process::ask_as(account.clone(), PART, &query, DEADLINE)?;
    let clip = |text: String| text.chars().take(MAX_TEXT).collect::<String>();
    Ok(Activity { busy: answer.busy.map(clip), mark: clip(answer.mark), ..answer })
}

/// Reads the caller's own database.
pub fn answer(query: &Query) -> Activity {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    read(&crate::t3::paths::base(&home).join("userdata/state.sqlite"), query)
}

fn read(file: &Path, query: &Query) -> Activity {
    match file.try_exists() {
        Ok(true) => {}
        Ok(false) => return Activity::default(),
        Err(error) => return busy(&crate::text::io_reason(&error)),
    }
    look(file, query).unwrap_or_else(|error| busy(&error.to_string()))
}

/// Any doubt counts as busy.
fn busy(why: &str) -> Activity {
    let busy = Some(format!("its database cannot be read: {why}"));
    Activity { busy, has_data: true, ..Activity::default() }
}

fn look(file: &Path, query: &Query) -> rusqlite::Result<Activity> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(file, flags)?;
    database.busy_timeout(LOCKED)?;
    let level = "SELECT max(migration_id) FROM effect_sql_migrations";
    let level: Option<i64> = database.query_row(level, [], |row| row.get(0))?;
    let busy = why_busy(&database, query)?;
    if query.takes_lock && busy.is_none() {
        let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database.busy_timeout(LOCKED)?;
        database.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
    }
    Ok(Activity { busy, mark: mark(&database).unwrap_or_default(), level, has_data: true })
}

fn why_busy(database: &Connection, query: &Query) -> rusqlite::Result<Option<String>> {
    let mut sessions =
        database.prepare("SELECT active_turn_id, updated_at FROM projection_thread_sessions")?;
    let mut rows = sessions.query([])?;
    let (mut seen, mut newest) = (0, i64::MIN);
    while let Some(row) = rows.next()? {
        seen += 1;
        let turn: Option<String> = row.get(0)?;
        if turn.is_some_and(|turn| !turn.is_empty()) {
            return Ok(Some("a turn of an agent is active".to_owned()));
        }
        let updated: Option<String> = row.get(1)?;
        let time = updated.as_deref().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        let Some(time) = time else {
            return Ok(Some("a session has no time at which it was last changed".to_owned()));
        };
        if seen > MAX_SESSIONS {
            return Ok(Some(format!("it has more than {MAX_SESSIONS} sessions")));
        }
        newest = newest.max(time.timestamp());
    }
    if seen == 0 {
        return Ok(None);
    }
    let now = i64::try_from(query.now).unwrap_or(i64::MAX);
    let idle = now.saturating_sub(newest);
    if idle < 0 {
        return Ok(Some("a session was changed in the future".to_owned()));
    }
    let needed = i64::try_from(query.idle_seconds).unwrap_or(i64::MAX);
    Ok((idle < needed).then(|| format!("a session was changed {idle} s ago")))
}

/// The newest rows: of events, of sessions of agents and of browsers.
fn mark(database: &Connection) -> Result<String, rusqlite::Error> {
    let query = "SELECT printf('%s/%s/%s', \
                 (SELECT max(sequence) FROM orchestration_events), \
                 (SELECT max(updated_at) FROM projection_thread_sessions), \
                 (SELECT count(*) || ':' || coalesce(max(rowid), 0) FROM auth_sessions))";
    database.query_row(query, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000; // 2026-09-21T14:13:20Z

    fn of_rows(rows: &[(&str, &str)]) -> Activity {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state.sqlite");
        let database = Connection::open(&file).unwrap();
        database
            .execute_batch(
                "CREATE TABLE effect_sql_migrations (migration_id INTEGER); \
                 INSERT INTO effect_sql_migrations VALUES (32); \
                 CREATE TABLE orchestration_events (sequence INTEGER); \
                 CREATE TABLE auth_sessions (session_id TEXT); \
                 CREATE TABLE projection_thread_sessions (active_turn_id TEXT, updated_at TEXT);",
            )
            .unwrap();
        for (turn, time) in rows {
            let turn = (!turn.is_empty()).then_some(*turn);
            let insert = "INSERT INTO projection_thread_sessions VALUES (?1, ?2)";
            database.execute(insert, (turn, time)).unwrap();
        }
        read(&file, &Query { idle_seconds: 900, now: NOW, takes_lock: false })
    }

    #[test]
    fn only_what_is_surely_idle_is_idle() {
        let idle = of_rows(&[("", "2026-09-21T13:58:20.000Z"), ("", "2026-09-20T00:00:00Z")]);
        assert_eq!((idle.busy, idle.level), (None, Some(32)));
        assert_eq!(of_rows(&[]).busy, None);
        for (rows, why) in [
            (("", "2026-09-21T13:58:21Z"), "899 s ago"),
            (("turn", "2026-09-01T00:00:00Z"), "turn of an agent is active"),
            (("", "2026-09-21T14:13:21Z"), "future"),
            (("", "yesterday"), "no time"),
        ] {
            let busy = of_rows(&[("", "2026-09-01T00:00:00Z"), rows]).busy.unwrap_or_default();
            assert!(busy.contains(why), "{rows:?}: {busy}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_busy_and_what_is_absent_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state.sqlite");
        let query = Query { idle_seconds: 900, now: NOW, takes_lock: false };
        assert_eq!(read(&file, &query), Activity::default());
        std::fs::write(&file, "no database, and more than sixteen bytes of it").unwrap();
        assert!(read(&file, &query).busy.unwrap().contains("cannot be read"));
        std::fs::remove_file(&file).unwrap();
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        assert!(read(&file, &query).busy.unwrap().contains("no such table"));
    }
}
