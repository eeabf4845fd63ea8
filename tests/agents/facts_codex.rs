//! What Codex does, as far as the code relies on it.

use super::run_in_pane;
use crate::support::agents::open_files;
use crate::support::sandbox::{children, tree};
use crate::support::{AgentLab, wait_for, wait_until};
use std::path::Path;

#[test]
fn codex_holds_its_lock_and_rollout_open_and_resumes_by_id() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let home = lab.sandbox.home();
    let agent = lab.start_codex("facts", &work, &[]);
    let id = &agent.conversation;
    assert_eq!(id.as_bytes()[14], b'7', "a UUID of version 7: {id}");

    // The pane's process is node; its only child is the one with the conversation.
    let launcher: i32 = lab.pane(&agent.pane, "#{pane_pid}").parse().unwrap();
    assert_eq!(children(launcher), [agent.pid]);
    assert!(rollouts(agent.pid, id).is_empty(), "no rollout before the first prompt");

    lab.prompt(&agent, "remember");
    let open = rollouts(agent.pid, id);
    let [rollout] = &*open else { panic!("one rollout: {open:?}") };
    // ~/.codex/sessions/YYYY/MM/DD/rollout-YYYY-MM-DDTHH-MM-SS-<uuid>.jsonl
    let sessions = home.join(".codex/sessions");
    let inside: Vec<_> = rollout.strip_prefix(&sessions).unwrap().iter().collect();
    assert_eq!(inside.len(), 4, "{}", rollout.display());
    let date = inside[..3].iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("-");
    let name = inside[3].to_str().unwrap();
    assert!(name.starts_with(&format!("rollout-{date}T")), "{name}");
    assert_eq!(name.len(), format!("rollout-2026-11-20T14-43-43-{id}.jsonl").len(), "{name}");

    // A live conversation is refused by a dialog: the process stays, without the lock.
    let pane = lab.start(&["new-session"], &work, &["codex", "resume", "--no-daemon", id]);
    wait_until("the second resume is refused", || {
        lab.screen(&pane).contains("This conversation is open in another app")
    });
    let root: i32 = lab.pane(&pane, "#{pane_pid}").parse().unwrap();
    // It has read the rollout before.
    wait_until("the second one holds no rollout", || {
        tree(root).into_iter().all(|pid| rollouts(pid, id).is_empty())
    });

    let silent = lab.start_codex("silent", &work, &[]);
    lab.sandbox.crash();

    for unknown in [&silent.conversation, "01a1f9d1-8a30-7220-942f-000000000000"] {
        let (code, screen) = run_in_pane(&lab, &["codex", "resume", "--no-daemon", unknown]);
        assert_eq!(code, 1, "{screen}");
        assert!(screen.contains(&format!("No saved session found with ID {unknown}")), "{screen}");
    }

    let argv = ["codex", "resume", "--no-daemon", id];
    let pane = lab.start(&["new-session", "-s", "resumed"], &work, &argv);
    let resumed = lab.codex_in(&pane);
    assert_eq!(&resumed.conversation, id);
    let argv = std::fs::read(format!("/proc/{}/cmdline", resumed.pid)).unwrap();
    let words: Vec<&[u8]> = argv.split(|byte| *byte == 0).collect();
    assert!(words[0].ends_with(b"/codex"), "{words:?}");
    assert_eq!(&words[1..], [b"resume", b"--no-daemon" as &[u8], id.as_bytes(), b""]);
    let turn = lab.prompt(&resumed, "recall");
    assert_eq!(turn.user_texts, ["remember", "recall"]);
    assert_eq!(turn.session.as_ref(), Some(id));
    assert_eq!(rollouts(resumed.pid, id), open, "the same file");
}

#[test]
fn a_fork_is_on_disk_at_once_and_its_first_line_names_the_parent() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let stem = lab.start_codex("stem", &work, &[]);
    lab.prompt(&stem, "remember");
    let argv = ["codex", "fork", "--no-daemon", &stem.conversation];
    let fork = lab.codex_in(&lab.start(&["new-session", "-s", "fork"], &work, &argv));
    assert_ne!(fork.conversation, stem.conversation);
    let text = wait_for("a line in its one rollout", || {
        let open = rollouts(fork.pid, &fork.conversation);
        let text = std::fs::read_to_string(open.first()?).unwrap();
        text.contains('\n').then_some(text)
    });
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["type"], "session_meta");
    assert_eq!(first["payload"]["id"], fork.conversation);
    assert_eq!(first["payload"]["forked_from_id"], stem.conversation);
    assert_eq!(first["payload"]["cwd"], work.to_str().unwrap());
}

/// The rollouts that a process holds open, which all must be of one conversation.
#[track_caller]
fn rollouts(pid: i32, id: &str) -> Vec<std::path::PathBuf> {
    let mut paths = open_files(pid);
    paths.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    paths.dedup();
    for path in &paths {
        let name = Path::new(path.file_name().unwrap()).to_str().unwrap();
        assert!(name.ends_with(&format!("-{id}.jsonl")), "{}", path.display());
    }
    paths
}
