//! Transcripts: `~/.claude/projects/<slug of the directory>/<uuid>.jsonl`.

use crate::agent::conversation::ConversationId;
use crate::agent::home::Home;
use crate::agent::messages::{Stored, Visit};
use crate::agent::transcript;
use crate::sys::Dir;
use crate::text::shown;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// The directory of all projects, below that of the data.
pub(super) const PROJECTS: &str = "projects";
/// With more transcripts than this in one directory, none is guessed.
const MAX_GUESSED_AMONG: usize = 4096;
/// With more files than this in one directory, none of them is visited.
const MAX_STORED: usize = 100_000;
/// Maximum number of live records, and of projects, that are read.
pub(super) const MAX_LISTED: usize = 10_000;

/// The directory that holds a conversation's transcript when it was started from `cwd`.
pub(super) fn transcript_in(cwd: &Path, id: &ConversationId, home: &Home) -> Option<Rc<Dir>> {
    let dir = project(cwd, home)?;
    dir.has_file(transcript_name(id)).ok()?.then_some(dir)
}

/// The directory of the transcripts of conversations that were started from `cwd`.
fn project(cwd: &Path, home: &Home) -> Option<Rc<Dir>> {
    home.dir(home.claude().join(PROJECTS).join(slug(&home.resolved(cwd))))
}

/// A transcript that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) dir: Rc<Dir>,
    pub(super) file: String,
}

/// The transcript of a conversation in whatever project it lies: the slug is of the resolved path, and
/// links move. Of conversations that were saved by other spellings of their ids, too.
pub(super) fn transcript_anywhere(id: &ConversationId, home: &Home) -> Option<Found> {
    let projects = home.dir(home.claude().join(PROJECTS))?.names(MAX_LISTED).ok()??;
    let dirs =
        projects.iter().filter_map(|project| home.dir(home.claude().join(PROJECTS).join(project)));
    let dirs: Vec<Rc<Dir>> = dirs.collect();
    let [file, in_small_letters] = [transcript_name(id), format!("{}.jsonl", id.key())];
    let has = |dir: &&Rc<Dir>, file: &String| dir.has_file(file).unwrap_or(false);
    let named = |file: &String| dirs.iter().find(|dir| has(dir, file)).cloned();
    let found = |file: String| named(&file).map(|dir| Found { dir, file });
    found(file).or_else(|| found(in_small_letters)).or_else(|| {
        dirs.iter().find_map(|dir| {
            let listed = dir.names(MAX_GUESSED_AMONG).ok()??;
            let is_it = |name: &&OsString| conversation_of(name).as_ref() == Some(id);
            let file = listed.iter().find(is_it)?.to_str()?.to_owned();
            Some(Found { dir: dir.clone(), file })
        })
    })
}

/// Whether a conversation has a transcript in any project, under its id as it is spelled.
pub(super) fn is_anywhere(id: &ConversationId, home: &Home) -> bool {
    let projects = || home.dir(home.claude().join(PROJECTS))?.names(MAX_LISTED).ok()?;
    projects().unwrap_or_default().iter().any(|project| {
        let dir = home.dir(home.claude().join(PROJECTS).join(project));
        dir.is_some_and(|dir| dir.has_file(transcript_name(id)).unwrap_or(false))
    })
}

/// Visits all of them. Links among the projects are not followed.
pub(super) fn visit(home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
    let Some(projects) = home.dir(home.claude().join(PROJECTS)) else {
        return ControlFlow::Continue(());
    };
    for project in projects.names(MAX_LISTED).ok().flatten().unwrap_or_default() {
        let Ok(dir) = projects.open_dir(&project) else { continue };
        for file in dir.names(MAX_STORED).ok().flatten().unwrap_or_default() {
            if let Some(id) = conversation_of(&file) {
                visit(&Stored { dir: &dir, file: &file, id })?;
            }
        }
    }
    ControlFlow::Continue(())
}

fn conversation_of(file: &OsStr) -> Option<ConversationId> {
    ConversationId::parse(file.as_bytes().strip_suffix(b".jsonl")?)
}

pub(super) fn transcript_name(id: &ConversationId) -> String {
    format!("{id}.jsonl")
}

/// The conversations that a program may have prompted, by their transcripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prompted {
    /// None: nothing was said in any.
    Nothing,
    /// This one alone: a guess.
    Only(ConversationId),
    /// Several, too many to look at, or they could not be read.
    Unclear,
}

/// Which conversations of a directory have transcripts that were written since `started` (seconds since
/// the epoch). Those of `without` do not count.
pub(super) fn transcripts_since(
    started: u64,
    cwd: &Path,
    without: &[ConversationId],
    home: &Home,
) -> Prompted {
    if !home.may_touch(home.claude()) || !home.may_touch(cwd) {
        return Prompted::Unclear;
    }
    let Some(dir) = project(cwd, home) else { return Prompted::Nothing };
    let names = match dir.names(MAX_GUESSED_AMONG) {
        Ok(Some(names)) => names,
        Ok(None) => {
            home.note(format!("{}: too many transcripts to guess among", shown(dir.path())));
            return Prompted::Unclear;
        }
        Err(_) => return Prompted::Unclear,
    };
    let mut candidates = names.iter().filter_map(|name| {
        let id = conversation_of(name).filter(|id| !without.contains(id))?;
        let written = u64::try_from(dir.stat(name).ok()??.st_mtime).ok()?;
        (written >= started).then_some(id)
    });
    match (candidates.next(), candidates.next()) {
        (None, _) => Prompted::Nothing,
        (Some(only), None) => Prompted::Only(only),
        _ => Prompted::Unclear,
    }
}

/// A summary, or the first thing the user said; lines in angle brackets are the program's own.
pub(super) fn title(line: &serde_json::Value) -> Option<&str> {
    let text = match line["type"].as_str()? {
        "summary" => line["summary"].as_str()?,
        "user" => {
            let content = &line["message"]["content"];
            let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
            content.as_str().or_else(|| parts.iter().find_map(|part| part["text"].as_str()))?
        }
        _ => return None,
    };
    (!text.trim_start().starts_with('<')).then_some(text)
}

/// Metadata lines come first; a conversation that can be resumed has a message.
pub(super) fn holds_a_message(start: &[u8]) -> bool {
    let lines = start.split(|&byte| byte == b'\n');
    let is_message = |line: &[u8]| {
        [&br#""type":"user""#[..], br#""type":"assistant""#]
            .iter()
            .any(|kind| memchr::memmem::find(line, kind).is_some())
    };
    start.len() as u64 == transcript::START || lines.into_iter().any(is_message)
}

/// The directory's name among the projects: the path, resolved, with every UTF-16 unit outside
/// `[A-Za-z0-9]` replaced by `-`; of over 200 characters the first 200, `-`, and the absolute
/// 32-bit Java-style hash of the path in base 36. Two paths can share one.
pub(in crate::agent) fn slug(resolved: &Path) -> OsString {
    const KEPT: usize = 200;
    let path = resolved.as_os_str().to_string_lossy();
    let units: Vec<u16> = path.encode_utf16().collect();
    let plain = |unit: u16| {
        u8::try_from(unit).ok().filter(u8::is_ascii_alphanumeric).map_or('-', char::from)
    };
    let mut slug: String = units.iter().copied().map(plain).collect();
    if slug.len() > KEPT {
        slug.truncate(KEPT);
        let hash = units
            .iter()
            .fold(0_i32, |hash, &unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
        slug.push('-');
        slug.push_str(&base_36(hash.unsigned_abs()));
    }
    OsStr::new(&slug).to_owned()
}

fn base_36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}
