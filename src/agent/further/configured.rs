//! Agents that the configuration describes (`agent::described`). Which conversation one runs is known from our
//! stamp, a file that it holds open, or its command line.

use super::gone;
use crate::agent::conversation::option;
use crate::agent::described::{self, Described};
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Rank, Resumption, Saved, Use, program};
use crate::process::Process;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// An agent that is described.
#[derive(Debug)]
pub(super) struct Configured(&'static Described);

/// All of them but for those that we know by ourselves.
pub fn configured() -> impl Iterator<Item = &'static dyn Agent> {
    static CONFIGURED: OnceLock<Vec<Configured>> = OnceLock::new();
    let described = described::all();
    let agents: &[Configured] = if described.is_empty() {
        &[]
    } else {
        CONFIGURED.get_or_init(|| {
            let is_new = |one: &&Described| !program::KNOWN.contains(&one.name.as_str());
            described.iter().filter(is_new).map(Configured).collect()
        })
    };
    agents.iter().map(|agent| agent as &dyn Agent)
}

impl Configured {
    fn arguments<'a>(&self, process: &'a Process) -> Option<&'a [Vec<u8>]> {
        let program = program::of(&process.argv, || process.executable_name())?;
        (program.agent == self.0.name).then_some(program.arguments)
    }

    fn transcript_exists(&self, id: &ConversationId, home: &Home) -> Option<bool> {
        let path = self.0.transcript.as_ref()?.replace("{id}", id.as_str());
        let path = home.path().join(path.strip_prefix("~/").unwrap_or(&path));
        let (dir, name) = (path.parent()?, path.file_name()?);
        Some(home.dir(dir).is_some_and(|dir| dir.has_file(name).unwrap_or(false)))
    }
}

impl Agent for Configured {
    fn name(&self) -> &'static str {
        &self.0.name
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        let arguments = self.arguments(process)?;
        let is_listed = |word: &Vec<u8>| self.0.not_conversing.iter().any(|w| w.as_bytes() == word);
        let first = arguments.first().filter(|word| is_listed(word));
        let option = arguments.iter().find(|word| word.starts_with(b"-") && is_listed(word));
        Some(CommandLine::new(true, first.or(option).is_some(), false))
    }

    fn observe(&self, process: &Process, _: &[u8], home: &Home) -> Option<Observation> {
        self.runs(process).filter(|usage| *usage == Use::Conversation)?;
        let pattern = self.0.held_file.as_deref();
        let held: BTreeSet<ConversationId> = pattern.map_or_else(BTreeSet::new, |pattern| {
            process.open_files().iter().filter_map(|file| named(file, pattern)).collect()
        });
        let mut held = held.into_iter();
        let only = held.next().filter(|_| held.next().is_none());
        let options: Vec<&str> = self.0.id_options.iter().map(String::as_str).collect();
        let argv = || ConversationId::parse(option(self.arguments(process)?, &options)?);
        let conversation =
            only.map(|id| (id, Rank::Files)).or_else(|| argv().map(|id| (id, Rank::Argv)));
        let prompted = conversation.as_ref().and_then(|(id, _)| self.transcript_exists(id, home));
        let cwd = process.cwd();
        Some(Observation { conversation, cwd, prompted, descend: true, ..Observation::default() })
    }

    fn is_prompted(&self, id: &ConversationId, _: &Path, home: &Home) -> bool {
        self.transcript_exists(id, home).unwrap_or(true)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        self.transcript_exists(id, home).unwrap_or(true).then(Description::default)
    }

    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        match (self.transcript_exists(saved.id, home), saved.prompted) {
            (Some(true) | None, _) => Resumption::Resume,
            (Some(false), Some(false)) if self.0.takes_an_id => Resumption::StartUnderId,
            (Some(false), Some(false)) => Resumption::StartAnew,
            (Some(false), _) => gone(saved),
        }
    }
}

/// The conversation in the name of a file, by a pattern of the end of its path.
fn named(file: &Path, pattern: &str) -> Option<ConversationId> {
    let (before, after) = pattern.split_once("{id}")?;
    let path = file.as_os_str().as_bytes().strip_suffix(after.as_bytes())?;
    let id = path.rsplit(|byte| *byte == b'/').next()?;
    if before.is_empty() {
        return ConversationId::parse(id);
    }
    let at = memchr::memmem::rfind(path, before.as_bytes())?;
    let is_whole = before.starts_with('/') || path[..at].ends_with(b"/");
    ConversationId::parse(&path[at + before.len()..]).filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_the_conversation_of_a_file() {
        const ID: &str = "46c8adb7-09e0-45fd-b48c-6539e2243430";
        let is_named = |path: String, pattern: &str| named(Path::new(&path), pattern).is_some();
        assert!(is_named(format!("/h/.x/sessions/{ID}.lock"), "sessions/{id}.lock"));
        assert!(is_named(format!("/h/.x/sessions/{ID}/in-use"), "/sessions/{id}/in-use"));
        assert!(is_named(format!("/h/.x/{ID}"), "{id}"));
        for (path, pattern) in [
            (format!("/h/.x/oldsessions/{ID}.lock"), "sessions/{id}.lock"),
            (format!("/h/.x/sessions/a/{ID}.lock"), "sessions/{id}.lock"),
            (format!("/h/.x/sessions/{ID}.log"), "sessions/{id}.lock"),
            ("/h/.x/sessions/none.lock".to_owned(), "sessions/{id}.lock"),
        ] {
            assert!(!is_named(path.clone(), pattern), "{path} {pattern}");
        }
    }
}
