//! Claude Code: every fact about it that we rely on, measured on 2.1.332 and tested against the
//! real program in `tests/agents/`.

mod argv;
mod record;
mod transcripts;

use super::conversation::ConversationId;
use super::{Agent, Description, Home, Observation, Rank, Resumption, Use, transcript};
use crate::process::{Proc, Process};
use crate::text::escape;
use argv::{asks_once, is_claude, is_interactive, named_in_argv};
use record::{RECORDS, Record, record};
use std::collections::BTreeSet;
use std::path::Path;
use transcripts::{
    MAX_LISTED, holds_a_message, only_transcript_since, title, transcript_anywhere, transcript_in,
    transcript_name,
};

/// Claude Code.
#[derive(Debug)]
pub struct Claude;

impl Agent for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn runs(&self, process: &Process) -> Option<Use> {
        let one_shot = if asks_once(&process.argv) { Use::OneShot } else { Use::Conversation };
        is_claude(&process.argv).then_some(one_shot)
    }

    fn observe(&self, process: &Process, home: &Home) -> Option<Observation> {
        if let Some(record) = record(home, process.pid).filter(|r| r.is_of(process.stat.start)) {
            let is_in_a_pane = record.is_interactive() && !record.is_in_the_background();
            return is_in_a_pane.then(|| from_record(record, process, home)).flatten();
        }
        if !is_interactive(&process.argv) {
            return None;
        }
        let cwd = process.cwd();
        let directory = cwd.as_deref().map(Path::new);
        let started = named_in_argv(&process.argv).map(|id| (id, Rank::Argv));
        let conversation = started.or_else(|| {
            let id = only_transcript_since(process.started()?, directory?, home)?;
            Some((id, Rank::Transcript))
        });
        let prompted = conversation
            .as_ref()
            .and_then(|(id, _)| Some(transcript_in(directory?, id, home).is_some()));
        Some(Observation { conversation, cwd, prompted, descend: true })
    }

    fn live(&self, home: &Home, proc: &Proc, known: &BTreeSet<i32>) -> Vec<(ConversationId, i32)> {
        let Some(names) = home.dir(RECORDS).and_then(|dir| dir.names(MAX_LISTED).ok()?) else {
            return Vec::new();
        };
        let pids =
            names.iter().filter_map(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
        pids.filter(|pid| !known.contains(pid))
            .filter_map(|pid| {
                let record = record(home, pid)?;
                let running = record.is_of(proc.stat(pid)?.start) && record.is_interactive();
                let id = ConversationId::parse(record.session_id.as_bytes())?;
                running.then_some((id, pid))
            })
            .collect()
    }

    fn is_prompted(&self, id: &ConversationId, cwd: &Path, home: &Home) -> bool {
        transcript_in(cwd, id, home).is_some()
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let file = transcript_name(id);
        let dir = transcript_anywhere(&file, home)?;
        transcript::describe(&dir, &file, |line| line["cwd"].as_str(), title)
    }

    fn describe_from(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<Description> {
        let Some(dir) = transcript_in(cwd, id, home) else { return self.describe(id, home) };
        transcript::describe(&dir, &transcript_name(id), |line| line["cwd"].as_str(), title)
    }

    fn resumption(
        &self,
        id: &ConversationId,
        cwd: &Path,
        prompted: Option<bool>,
        home: &Home,
    ) -> Resumption {
        let file = transcript_name(id);
        let own = transcript_in(cwd, id, home);
        let found = own.clone().or_else(|| transcript_anywhere(&file, home));
        let Some(dir) = found else {
            return match prompted {
                Some(false) => Resumption::StartUnderId,
                Some(true) => Resumption::Impossible(format!("the transcript of {id} is gone")),
                None => Resumption::Impossible(format!("there is no transcript of {id}")),
            };
        };
        match dir.read_start(&file, transcript::START) {
            // Observation once after an unprompted exit: such a file makes both ways of starting fail.
            Ok(start) if !holds_a_message(&start) => Resumption::StartAnew,
            Ok(_) if own.is_some() && home.may_touch(cwd) && cwd.is_dir() => Resumption::Resume,
            Ok(_) => Resumption::ResumeTranscript(dir.path().join(&file)),
            Err(error) => Resumption::Impossible(error.to_string()),
        }
    }
}

fn from_record(record: Record, process: &Process, home: &Home) -> Option<Observation> {
    let Some(id) = ConversationId::parse(record.session_id.as_bytes()) else {
        home.note(format!(
            "a live record names no conversation: {}",
            escape(record.session_id.as_bytes())
        ));
        return None;
    };
    // JSON cannot hold a path that is not UTF-8: there the process knows better.
    let cwd = if record.cwd.contains('\u{fffd}') { process.cwd() } else { Some(record.cwd.into()) };
    let cwd = cwd.filter(|cwd| Path::new(cwd).is_absolute());
    let directory = cwd.as_deref().map(Path::new);
    let prompted = directory.map(|cwd| transcript_in(cwd, &id, home).is_some());
    Some(Observation { conversation: Some((id, Rank::Record)), cwd, prompted, descend: false })
}

#[cfg(test)]
mod tests;
