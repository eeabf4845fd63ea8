//! Codex: every fact about it that we rely on, measured on codex-cli 0.171.0 and tested against
//! the real program in `tests/agents/`.

mod argv;
mod messages;
mod rest;
mod threads;
mod title;

use super::conversation::ConversationId;
use super::messages::{ReadLine, Visit};
use super::program::{self, CODEX};
use super::{
    Agent, CommandLine, Description, Home, Observation, Rank, Resumption, Saved, transcript,
};
use super::{Input, OwnAccount, Screen};
use crate::process::{Proc, Process};
use crate::sys::Dir;
use argv::Arguments;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use threads::{Prompted, completed, has_daemon, is_rollout_of, locked, rollout, rollouts_since};

/// Codex.
#[derive(Debug)]
pub struct Codex;

impl Agent for Codex {
    fn name(&self) -> &'static str {
        CODEX
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        let arguments = arguments(process)?;
        let (converses, asks_once) = (arguments.converses(), arguments.asks_once());
        Some(CommandLine::new(converses, asks_once, arguments.is_service()))
    }

    fn is_view(&self, argv: &[Vec<u8>]) -> bool {
        program::of(argv, || None).and_then(Arguments::of).is_some_and(Arguments::is_view)
    }

    /// The program is a node launcher with a native child; both look like Codex, and the native
    /// one holds the files that name the thread, unless a shared daemon holds them instead.
    fn observe(&self, process: &Process, title: &[u8], home: &Home) -> Option<Observation> {
        let arguments = arguments(process).filter(|arguments| arguments.converses())?;
        let files = process.open_files();
        let held: BTreeSet<ConversationId> = files.iter().filter_map(|file| locked(file)).collect();
        let parent = arguments.forked();
        let cwd = process.cwd();
        let titled = title::beginning(title);
        let shown = || completed(titled.as_ref()?, home);
        let seen = Observation { descend: true, parent, ..Observation::default() };
        // After `/new` the old lock stays open: the ids are ordered by the time they were minted.
        if let Some(latest) = held.last() {
            let shown = shown().filter(|id| held.contains(id));
            let id = shown.unwrap_or_else(|| latest.clone());
            let prompted = files.iter().any(|file| is_rollout_of(file.as_os_str(), &id));
            let (prompted, conversation) = (Some(prompted), Some((id, Rank::Files)));
            return Some(Observation { conversation, cwd, prompted, ..seen });
        }
        let is_prompted = |id: &ConversationId| Some(rollout(id, home).is_some());
        if let Some(id) = shown() {
            let prompted = is_prompted(&id);
            let conversation = Some((id, Rank::Title));
            return Some(Observation { conversation, cwd, prompted, ..seen });
        }
        if titled.is_some() {
            // The thread has neither lock nor rollout: nothing was said in it.
            return Some(Observation { cwd, prompted: Some(false), ..seen });
        }
        let serves = || !arguments.is_alone() && has_daemon(home, &Proc::default());
        if let Some(id) = arguments.resumed() {
            // With the daemon nothing else follows `/new`. A resumed thread has been prompted: others
            // cannot be resumed.
            let rank = if serves() { Rank::Transcript } else { Rank::Argv };
            let (prompted, conversation) = (Some(true), Some((id, rank)));
            return Some(Observation { conversation, cwd, prompted, ..seen });
        }
        let directory = cwd.as_deref().map(|cwd| arguments.directory(Path::new(cwd)));
        let since = directory.zip(process.started()).map(|(directory, started)| {
            let wanted = seen.parent.as_ref();
            let may_be = |_: &ConversationId, parent: Option<&ConversationId>| {
                wanted.is_none() || parent == wanted
            };
            rollouts_since(started, &home.resolved(&directory), &may_be, home)
        });
        let (conversation, prompted) = match since {
            Some(Prompted::Only(id)) => (Some((id, Rank::Transcript)), Some(true)),
            // A copy is on disk as soon as it exists, and a picker shows all threads.
            Some(Prompted::Nothing) if arguments.begins_anew() => (None, Some(false)),
            _ => (None, None),
        };
        Some(Observation { conversation, cwd, prompted, ..seen })
    }

    fn proves_closes(&self) -> bool {
        true
    }

    fn is_prompted(&self, id: &ConversationId, _cwd: &Path, home: &Home) -> bool {
        rollout(id, home).is_some()
    }

    fn messages(&self) -> Option<ReadLine> {
        Some(messages::said)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let (dir, file) = rollout(id, home)?;
        self.describe_file(&dir, file.to_str()?)
    }

    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        threads::visit(home, visit)
    }

    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        transcript::describe(dir, file, |line| line["payload"]["cwd"].as_str(), title_of)
    }

    fn prompted_since(
        &self,
        since: u64,
        cwd: &Path,
        known: &BTreeSet<ConversationId>,
        home: &Home,
    ) -> Option<ConversationId> {
        let may_be = |id: &ConversationId, _: Option<&ConversationId>| !known.contains(id);
        match rollouts_since(since, &home.resolved(cwd), &may_be, home) {
            Prompted::Only(id) => Some(id),
            Prompted::Nothing | Prompted::Unclear => None,
        }
    }

    /// Only of a process that writes its thread itself: the shared daemon goes on with a thread when the
    /// process that shows it has ended.
    fn account(&self, process: &Process, id: &ConversationId, home: &Home) -> Option<OwnAccount> {
        process.open_files().iter().any(|file| locked(file).as_ref() == Some(id)).then_some(())?;
        let (dir, file) = rollout(id, home)?;
        let doing = rest::doing(&dir.read_end(&file, transcript::START).ok()?)?;
        let written = dir.stat(&file).ok()??.st_mtime;
        Some(OwnAccount { doing, since: u64::try_from(written).ok() })
    }

    fn model(&self, id: &ConversationId, _cwd: &Path, home: &Home) -> Option<String> {
        let (dir, file) = rollout(id, home)?;
        transcript::last_model(&dir.read_end(file, transcript::START).ok()?)
    }

    fn input(&self, screen: &Screen) -> Input {
        rest::input(screen)
    }

    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        let Saved { id, prompted, .. } = *saved;
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

fn arguments(process: &Process) -> Option<Arguments<'_>> {
    Arguments::of(program::of(&process.argv, || process.executable_name())?)
}

/// The first thing the user said; what Codex itself puts into a user's mouth begins with a tag or
/// with the heading of its instructions.
fn title_of(line: &Value) -> Option<&str> {
    let payload = &line["payload"];
    let said = payload["type"] == "message" && payload["role"] == "user";
    let text = payload["content"][0]["text"].as_str().filter(|_| said)?;
    (!text.trim_start().starts_with(['<', '#'])).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::threads::{ROLLOUTS, around, day_minted};
    use super::*;
    use chrono::DateTime;
    use std::path::PathBuf;

    const ID: &str = "019aa38a-b2c0-7000-8000-000000000001";
    const PARENT: &str = "019aa38a-b2c0-7000-8000-00000000000f";

    fn id() -> ConversationId {
        ConversationId::parse(ID.as_bytes()).unwrap()
    }

    fn day() -> chrono::NaiveDate {
        day_minted(ID).unwrap()
    }

    #[test]
    fn the_day_of_a_thread_is_in_its_id() {
        let minted = i64::from_str_radix(&ID.replace('-', "")[..12], 16).unwrap();
        assert_eq!(day(), DateTime::from_timestamp_millis(minted).unwrap().date_naive());
        assert_eq!(day_minted(&ID[..29]), Some(day()));
        assert_eq!(around(day()).count(), 3);
        assert_eq!(day_minted("019a"), None);
    }

    #[test]
    fn files_name_a_thread() {
        let lock = format!("/h/.codex/thread-writer-locks/{ID}.lock");
        assert_eq!(locked(Path::new(&lock)), Some(id()));
        assert_eq!(locked(Path::new(&format!("/h/elsewhere/{ID}.lock"))), None);
        let rollout = format!("/x/rollout-2026-11-20T00-00-00-{}.jsonl", ID.to_uppercase());
        assert!(is_rollout_of(rollout.as_ref(), &id()));
        assert!(!is_rollout_of("rollout-.jsonl".as_ref(), &id()));
    }

    /// A home with the rollout of a thread of `cwd`.
    fn world(cwd: &str) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let days: Vec<_> = around(day()).collect();
        let folder = days[1].format("%Y/%m/%d").to_string();
        let folder = root.path().join(".codex").join(ROLLOUTS).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let rollout = folder.join(format!("rollout-2026-11-20T00-00-00-{ID}.jsonl"));
        std::fs::write(&rollout, format!("{{\"payload\":{{\"cwd\":\"{cwd}\"}}}}\n{{}}\n")).unwrap();
        (root, rollout)
    }

    #[test]
    fn a_thread_comes_back_only_when_it_was_prompted() {
        let (root, rollout) = world("/");
        let back = |prompted| {
            let (id, cwd) = (&id(), Path::new("/"));
            let saved = Saved { id, cwd, prompted, parent: None, version: None };
            Codex.resumption(&saved, &Home::new(root.path()))
        };
        assert_eq!(back(Some(false)), Resumption::Resume);
        std::fs::remove_file(rollout).unwrap();
        assert_eq!(back(Some(false)), Resumption::StartAnew);
        assert!(matches!(back(Some(true)), Resumption::Impossible(_)));
    }

    #[test]
    fn the_beginning_of_an_id_is_completed_from_locks_and_rollouts() {
        let (root, rollout) = world("/");
        let complete = |shown: &str| completed(shown, &Home::new(root.path()));
        assert_eq!(complete(&ID[..29]), Some(id()));
        assert_eq!(complete("019aa38a-b2c0-7000-8000-00001"), None);
        std::fs::remove_file(rollout).unwrap();
        assert_eq!(complete(&ID[..29]), None);
        let locks = root.path().join(".codex").join(threads::LOCKS);
        std::fs::create_dir_all(&locks).unwrap();
        std::fs::write(locks.join(format!("{ID}.lock")), "").unwrap();
        assert_eq!(complete(&ID[..29]), Some(id()));
    }

    #[test]
    fn the_only_rollout_of_a_directory_since_the_start_is_a_guess() {
        let (root, rollout) = world("/work");
        // The program is as old as the thread; the rollout is written now.
        let minted = i64::from_str_radix(&ID.replace('-', "")[..12], 16).unwrap();
        let started = u64::try_from(minted).unwrap() / 1000;
        let since = |cwd: &str, parent: Option<&ConversationId>| {
            let may_be =
                |_: &ConversationId, of: Option<&ConversationId>| parent.is_none() || of == parent;
            rollouts_since(started, Path::new(cwd), &may_be, &Home::new(root.path()))
        };
        let guess = |cwd: &str| since(cwd, None);
        let only = || Prompted::Only(id());
        assert_eq!(guess("/work"), only());
        // Between the days of the thread and today are others, which are not searched.
        assert_eq!(guess("/other"), Prompted::Unclear);
        let now = crate::sys::clock::now();
        let young = rollouts_since(now, Path::new("/other"), &|_, _| true, &Home::new(root.path()));
        assert_eq!(young, Prompted::Nothing);
        let other = rollout.to_str().unwrap().replace("0001.jsonl", "0002.jsonl");
        std::fs::copy(&rollout, &other).unwrap();
        assert_eq!(guess("/work"), Prompted::Unclear, "two");
        let parent = ConversationId::parse(PARENT.as_bytes()).unwrap();
        let copy =
            format!("{{\"payload\":{{\"cwd\":\"/work\",\"forked_from_id\":\"{PARENT}\"}}}}\n");
        std::fs::write(&rollout, copy).unwrap();
        assert_eq!(since("/work", Some(&parent)), only(), "the copy");
        std::fs::write(&other, "{\"payload\":{\"cwd\":\"/other\"}}\n").unwrap();
        assert_eq!(guess("/work"), only());
        assert!(matches!(guess("/other"), Prompted::Only(other) if other != id()));
    }

    #[test]
    fn only_a_daemon_that_runs_holds_the_files_of_others() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join(".codex/app-server-daemon");
        std::fs::create_dir_all(&dir).unwrap();
        let proc = Proc::default();
        let has = || has_daemon(&Home::new(root.path()), &proc);
        assert!(!has());
        let pid = i32::try_from(std::process::id()).unwrap();
        let start = proc.stat(pid).unwrap().start;
        let write = |start: u64| {
            let text = format!(r#"{{"pid":{pid},"processIdentity":{{"startTicks":{start}}}}}"#);
            std::fs::write(dir.join("daemon.pid"), text).unwrap();
        };
        write(start);
        assert!(has());
        write(start + 1);
        assert!(!has());
    }
}
