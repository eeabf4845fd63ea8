//! What Codex keeps of its threads: writer locks and rollouts, and the record of its daemon.

use crate::agent::conversation::ConversationId;
use crate::agent::home::Home;
use crate::agent::messages::{Stored, Visit};
use crate::process::{Proc, base_name};
use crate::sys::Dir;
use chrono::{DateTime, Datelike, Days, NaiveDate};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Held open by the process that writes a thread, from the start, as `<uuid>.lock`.
pub(super) const LOCKS: &str = "thread-writer-locks";
/// Transcripts from the first prompt on: `Y/M/D/rollout-<time>-<uuid>.jsonl`.
pub(super) const ROLLOUTS: &str = "sessions";
/// The record of the shared daemon.
const DAEMON: (&str, &str) = ("app-server-daemon", "daemon.pid");
/// Maximum number of rollouts of one day, and of locks, that are read.
const MAX_LISTED: usize = 100_000;
/// With more rollouts since the start than this, none is guessed.
const MAX_GUESSED_AMONG: usize = 64;
/// Of a longer run, the first and the last days are searched.
const MAX_DAYS: u64 = 3;
/// Maximum size of the first line of a rollout, in bytes.
const MAX_FIRST_LINE: u64 = 64 << 10;

/// The thread whose writer lock a file is.
pub(super) fn locked(file: &Path) -> Option<ConversationId> {
    let in_locks = file.parent()?.file_name()? == LOCKS;
    let id = ConversationId::parse(file.file_name()?.as_bytes().strip_suffix(b".lock")?)?;
    in_locks.then_some(id)
}

pub(super) fn is_rollout_of(file: &OsStr, id: &ConversationId) -> bool {
    rollout_id(file).as_ref() == Some(id)
}

/// The thread whose rollout a file is.
fn rollout_id(file: &OsStr) -> Option<ConversationId> {
    let name = base_name(file.as_bytes()).strip_prefix(b"rollout-")?.strip_suffix(b".jsonl")?;
    ConversationId::parse(name.get(name.len().checked_sub(36)?..)?)
}

/// Visits the rollouts of all threads. Links among their folders are not followed.
pub(super) fn visit(home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
    match home.dir(home.codex().join(ROLLOUTS)) {
        Some(root) => visit_below(&root, 3, visit),
        None => ControlFlow::Continue(()),
    }
}

/// `depth` folders below, of years, months and days, are rollouts.
fn visit_below(dir: &Dir, depth: usize, visit: &mut Visit<'_>) -> ControlFlow<()> {
    for name in dir.names(MAX_LISTED).ok().flatten().unwrap_or_default() {
        if depth > 0 {
            let Ok(folder) = dir.open_dir(&name) else { continue };
            visit_below(&folder, depth - 1, visit)?;
        } else if let Some(id) = rollout_id(&name) {
            visit(&Stored { dir, file: &name, id })?;
        }
    }
    ControlFlow::Continue(())
}

/// A thread's id is a `UUIDv7`: it says when it was minted, and the rollout lies in the folder of
/// that day, in local time: so in one of three.
pub(super) fn rollout(id: &ConversationId, home: &Home) -> Option<(Rc<Dir>, OsString)> {
    let minted = day_minted(id.key())?;
    around(minted).find_map(|day| {
        let dir = rollouts_of(day, home)?;
        let name = dir.names(MAX_LISTED).ok()??.into_iter().find(|name| is_rollout_of(name, id))?;
        Some((dir, name))
    })
}

/// The one thread whose id begins so, among the locks and the rollouts.
pub(super) fn completed(beginning: &str, home: &Home) -> Option<ConversationId> {
    let is_it = |id: &ConversationId| id.key().starts_with(beginning);
    let locks = home.dir(home.codex().join(LOCKS)).and_then(|dir| dir.names(MAX_LISTED).ok()?);
    let lock = |name: &OsString| ConversationId::parse(name.as_bytes().strip_suffix(b".lock")?);
    let locked = locks.unwrap_or_default().iter().filter_map(lock).find(is_it);
    locked.or_else(|| {
        around(day_minted(beginning)?).find_map(|day| {
            let names = rollouts_of(day, home)?.names(MAX_LISTED).ok()??;
            names.iter().filter_map(|name| rollout_id(name)).find(is_it)
        })
    })
}

/// The threads that a program may have prompted, by their rollouts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prompted {
    /// None: nothing was said in any.
    Nothing,
    /// This one alone: a guess.
    Only(ConversationId),
    /// Several, too many to look at, or not all could be read.
    Unclear,
}

/// Which threads of a directory have rollouts that were written since `started`, in seconds since the
/// epoch. Only those count that `may_be` admits, by their ids and those of their parents.
pub(super) fn rollouts_since(
    started: u64,
    cwd: &Path,
    may_be: &dyn Fn(&ConversationId, Option<&ConversationId>) -> bool,
    home: &Home,
) -> Prompted {
    if !home.may_touch(home.codex()) {
        return Prompted::Unclear;
    }
    let (days, are_all) = days_since(started);
    let mut candidates = Vec::new();
    for day in days {
        let Some(dir) = rollouts_of(day, home) else { continue };
        let Ok(Some(names)) = dir.names(MAX_LISTED) else { return Prompted::Unclear };
        for name in names {
            let written =
                dir.stat(&name).ok().flatten().and_then(|s| u64::try_from(s.st_mtime).ok());
            if written.is_none_or(|written| written < started) {
                continue;
            }
            candidates.extend(rollout_id(&name).map(|id| (id, dir.clone(), name)));
            if candidates.len() > MAX_GUESSED_AMONG {
                return Prompted::Unclear;
            }
        }
    }
    let is_one = |id: &ConversationId, dir: &Dir, name: &OsStr| {
        let Some(start) = beginning(dir, name) else { return false };
        start.cwd.as_deref() == Some(cwd) && may_be(id, start.parent.as_ref())
    };
    candidates.retain(|(id, dir, name)| is_one(id, dir, name));
    match &candidates[..] {
        [] if are_all => Prompted::Nothing,
        [(only, ..)] => Prompted::Only(only.clone()),
        _ => Prompted::Unclear,
    }
}

/// What the first line of a rollout says.
struct Beginning {
    cwd: Option<PathBuf>,
    /// The thread that it is a copy of.
    parent: Option<ConversationId>,
}

fn beginning(dir: &Dir, name: &OsStr) -> Option<Beginning> {
    let start = dir.read_start(name, MAX_FIRST_LINE).ok()?;
    let first = start.split(|&byte| byte == b'\n').next()?;
    let line: Value = serde_json::from_slice(first).ok()?;
    let text = |field: &str| line["payload"][field].as_str();
    Some(Beginning {
        cwd: text("cwd").map(PathBuf::from),
        parent: text("forked_from_id").and_then(|id| ConversationId::parse(id.as_bytes())),
    })
}

/// Whether the shared daemon runs, which then holds the files of all threads.
pub(super) fn has_daemon(home: &Home, proc: &Proc) -> bool {
    let running = || {
        let dir = home.dir(home.codex().join(DAEMON.0))?;
        let record: Value =
            serde_json::from_slice(&dir.read(DAEMON.1, MAX_FIRST_LINE).ok()?).ok()?;
        let pid = i32::try_from(record["pid"].as_i64()?).ok()?;
        let start = &record["processIdentity"]["startTicks"];
        let start = start.as_u64().or_else(|| start.as_str()?.parse().ok());
        let runs = proc.stat(pid)?;
        Some(start.is_none_or(|start| start == runs.start))
    };
    running().unwrap_or(false)
}

fn rollouts_of(day: NaiveDate, home: &Home) -> Option<Rc<Dir>> {
    let folder = format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day());
    home.dir(home.codex().join(ROLLOUTS).join(folder))
}

/// The day, in UTC, on which an id was minted; its beginning is enough.
pub(super) fn day_minted(id: &str) -> Option<NaiveDate> {
    let digits: String = id.chars().filter(|c| *c != '-').take(12).collect();
    let milliseconds = i64::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 12)?;
    Some(DateTime::from_timestamp_millis(milliseconds)?.date_naive())
}

/// A day in UTC in all local times.
pub(super) fn around(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let days = [Some(day), day.checked_sub_days(Days::new(1)), day.checked_add_days(Days::new(1))];
    days.into_iter().flatten()
}

/// The days on which a program that was started then may have begun threads, and whether these are all.
fn days_since(started: u64) -> (Vec<NaiveDate>, bool) {
    let day = |seconds: u64| {
        Some(DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?.date_naive())
    };
    let (Some(first), Some(last)) = (day(started), day(crate::sys::clock::now())) else {
        return (Vec::new(), false);
    };
    let mut days: Vec<NaiveDate> = around(first).chain(around(last)).collect();
    let between = (1..MAX_DAYS).filter_map(|n| first.checked_add_days(Days::new(n)));
    days.extend(between.filter(|day| *day < last));
    days.sort();
    days.dedup();
    let are_all = days.windows(2).all(|two| two[0].succ_opt() == Some(two[1]));
    (days, are_all)
}
