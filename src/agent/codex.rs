//! Codex: every fact about it that we rely on, measured on codex-cli 0.171.0 and tested against
//! the real program in `tests/agents/`.

use super::conversation::ConversationId;
use super::{Agent, Description, Home, Observation, Rank, Resumption, Use, transcript};
use crate::process::{Proc, Process, base_name};
use crate::sys::Dir;
use chrono::{DateTime, Datelike, Days};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Codex.
#[derive(Debug)]
pub struct Codex;

/// Held open by the native process from the start, as `<uuid>.lock`.
const LOCKS: &str = "thread-writer-locks";
/// Transcripts from the first prompt on: `Y/M/D/rollout-<time>-<uuid>.jsonl`.
const ROLLOUTS: &str = ".codex/sessions";
/// Maximum number of rollouts of one day that are read.
const MAX_LISTED: usize = 100_000;

/// Subcommands that converse with no person. The shared daemon, a child of the program that started
/// it, holds the files of everybody's threads.
const SERVERS: [&[u8]; 4] = [b"app-server", b"exec-server", b"mcp-server", b"remote-control"];

impl Agent for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn runs(&self, process: &Process) -> Option<Use> {
        let asks_once = process.argv.iter().skip(1).take(2).any(|word| word == b"exec");
        let runs = if asks_once { Use::OneShot } else { Use::Conversation };
        looks_like_codex(&process.argv).then_some(runs)
    }

    /// The program is a node launcher with a native child; both look like Codex, and the native
    /// one holds the files that name the thread, unless a shared daemon holds them instead.
    fn observe(&self, process: &Process, _home: &Home) -> Option<Observation> {
        if !looks_like_codex(&process.argv) {
            return None;
        }
        let files = process.open_files();
        let held: BTreeSet<ConversationId> =
            files.iter().filter_map(|file| locked_thread(file)).collect();
        // After `/new` the old lock stays open: two name no thread.
        let exact = if held.len() == 1 { held.into_iter().next() } else { None };
        let prompted =
            exact.as_ref().map(|id| files.iter().any(|file| is_rollout_of(file.as_os_str(), id)));
        let conversation = exact
            .map(|id| (id, Rank::Files))
            .or_else(|| named_in_argv(&process.argv).map(|id| (id, Rank::Argv)));
        // A resumed thread has been prompted: others cannot be resumed.
        let prompted = prompted.or_else(|| conversation.as_ref().map(|_| true));
        Some(Observation { conversation, cwd: process.cwd(), prompted, descend: true })
    }

    /// Codex itself refuses a thread that is live elsewhere (its writer lock).
    fn live(&self, _: &Home, _: &Proc, _: &BTreeSet<i32>) -> Vec<(ConversationId, i32)> {
        Vec::new()
    }

    fn is_prompted(&self, id: &ConversationId, _cwd: &Path, home: &Home) -> bool {
        rollout(id, home).is_some()
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let (dir, file) = rollout(id, home)?;
        let file = file.to_str()?;
        transcript::describe(&dir, file, |line| line["payload"]["cwd"].as_str(), title)
    }

    fn resumption(
        &self,
        id: &ConversationId,
        _cwd: &Path,
        prompted: Option<bool>,
        home: &Home,
    ) -> Resumption {
        if rollout(id, home).is_some() {
            return Resumption::Resume;
        }
        match prompted {
            Some(false) => Resumption::StartAnew,
            Some(true) => Resumption::Impossible(format!("the transcript of {id} is gone")),
            None => Resumption::Impossible(format!("there is no transcript of {id}")),
        }
    }
}

fn looks_like_codex(argv: &[Vec<u8>]) -> bool {
    let called = |word: &Vec<u8>| matches!(base_name(word), b"codex" | b"codex.js");
    let rest = match argv {
        [program, script, rest @ ..] if base_name(program) == b"node" && called(script) => rest,
        [program, rest @ ..] if called(program) => rest,
        _ => return false,
    };
    !rest.first().is_some_and(|word| SERVERS.contains(&word.as_slice()))
}

fn locked_thread(file: &Path) -> Option<ConversationId> {
    let in_locks = file.parent()?.file_name()? == LOCKS;
    let id = ConversationId::parse(file.file_name()?.as_bytes().strip_suffix(b".lock")?)?;
    in_locks.then_some(id)
}

/// `codex resume <uuid>`, options anywhere between.
fn named_in_argv(argv: &[Vec<u8>]) -> Option<ConversationId> {
    let resume = argv.iter().position(|word| word == b"resume")?;
    argv[resume + 1..].iter().find_map(|word| ConversationId::parse(word))
}

fn is_rollout_of(file: &OsStr, id: &ConversationId) -> bool {
    let name = base_name(file.as_bytes());
    name.starts_with(b"rollout-") && name.ends_with(format!("-{id}.jsonl").as_bytes())
}

/// A thread's id is a `UUIDv7`: it says when it was minted, and the rollout lies in the folder of
/// that day, in local time: so in one of three.
fn rollout(id: &ConversationId, home: &Home) -> Option<(Rc<Dir>, OsString)> {
    days(id).iter().find_map(|day| {
        let dir = home.dir(Path::new(ROLLOUTS).join(day))?;
        let names = dir.names(MAX_LISTED).ok()??;
        let name = names.into_iter().find(|name| is_rollout_of(name, id))?;
        Some((dir, name))
    })
}

/// The first thing the user said; what Codex itself puts into a user's mouth begins with a tag or
/// with the heading of its instructions.
fn title(line: &Value) -> Option<&str> {
    let payload = &line["payload"];
    let said = payload["type"] == "message" && payload["role"] == "user";
    let text = payload["content"][0]["text"].as_str().filter(|_| said)?;
    (!text.trim_start().starts_with(['<', '#'])).then_some(text)
}

fn days(id: &ConversationId) -> Vec<PathBuf> {
    let milliseconds = i64::from_str_radix(&id.as_str().replace('-', "")[..12], 16).unwrap_or(0);
    let Some(minted) = DateTime::from_timestamp_millis(milliseconds) else { return Vec::new() };
    let day = minted.date_naive();
    let around =
        [Some(day), day.checked_sub_days(Days::new(1)), day.checked_add_days(Days::new(1))];
    let folder = |day: chrono::NaiveDate| {
        PathBuf::from(format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day()))
    };
    around.into_iter().flatten().map(folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minted at 2026-11-20 23:30 UTC.
    const ID: &str = "019aa38a-b2c0-7000-8000-000000000001";

    fn id() -> ConversationId {
        ConversationId::parse(ID.as_bytes()).unwrap()
    }

    #[test]
    fn the_day_of_a_thread_is_in_its_id() {
        let minted = i64::from_str_radix(&ID.replace('-', "")[..12], 16).unwrap();
        let day = DateTime::from_timestamp_millis(minted).unwrap().date_naive();
        let expected = format!("{}", day.format("%Y/%m/%d"));
        assert_eq!(days(&id())[0], PathBuf::from(expected));
        assert_eq!(days(&id()).len(), 3);
    }

    #[test]
    fn a_codex_that_serves_others_is_no_conversation() {
        let looks = |words: &[&str]| {
            looks_like_codex(&words.iter().map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>())
        };
        for words in [&["codex"][..], &["node", "/x/codex.js", "resume", ID], &["/x/codex", "-m"]] {
            assert!(looks(words), "{words:?}");
        }
        for words in [
            &["/x/codex", "app-server", "--listen", "unix://"][..],
            &["node", "/x/codex", "mcp-server"],
            &["vim", "codex"],
            &[],
        ] {
            assert!(!looks(words), "{words:?}");
        }
    }

    #[test]
    fn files_and_arguments_name_a_thread() {
        let lock = format!("/h/.codex/thread-writer-locks/{ID}.lock");
        assert_eq!(locked_thread(Path::new(&lock)), Some(id()));
        assert_eq!(locked_thread(Path::new(&format!("/h/elsewhere/{ID}.lock"))), None);
        let argv: Vec<Vec<u8>> =
            ["codex", "resume", "--no-daemon", ID].map(|w| w.as_bytes().to_vec()).into();
        assert_eq!(named_in_argv(&argv), Some(id()));
        assert_eq!(named_in_argv(&argv[..3]), None);
    }

    #[test]
    fn a_thread_comes_back_only_when_it_was_prompted() {
        let root = tempfile::tempdir().unwrap();
        let home = || Home::new(root.path());
        let back = |prompted| Codex.resumption(&id(), Path::new("/"), prompted, &home());
        assert_eq!(back(Some(false)), Resumption::StartAnew);
        assert!(matches!(back(Some(true)), Resumption::Impossible(_)));
        let day = root.path().join(ROLLOUTS).join(&days(&id())[1]);
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join(format!("rollout-2026-11-20T00-00-00-{ID}.jsonl")), "").unwrap();
        assert_eq!(back(Some(false)), Resumption::Resume);
    }
}
