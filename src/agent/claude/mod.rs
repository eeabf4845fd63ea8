//! Claude Code: every fact about it that we rely on, measured on 2.1.332 and tested against the
//! real program in `tests/agents/`.

mod argv;
mod jobs;
mod messages;
mod record;
mod rest;
mod transcripts;

pub(super) use transcripts::slug;

use super::conversation::ConversationId;
use super::messages::{ReadLine, Visit};
use super::program::{self, CLAUDE};
use super::transcript;
use super::{
    Agent, Backgrounded, CommandLine, Description, Home, LeftRecord, Observation, Rank, Resumption,
    Saved,
};
use super::{Input, OwnAccount, Screen};
use crate::process::{Proc, Process};
use crate::sys::Dir;
use crate::text::escape;
use argv::Arguments;
use record::{RECORDS, Record, Version, record};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use transcripts::{
    Found, MAX_LISTED, Prompted, holds_a_message, is_anywhere, title, transcript_anywhere,
    transcript_in, transcript_name, transcripts_since,
};

/// Claude Code.
#[derive(Debug)]
pub struct Claude;

/// The first version that finds a conversation by its id from any directory. Resuming by the transcript
/// is for older ones: in newer ones the live record may name a conversation that does not exist then.
const FINDS_ANYWHERE: Version = Version::new(2, 1, 231);

impl Agent for Claude {
    fn name(&self) -> &'static str {
        CLAUDE
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        let arguments = arguments(process)?;
        let (converses, asks_once) = (arguments.converses(), arguments.asks_once());
        Some(CommandLine::new(converses, asks_once, arguments.is_service()))
    }

    fn is_view(&self, argv: &[Vec<u8>]) -> bool {
        program::of(argv, || None).and_then(Arguments::of).is_some_and(Arguments::is_view)
    }

    fn observe(&self, process: &Process, _title: &[u8], home: &Home) -> Option<Observation> {
        let arguments = arguments(process);
        if let Some(record) = record(home, process.pid).filter(|r| r.is_of(process)) {
            let is_in_a_pane = record.is_interactive() && !record.is_in_the_background();
            return is_in_a_pane.then(|| from_record(&record, arguments, process, home)).flatten();
        }
        let arguments = arguments.filter(|a| a.converses() && !a.asks_once())?;
        Some(from_arguments(arguments, process, home))
    }

    fn live(&self, home: &Home, proc: &Proc, known: &BTreeSet<i32>) -> Vec<(ConversationId, i32)> {
        let records = home.dir(home.claude().join(RECORDS));
        let Some(names) = records.and_then(|dir| dir.names(MAX_LISTED).ok()?) else {
            return Vec::new();
        };
        let pids =
            names.iter().filter_map(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
        pids.filter(|pid| !known.contains(pid))
            .filter_map(|pid| {
                let record = record(home, pid)?;
                let start = proc.stat(pid)?.start;
                let running = record.is_of_start(start, || proc.time_of(start));
                let id = ConversationId::parse(record.session_id.as_bytes())?;
                (running && record.is_interactive()).then_some((id, pid))
            })
            .collect()
    }

    fn left_behind(&self, home: &Home, proc: &Proc) -> Vec<LeftRecord> {
        let records = home.dir(home.claude().join(RECORDS));
        let Some(names) = records.and_then(|dir| dir.names(MAX_LISTED).ok()?) else {
            return Vec::new();
        };
        let own = i32::try_from(std::process::id()).ok().and_then(|pid| proc.process(pid, 0));
        let pids =
            names.iter().filter_map(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
        pids.filter_map(|pid| {
            let record = record(home, pid)?;
            let is_gone = proc
                .stat(pid)
                .is_none_or(|stat| !record.is_of_start(stat.start, || proc.time_of(stat.start)));
            // A process of another machine or container that shares the home may well be alive.
            let is_ours = record.is_of_domain(|| own.as_ref()?.pid_namespace());
            (is_gone && is_ours).then(|| left_record(&record, home)).flatten()
        })
        .collect()
    }

    fn record_dir(&self, home: &Home) -> Option<PathBuf> {
        Some(home.claude().join(RECORDS))
    }

    fn backgrounded(&self, home: &Home) -> Vec<Backgrounded> {
        jobs::all(home)
    }

    fn proves_closes(&self) -> bool {
        true
    }

    fn is_prompted(&self, id: &ConversationId, cwd: &Path, home: &Home) -> bool {
        transcript_in(cwd, id, home).is_some()
    }

    fn messages(&self) -> Option<ReadLine> {
        Some(messages::said)
    }

    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        transcripts::visit(home, visit)
    }

    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        transcript::describe(dir, file, |line| line["cwd"].as_str(), title)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let Found { dir, file } = transcript_anywhere(id, home)?;
        self.describe_file(&dir, &file)
    }

    fn describe_from(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<Description> {
        let Some(dir) = transcript_in(cwd, id, home) else { return self.describe(id, home) };
        self.describe_file(&dir, &transcript_name(id))
    }

    fn prompted_since(
        &self,
        since: u64,
        cwd: &Path,
        known: &BTreeSet<ConversationId>,
        home: &Home,
    ) -> Option<ConversationId> {
        let known: Vec<ConversationId> = known.iter().cloned().collect();
        match transcripts_since(since, cwd, &known, home) {
            Prompted::Only(id) => Some(id),
            Prompted::Nothing | Prompted::Unclear => None,
        }
    }

    fn account(&self, process: &Process, _: &ConversationId, home: &Home) -> Option<OwnAccount> {
        let record = record(home, process.pid).filter(|record| record.is_of(process))?;
        // Of a job in the background that the pane shows, the record says nothing.
        parked(&record, home).is_none().then(|| rest::account(&record)).flatten()
    }

    fn model(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<String> {
        let dir = transcript_in(cwd, id, home)?;
        transcript::last_model(&dir.read_end(transcript_name(id), transcript::START).ok()?)
    }

    fn input(&self, screen: &Screen) -> Input {
        rest::input(screen)
    }

    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        let Saved { id, cwd, prompted, parent, version } = *saved;
        let own = transcript_in(cwd, id, home);
        let file = transcript_name(id);
        let found = own.clone().map(|dir| Found { dir, file });
        let Some(Found { dir, file }) = found.or_else(|| transcript_anywhere(id, home)) else {
            let parent =
                parent.filter(|parent| prompted != Some(true) && is_anywhere(parent, home));
            return match prompted {
                Some(false) | None if parent.is_some() => {
                    Resumption::Fork { parent: parent.unwrap_or(id).clone() }
                }
                Some(false) => Resumption::StartUnderId,
                Some(true) => Resumption::Impossible(format!("the transcript of {id} is gone")),
                None => Resumption::Impossible(format!("there is no transcript of {id}")),
            };
        };
        let version = version.and_then(|text| Version::parse(std::str::from_utf8(text).ok()?));
        let is_as_spelled = file == transcript_name(id);
        let finds = is_as_spelled && version.is_some_and(|version| version >= FINDS_ANYWHERE);
        match dir.read_start(&file, transcript::START) {
            // Observation once after an unprompted exit: such a file makes both ways of starting fail.
            Ok(start) if !holds_a_message(&start) => Resumption::StartAnew,
            Ok(_) if finds || own.is_some() && home.may_touch(cwd) && cwd.is_dir() => {
                Resumption::Resume
            }
            Ok(_) => Resumption::ResumeTranscript(dir.path().join(&file)),
            Err(error) => Resumption::Impossible(error.to_string()),
        }
    }
}

fn arguments(process: &Process) -> Option<Arguments<'_>> {
    Arguments::of(program::of(&process.argv, || process.executable_name())?)
}

/// The id of the conversation in the background that the pane shows, if it shows one.
fn parked(record: &Record, home: &Home) -> Option<String> {
    jobs::conversation(record.parked_job()?, home)
}

fn from_record(
    record: &Record,
    arguments: Option<Arguments<'_>>,
    process: &Process,
    home: &Home,
) -> Option<Observation> {
    let Some(recorded) = ConversationId::parse(record.session_id.as_bytes()) else {
        home.note(format!(
            "a live record names no conversation: {}",
            escape(record.session_id.as_bytes())
        ));
        return None;
    };
    // JSON cannot hold a path that is not UTF-8: there the process knows better.
    let cwd = if record.cwd.contains('\u{fffd}') {
        process.cwd()
    } else {
        Some(record.cwd.clone().into())
    };
    let cwd = cwd.filter(|cwd| Path::new(cwd).is_absolute());
    let directory = cwd.as_deref().map(Path::new);
    let is_prompted =
        |id: &ConversationId| directory.is_some_and(|cwd| transcript_in(cwd, id, home).is_some());
    let mut seen = Observation {
        version: record.version.clone(),
        status: record.status(),
        since: record.status_since(),
        written: Some(if record.follows() { record.written } else { 0 }),
        ..Observation::default()
    };
    // What the pane shows is the copy in the background; the record keeps the id from before.
    let parked = record
        .parked_job()
        .and_then(|job| jobs::conversation(job, home))
        .and_then(|id| ConversationId::parse(id.as_bytes()));
    let (id, rank) = if let Some(shown) = parked.filter(|shown| *shown != recorded) {
        seen.parent = Some(recorded);
        (shown, Rank::Record)
    } else if is_prompted(&recorded) {
        (recorded, Rank::Record)
    } else {
        seen.parent = arguments.and_then(|arguments| arguments.parent_of(&recorded));
        // After a resume by the transcript the record may name a conversation that does not exist.
        let resumed = arguments.filter(|arguments| !arguments.forks()).and_then(Arguments::resumed);
        let resumed = resumed.filter(|id| *id != recorded && is_anywhere(id, home));
        // It may be resumed from another directory than its own.
        let is_elsewhere = arguments.and_then(Arguments::resumed).as_ref() == Some(&recorded)
            && is_anywhere(&recorded, home);
        if is_elsewhere {
            seen.prompted = Some(true);
        }
        resumed.map_or((recorded, Rank::Record), |id| {
            seen.prompted = Some(true);
            (id, Rank::Argv)
        })
    };
    seen.parent = seen.parent.or_else(|| arguments?.parent_of(&id));
    seen.prompted = seen.prompted.or_else(|| directory.map(|_| is_prompted(&id)));
    seen.conversation = Some((id, rank));
    Some(Observation { cwd, ..seen })
}

fn left_record(record: &Record, home: &Home) -> Option<LeftRecord> {
    if !record.is_interactive() || record.is_in_the_background() {
        return None;
    }
    let (session, pane) = record.tmux_pane()?;
    let shown = record
        .parked_job()
        .and_then(|job| jobs::conversation(job, home))
        .unwrap_or_else(|| record.session_id.clone());
    let conversation = ConversationId::parse(shown.as_bytes())?;
    let cwd = PathBuf::from(&record.cwd);
    Some(LeftRecord {
        agent: CLAUDE,
        prompted: transcript_in(&cwd, &conversation, home).is_some(),
        conversation,
        cwd,
        session,
        pane,
        started: record.started_at? / 1000,
        written: record.written / 1_000_000_000,
        version: record.version.clone(),
    })
}

fn from_arguments(arguments: Arguments<'_>, process: &Process, home: &Home) -> Observation {
    let cwd = process.cwd();
    let directory = cwd.as_deref().map(Path::new);
    let since = || {
        let parent: Vec<ConversationId> = arguments.resumed().into_iter().collect();
        let started = process.started()?;
        Some(transcripts_since(started, directory?, &parent, home))
    };
    let (conversation, prompted) = match arguments.conversation() {
        Some(id) => {
            let is_resumed = !arguments.forks() && arguments.resumed().as_ref() == Some(&id);
            let prompted = directory.map(|cwd| {
                transcript_in(cwd, &id, home).is_some() || is_resumed && is_anywhere(&id, home)
            });
            (Some((id, Rank::Argv)), prompted)
        }
        None => match since() {
            Some(Prompted::Only(id)) => (Some((id, Rank::Transcript)), Some(true)),
            Some(Prompted::Nothing) if arguments.begins_anew() => (None, Some(false)),
            _ => (None, None),
        },
    };
    let parent = conversation.as_ref().and_then(|(id, _)| arguments.parent_of(id));
    Observation { conversation, cwd, prompted, parent, descend: true, ..Observation::default() }
}

#[cfg(test)]
mod tests;
