//! Claude Code: every fact about it that we rely on, measured on 2.1.332 and tested against the
//! real program in `tests/agents/`.

use super::conversation::{ConversationId, option};
use super::{Agent, Description, Home, Rank, Resumption, Seen, Use, transcript};
use crate::process::{Proc, Process, base_name};
use crate::sys::Dir;
use crate::text::escape;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Claude Code.
#[derive(Debug)]
pub struct Claude;

/// Live records, one file per process: `<pid>.json`.
const RECORDS: &str = ".claude/sessions";
/// Transcripts: `<slug of the directory>/<uuid>.jsonl`.
const PROJECTS: &str = ".claude/projects";
/// A live record is about 500 bytes.
const MAX_RECORD: u64 = 64 << 10;
/// More transcripts than this in one directory are not guessed among.
const MAX_GUESSED_AMONG: usize = 4096;
/// More live records or projects than this are not looked through.
const MAX_LISTED: usize = 10_000;

/// What the live record says, as far as it matters. Fields come and go with versions.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "sessionId")]
    session_id: String,
    cwd: String,
    /// Field 22 of `/proc/<pid>/stat`; a number, or the same as text.
    #[serde(rename = "procStart")]
    proc_start: serde_json::Value,
    #[serde(default)]
    entrypoint: Option<String>,
    /// `interactive`, or `bg` of a conversation that was sent to the background.
    #[serde(default)]
    kind: Option<String>,
}

impl Record {
    fn is_of(&self, start: u64) -> bool {
        match &self.proc_start {
            serde_json::Value::String(text) => text.parse() == Ok(start),
            number => number.as_u64() == Some(start),
        }
    }

    /// `claude -p` leaves a record too; no person converses there.
    fn is_interactive(&self) -> bool {
        self.entrypoint.as_deref() != Some("sdk-cli")
    }
}

impl Agent for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn runs(&self, process: &Process) -> Option<Use> {
        let one_shot = if asks_once(&process.argv) { Use::OneShot } else { Use::Conversation };
        is_claude(&process.argv).then_some(one_shot)
    }

    fn observe(&self, process: &Process, home: &Home) -> Option<Seen> {
        if let Some(record) = record(home, process.pid).filter(|r| r.is_of(process.stat.start)) {
            let is_in_a_pane = record.is_interactive() && record.kind.as_deref() != Some("bg");
            return is_in_a_pane.then(|| from_record(record, process, home)).flatten();
        }
        if !looks_like_claude(&process.argv) {
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
        Some(Seen { conversation, cwd, prompted, descend: true })
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
            // Seen once after an unprompted exit: such a file makes both ways of starting fail.
            Ok(start) if !holds_a_message(&start) => Resumption::StartAnew,
            Ok(_) if own.is_some() && cwd.is_dir() => Resumption::Resume,
            Ok(_) => Resumption::ResumeTranscript(dir.path().join(&file)),
            Err(error) => Resumption::Impossible(error.to_string()),
        }
    }
}

fn from_record(record: Record, process: &Process, home: &Home) -> Option<Seen> {
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
    Some(Seen { conversation: Some((id, Rank::Record)), cwd, prompted, descend: false })
}

/// The live record of a process; it is written in place, so a torn one is read once more.
fn record(home: &Home, pid: i32) -> Option<Record> {
    let dir = home.dir(RECORDS)?;
    let name = format!("{pid}.json");
    let read = || match dir.read(&name, MAX_RECORD) {
        Ok(text) => Some(serde_json::from_slice(&text)),
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            home.note(error.to_string());
            None
        }
    };
    match read()? {
        Ok(record) => Some(record),
        Err(_torn) => {
            crate::sys::clock::pause(Duration::from_millis(5));
            match read()? {
                Ok(record) => Some(record),
                Err(error) => {
                    home.note(format!("{}: {error}", dir.path().join(name).display()));
                    None
                }
            }
        }
    }
}

/// A one-shot `claude -p` holds no conversation to come back to.
fn looks_like_claude(argv: &[Vec<u8>]) -> bool {
    is_claude(argv) && !asks_once(argv)
}

fn asks_once(argv: &[Vec<u8>]) -> bool {
    argv.iter().any(|word| word == b"-p" || word == b"--print")
}

/// One native program, or node with the package's script; argv stays as typed.
fn is_claude(argv: &[Vec<u8>]) -> bool {
    let called = |word: &Vec<u8>| base_name(word) == b"claude";
    let script =
        |word: &Vec<u8>| called(word) || memchr::memmem::find(word, b"/claude-code/").is_some();
    let rest = match argv {
        [program, script_path, rest @ ..] if matches!(base_name(program), b"node" | b"bun") => {
            if !script(script_path) {
                return false;
            }
            rest
        }
        // An interpreter line: `sh /path/claude`.
        [_, script_path, rest @ ..] if called(script_path) => rest,
        [program, rest @ ..] if called(program) => rest,
        _ => return false,
    };
    !rest.first().is_some_and(|word| SUBCOMMANDS.contains(&word.as_slice()))
}

/// First arguments with which it is no conversation of this pane's: a view of others, a service, a
/// tool. What such a process shows, and what it wrote, names no conversation to come back to.
const SUBCOMMANDS: [&[u8]; 18] = [
    b"agents",
    b"attach",
    b"auth",
    b"bg-pty-host",
    b"bg-spare",
    b"daemon",
    b"doctor",
    b"gateway",
    b"import",
    b"install",
    b"logs",
    b"mcp",
    b"plugin",
    b"purge",
    b"respawn",
    b"rm",
    b"stop",
    b"update",
];

/// The conversation that the arguments name: an id, or the path of a transcript.
fn named_in_argv(argv: &[Vec<u8>]) -> Option<ConversationId> {
    let value = option(argv, &["--session-id", "--resume", "-r"])?;
    let name = base_name(value);
    ConversationId::parse(name.strip_suffix(b".jsonl").unwrap_or(name))
}

/// The directory that holds a conversation's transcript when it was started from `cwd`.
fn transcript_in(cwd: &Path, id: &ConversationId, home: &Home) -> Option<std::rc::Rc<Dir>> {
    let dir = project(cwd, home)?;
    dir.has_file(transcript_name(id)).ok()?.then_some(dir)
}

/// The directory of the transcripts of conversations that were started from `cwd`.
fn project(cwd: &Path, home: &Home) -> Option<std::rc::Rc<Dir>> {
    home.dir(Path::new(PROJECTS).join(slug(&home.resolved(cwd))))
}

/// The same in whatever project it lies: the slug is of the resolved path, and links move.
fn transcript_anywhere(file: &str, home: &Home) -> Option<std::rc::Rc<Dir>> {
    let projects = home.dir(PROJECTS)?.names(MAX_LISTED).ok()??;
    projects.iter().find_map(|project| {
        let dir = home.dir(Path::new(PROJECTS).join(project))?;
        dir.has_file(file).ok()?.then_some(dir)
    })
}

fn transcript_name(id: &ConversationId) -> String {
    format!("{id}.jsonl")
}

/// The one transcript of a directory that was written since `started` (seconds since the epoch):
/// a guess, given up between rivals and in crowds.
fn only_transcript_since(started: u64, cwd: &Path, home: &Home) -> Option<ConversationId> {
    let dir = project(cwd, home)?;
    let Some(names) = dir.names(MAX_GUESSED_AMONG).ok()? else {
        home.note(format!("{}: too many transcripts to guess among", dir.path().display()));
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
fn title(line: &serde_json::Value) -> Option<&str> {
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
fn holds_a_message(start: &[u8]) -> bool {
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
fn slug(resolved: &Path) -> OsString {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const ID: &str = "0d0a8f5e-0000-4000-8000-000000000001";

    fn argv(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn id() -> ConversationId {
        ConversationId::parse(ID.as_bytes()).unwrap()
    }

    /// A home with a project for its own `work` directory.
    fn world() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let cwd = root.path().canonicalize().unwrap().join("work");
        std::fs::create_dir(&cwd).unwrap();
        let project = root.path().join(PROJECTS).join(slug(&cwd));
        std::fs::create_dir_all(&project).unwrap();
        (root, cwd, project)
    }

    #[test]
    fn a_slug_replaces_each_utf16_unit_and_hashes_long_paths() {
        assert_eq!(slug(Path::new("/no/such_dir.x")), "-no-such-dir-x");
        assert_eq!(slug(Path::new("/no/\u{1f600}\u{e9}")), "-no----");
        let long = slug(Path::new(&format!("/no/{}", "a".repeat(300))));
        assert!(long.to_str().unwrap().starts_with(&format!("-no-{}-", "a".repeat(196))));
    }

    #[test]
    fn a_claude_is_known_by_how_it_was_called() {
        for words in [
            &["claude"][..],
            &["/x/bin/claude", "--resume", ID],
            &["node", "/x/@anthropic-ai/claude-code/cli.js"],
            &["/bin/sh", "/x/claude"],
        ] {
            assert!(looks_like_claude(&argv(words)), "{words:?}");
        }
        for words in [
            &["claude", "-p", "x"][..],
            &["claude", "agents"],
            &["claude", "attach", "0d0a8f5e"],
            &["/x/claude.exe/claude", "daemon", "run"],
            &["node", "/x/@anthropic-ai/claude-code/cli.js", "mcp", "list"],
            &["vim", "claude.rs"],
            &["node", "x.js"],
            &[],
        ] {
            assert!(!looks_like_claude(&argv(words)), "{words:?}");
        }
    }

    #[test]
    fn arguments_name_a_conversation_by_id_or_by_transcript() {
        for words in [
            ["claude", "--session-id", ID],
            ["claude", "-r", ID],
            ["claude", "--resume", "/p/0d0a8f5e-0000-4000-8000-000000000001.jsonl"],
        ] {
            assert_eq!(named_in_argv(&argv(&words)), Some(id()), "{words:?}");
        }
        assert_eq!(named_in_argv(&argv(&["claude", "--resume", "my-title"])), None);
    }

    #[test]
    fn the_only_transcript_since_the_start_is_a_guess_and_two_are_none() {
        let (root, cwd, project) = world();
        std::fs::write(project.join(format!("{ID}.jsonl")), "{}").unwrap();
        let home = Home::new(root.path());
        assert_eq!(only_transcript_since(5, &cwd, &home), Some(id()));
        let future = crate::sys::clock::now() + 1000;
        assert_eq!(only_transcript_since(future, &cwd, &home), None);
        std::fs::write(project.join("0d0a8f5e-0000-4000-8000-000000000002.jsonl"), "{}").unwrap();
        assert_eq!(only_transcript_since(5, &cwd, &Home::new(root.path())), None);
    }

    #[test]
    fn each_state_of_a_transcript_has_its_way_back() {
        let (root, cwd, project) = world();
        let back =
            |cwd: &Path, prompted| Claude.resumption(&id(), cwd, prompted, &Home::new(root.path()));
        assert_eq!(back(&cwd, Some(false)), Resumption::StartUnderId);
        assert!(
            matches!(back(&cwd, Some(true)), Resumption::Impossible(why) if why.contains("gone"))
        );
        assert!(matches!(back(&cwd, None), Resumption::Impossible(_)));
        let transcript = project.join(format!("{ID}.jsonl"));
        std::fs::write(&transcript, "{\"type\":\"mode\"}\n").unwrap();
        assert_eq!(back(&cwd, Some(true)), Resumption::StartAnew);
        std::fs::write(&transcript, "{\"type\":\"mode\"}\n{\"type\":\"user\"}\n").unwrap();
        assert_eq!(back(&cwd, Some(false)), Resumption::Resume);
        let elsewhere = back(root.path(), Some(true));
        assert_eq!(elsewhere, Resumption::ResumeTranscript(transcript.canonicalize().unwrap()));
    }

    #[test]
    fn a_live_record_counts_only_for_the_very_process_it_was_written_for() {
        let (root, cwd, _project) = world();
        let records = root.path().join(RECORDS);
        std::fs::create_dir_all(&records).unwrap();
        let home = Home::new(root.path());
        let pid = i32::try_from(std::process::id()).unwrap();
        let process = Proc::default().process(pid, 0).unwrap();
        let write = |start: &str, entrypoint: &str| {
            let cwd = cwd.display();
            let text = format!(
                r#"{{"pid":{pid},"sessionId":"{ID}","cwd":"{cwd}","procStart":{start},"entrypoint":"{entrypoint}"}}"#
            );
            std::fs::write(records.join(format!("{pid}.json")), text).unwrap();
        };
        let none = BTreeSet::new();
        write(&format!("\"{}\"", process.stat.start), "cli");
        let seen = Claude.observe(&process, &home).unwrap();
        assert_eq!(seen.conversation, Some((id(), Rank::Record)));
        assert_eq!((seen.cwd, seen.prompted), (Some(cwd.clone().into()), Some(false)));
        assert_eq!(Claude.live(&home, &Proc::default(), &none), [(id(), pid)]);
        assert_eq!(Claude.live(&home, &Proc::default(), &BTreeSet::from([pid])), []);
        write("17", "cli");
        assert_eq!(Claude.observe(&process, &home), None);
        write(&process.stat.start.to_string(), "sdk-cli");
        assert_eq!(Claude.observe(&process, &home), None);
        assert_eq!(Claude.live(&home, &Proc::default(), &none), []);
    }
}
