//! A consistent copy of the database while its server writes: `VACUUM INTO`, in one read transaction. (The library's
//! own interface for backups begins anew with each write of another process, and never ends on a busy database.)

use super::UserError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::path::Path;
use std::time::{Duration, Instant};

/// How many steps of a statement are made between two looks at the clock.
const STEPS: i32 = 20_000;
/// How many faults of a database are reported.
const MAX_FAULTS: u32 = 5;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) pages: u64,
    pub(super) page_bytes: u64,
    /// The highest migration.
    pub(super) migration_level: Option<i64>,
}

/// A database that is open for copying.
pub(super) struct Source {
    connection: Connection,
    until: Instant,
    seconds: u64,
}

impl Source {
    /// Opens the database; nothing of it is made or changed. A lock is waited for until `until`.
    pub(super) fn open(path: &Path, until: Instant, seconds: u64) -> Result<Self, UserError> {
        // For a database that has a log, reading needs the right to write beside it.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = open(path, flags, until)
            .map_err(|source| failed("opening the database", seconds, source))?;
        Ok(Self { connection, until, seconds })
    }

    /// The size that a copy will have at most, in bytes.
    pub(super) fn size(&self) -> Result<u64, UserError> {
        let number = |pragma: &str| {
            let number = self.connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
            number
                .map(i64::unsigned_abs)
                .map_err(|source| self.failed("reading the database", source))
        };
        let (pages, free) = (number("PRAGMA page_count")?, number("PRAGMA freelist_count")?);
        Ok(pages.saturating_sub(free).saturating_mul(number("PRAGMA page_size")?))
    }

    /// Copies it to a new file.
    pub(super) fn copy_to(&self, path: &Path) -> Result<(), UserError> {
        let name = path.to_str().ok_or_else(|| UserError::Unusable {
            path: path.to_owned(),
            why: "not a UTF-8 name".to_owned(),
        })?;
        self.connection.execute("VACUUM INTO ?1", [name]).map_err(|source| {
            // A statement that is interrupted while it waits says that it is locked.
            self.failed("copying the database", source)
        })?;
        Ok(())
    }

    fn failed(&self, doing: &'static str, source: rusqlite::Error) -> UserError {
        let late = Instant::now() >= self.until;
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) if late => {
                UserError::Deadline {
                    doing: "waiting for the locked database",
                    seconds: self.seconds,
                }
            }
            _ => failed(doing, self.seconds, source),
        }
    }
}

/// Checks a copy through and through, and reads what it holds.
pub(super) fn check(path: &Path, until: Instant, seconds: u64) -> Result<Facts, UserError> {
    let doing = "checking the copy";
    let failed = |source| failed(doing, seconds, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let copy = open(path, flags, until).map_err(failed)?;
    let mut check =
        copy.prepare(&format!("PRAGMA integrity_check({MAX_FAULTS})")).map_err(failed)?;
    let lines = check.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(failed)?;
    if lines != ["ok"] {
        return Err(UserError::Corrupt(lines.join("; ")));
    }
    let number =
        |pragma: &str| copy.query_row(pragma, [], |row| row.get::<_, i64>(0)).map_err(failed);
    let has_migrations = copy
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'effect_sql_migrations'", [], |_| {
            Ok(())
        })
        .optional()
        .map_err(failed)?
        .is_some();
    let migration_level = if has_migrations {
        let level = "SELECT max(migration_id) FROM effect_sql_migrations";
        copy.query_row(level, [], |row| row.get(0)).map_err(failed)?
    } else {
        None
    };
    Ok(Facts {
        pages: number("PRAGMA page_count")?.unsigned_abs(),
        page_bytes: number("PRAGMA page_size")?.unsigned_abs(),
        migration_level,
    })
}

fn open(path: &Path, flags: OpenFlags, until: Instant) -> rusqlite::Result<Connection> {
    let mut connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // What the server has not moved from its log to the database yet is its own affair.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let left = until.saturating_duration_since(Instant::now());
    connection.busy_timeout(left.max(Duration::from_millis(1)))?;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= until))?;
    Ok(connection)
}

fn failed(doing: &'static str, seconds: u64, source: rusqlite::Error) -> UserError {
    match source.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => UserError::Deadline { doing, seconds },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            UserError::Corrupt(format!("{doing}: {source}"))
        }
        _ => UserError::Database { doing, source },
    }
}
