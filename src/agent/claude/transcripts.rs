//! Transcripts: `~/.claude/projects/<slug of the directory>/<uuid>.jsonl`.

use crate::agent::conversation::ConversationId;
use crate::agent::home::Home;
use crate::agent::transcript;
use crate::sys::Dir;
use crate::text::shown;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// The directory of all projects, below the home.
pub(super) const PROJECTS: &str = ".claude/projects";
/// With more transcripts than this in one directory, none is guessed.
const MAX_GUESSED_AMONG: usize = 4096;
/// Maximum number of live records, and of projects, that are read.
pub(super) const MAX_LISTED: usize = 10_000;

/// The directory that holds a conversation's transcript when it was started from `cwd`.
pub(super) fn transcript_in(cwd: &Path, id: &ConversationId, home: &Home) -> Option<Rc<Dir>> {
    let dir = project(cwd, home)?;
    dir.has_file(transcript_name(id)).ok()?.then_some(dir)
}

/// The directory of the transcripts of conversations that were started from `cwd`.
fn project(cwd: &Path, home: &Home) -> Option<Rc<Dir>> {
    home.dir(Path::new(PROJECTS).join(slug(&home.resolved(cwd))))
}

/// The same in whatever project it lies: the slug is of the resolved path, and links move.
pub(super) fn transcript_anywhere(file: &str, home: &Home) -> Option<Rc<Dir>> {
    let projects = home.dir(PROJECTS)?.names(MAX_LISTED).ok()??;
    projects.iter().find_map(|project| {
        let dir = home.dir(Path::new(PROJECTS).join(project))?;
        dir.has_file(file).ok()?.then_some(dir)
    })
}

pub(super) fn transcript_name(id: &ConversationId) -> String {
    format!("{id}.jsonl")
}

/// The one transcript of a directory that was written since `started` (seconds since the epoch):
/// a guess, given up between rivals and in crowds.
pub(super) fn only_transcript_since(
    started: u64,
    cwd: &Path,
    home: &Home,
) -> Option<ConversationId> {
    let dir = project(cwd, home)?;
    let Some(names) = dir.names(MAX_GUESSED_AMONG).ok()? else {
        home.note(format!("{}: too many transcripts to guess among", shown(dir.path())));
        return None;
    };
    let mut candidates = names.iter().filter_map(|name| {
        let id = ConversationId::parse(name.as_bytes().strip_suffix(b".jsonl")?)?;
        let written = u64::try_from(dir.stat(name).ok()??.st_mtime).ok()?;
        (written >= started).then_some(id)
    });
    let only = candidates.next()?;
    candidates.next().is_none().then_some(only)
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
pub(super) fn slug(resolved: &Path) -> OsString {
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
