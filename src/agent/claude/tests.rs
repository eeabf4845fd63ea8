//! Against homes made by hand; the real program is tested in `tests/agents/`.

use super::transcripts::{PROJECTS, slug};
use super::*;
use std::path::PathBuf;

const ID: &str = "0d0a8f5e-0000-4000-8000-000000000001";

fn argv(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// The arguments of a command line, if it is Claude Code's.
fn arguments(argv: &[Vec<u8>]) -> Option<Arguments<'_>> {
    Arguments::of(program::of(argv, || None)?)
}

fn is_interactive(argv: &[Vec<u8>]) -> bool {
    arguments(argv).is_some_and(|arguments| arguments.converses() && !arguments.asks_once())
}

fn named_in_argv(argv: &[Vec<u8>]) -> Option<ConversationId> {
    arguments(argv)?.conversation()
}

fn id() -> ConversationId {
    ConversationId::parse(ID.as_bytes()).unwrap()
}

/// A home with a project for its own `work` directory.
fn world() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let cwd = root.path().canonicalize().unwrap().join("work");
    std::fs::create_dir(&cwd).unwrap();
    let project = root.path().join(".claude").join(PROJECTS).join(slug(&cwd));
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
        assert!(is_interactive(&argv(words)), "{words:?}");
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
        assert!(!is_interactive(&argv(words)), "{words:?}");
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
    for words in [
        &["claude", "--resume", "my-title"][..],
        &["claude", "--resume", ID, "--fork-session"],
        &["claude", "--continue", "--fork-session"],
    ] {
        assert_eq!(named_in_argv(&argv(words)), None, "{words:?}");
    }
    let other = "0d0a8f5e-0000-4000-8000-000000000002";
    for words in [
        ["claude", "--resume", ID, "--fork-session", "--session-id", other],
        ["claude", "--session-id", other, "--fork-session", "--resume", ID],
    ] {
        let fork = ConversationId::parse(other.as_bytes()).unwrap();
        assert_eq!(named_in_argv(&argv(&words)), Some(fork.clone()), "{words:?}");
        assert_eq!(arguments(&argv(&words)).unwrap().parent_of(&fork), Some(id()));
        assert_eq!(arguments(&argv(&words)).unwrap().parent_of(&id()), None);
    }
}

#[test]
fn the_only_transcript_since_the_start_is_a_guess_and_two_are_none() {
    let (root, cwd, project) = world();
    std::fs::write(project.join(format!("{ID}.jsonl")), "{}").unwrap();
    let home = Home::new(root.path());
    assert_eq!(transcripts_since(5, &cwd, &[], &home), Prompted::Only(id()));
    assert_eq!(transcripts_since(5, &cwd, &[id()], &home), Prompted::Nothing);
    let future = crate::sys::clock::now() + 1000;
    assert_eq!(transcripts_since(future, &cwd, &[], &home), Prompted::Nothing);
    assert_eq!(transcripts_since(5, root.path(), &[], &home), Prompted::Nothing);
    std::fs::write(project.join("0d0a8f5e-0000-4000-8000-000000000002.jsonl"), "{}").unwrap();
    assert_eq!(transcripts_since(5, &cwd, &[], &Home::new(root.path())), Prompted::Unclear);
}

#[test]
fn each_state_of_a_transcript_has_its_way_back() {
    let (root, cwd, project) = world();
    let resumption =
        |cwd: &Path, prompted, parent: Option<&ConversationId>, version: Option<&[u8]>| {
            let saved = Saved { id: &id(), cwd, prompted, parent, version };
            Claude.resumption(&saved, &Home::new(root.path()))
        };
    let back = |cwd: &Path, prompted| resumption(cwd, prompted, None, None);
    assert_eq!(back(&cwd, Some(false)), Resumption::StartUnderId);
    assert!(matches!(back(&cwd, Some(true)), Resumption::Impossible(why) if why.contains("gone")));
    assert!(matches!(back(&cwd, None), Resumption::Impossible(_)));
    let parent = ConversationId::parse(b"0d0a8f5e-0000-4000-8000-000000000009").unwrap();
    let forked = || resumption(&cwd, Some(false), Some(&parent), None);
    assert_eq!(forked(), Resumption::StartUnderId, "its parent is gone");
    std::fs::write(project.join(format!("{parent}.jsonl")), "{}").unwrap();
    assert_eq!(forked(), Resumption::Fork { parent: parent.clone() });
    let transcript = project.join(format!("{ID}.jsonl"));
    std::fs::write(&transcript, "{\"type\":\"mode\"}\n").unwrap();
    assert_eq!(back(&cwd, Some(true)), Resumption::StartAnew);
    std::fs::write(&transcript, "{\"type\":\"mode\"}\n{\"type\":\"user\"}\n").unwrap();
    assert_eq!(back(&cwd, Some(false)), Resumption::Resume);
    let elsewhere = back(root.path(), Some(true));
    assert_eq!(elsewhere, Resumption::ResumeTranscript(transcript.canonicalize().unwrap()));
    let by = |version: &str| resumption(root.path(), Some(true), None, Some(version.as_bytes()));
    assert_eq!((by("2.1.231"), by("2.1.230")), (Resumption::Resume, elsewhere));
    assert_eq!(forked(), Resumption::Resume, "it was prompted since");
}

#[test]
fn a_live_record_counts_only_for_the_very_process_it_was_written_for() {
    let (root, cwd, _project) = world();
    let records = root.path().join(".claude").join(RECORDS);
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
    let seen = Claude.observe(&process, b"", &home).unwrap();
    assert_eq!(seen.conversation, Some((id(), Rank::Record)));
    assert_eq!((seen.cwd, seen.prompted), (Some(cwd.clone().into()), Some(false)));
    assert_eq!(Claude.live(&home, &Proc::default(), &none), [(id(), pid)]);
    assert_eq!(Claude.live(&home, &Proc::default(), &BTreeSet::from([pid])), []);
    write("17", "cli");
    assert_eq!(Claude.observe(&process, b"", &home), None);
    write(&process.stat.start.to_string(), "sdk-cli");
    assert_eq!(Claude.observe(&process, b"", &home), None);
    assert_eq!(Claude.live(&home, &Proc::default(), &none), []);
}
