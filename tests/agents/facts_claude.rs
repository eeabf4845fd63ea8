//! What Claude Code does, as far as the code relies on it.

use super::{new_id, run_in_pane, start_time};
use crate::support::sandbox::{ended, kill};
use crate::support::{AgentLab, run, wait_for, wait_until};
use std::path::Path;

/// The directory name that stands for a working directory.
fn slug(cwd: &Path) -> String {
    let cwd = cwd.to_str().unwrap();
    let slug: String = cwd
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte),
            _ => '-',
        })
        .collect();
    if slug.len() <= 200 {
        return slug;
    }
    let hash = cwd
        .encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    format!("{}-{}", &slug[..200], base36(hash.unsigned_abs()))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).unwrap());
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[test]
fn claude_keeps_a_live_record_and_a_transcript_by_slug() {
    let Some(lab) = AgentLab::new() else { return };
    let cwd = lab.sandbox.work().join("a.b_c 😀é");
    std::fs::create_dir(&cwd).unwrap();
    lab.trust(&cwd);
    let id = new_id();
    let agent = lab.start_claude("facts", &cwd, &["--session-id", &id]);

    let record = lab.live_record(agent.pid).unwrap();
    assert_eq!(record["pid"], agent.pid);
    assert_eq!(record["sessionId"], id.as_str());
    assert_eq!(record["cwd"], cwd.to_str().unwrap());
    assert_eq!(record["procStart"], start_time(agent.pid).as_str());
    assert_eq!(record["kind"], "interactive");
    let argv = std::fs::read_to_string(format!("/proc/{}/cmdline", agent.pid)).unwrap();
    assert_eq!(argv, format!("claude\0--session-id\0{id}\0"));
    assert_eq!(lab.transcript(&id), None, "no transcript before the first prompt");

    lab.prompt(&agent, "first words");
    let projects = lab.sandbox.home().join(".claude/projects");
    let file = projects.join(slug(&cwd)).join(format!("{id}.jsonl"));
    assert_eq!(lab.transcript(&id), Some(file));

    // The record follows /clear; the file of the new conversation waits for its first prompt.
    lab.enter(&agent.pane, "/clear");
    let cleared = wait_for("the live record has a new conversation", || {
        let now = lab.live_record(agent.pid)?["sessionId"].as_str()?.to_owned();
        (now != id).then_some(now)
    });
    assert_eq!(lab.prompt(&agent, "second words").session.as_ref(), Some(&cleared));

    // SIGHUP, as kill-session sends it, takes the record away.
    lab.tmux(["kill-session", "-t", "=facts"]).ok();
    let sessions = lab.sandbox.home().join(".claude/sessions");
    wait_until("the live record is removed", || {
        !sessions.join(format!("{}.json", agent.pid)).exists()
    });
    wait_until("it has written what it writes at its end", || ended(agent.pid));
}

#[test]
fn claude_shortens_a_long_slug_by_a_hash() {
    let Some(lab) = AgentLab::new() else { return };
    let cwd = lab.sandbox.work().join("d".repeat(120)).join("é".repeat(80));
    std::fs::create_dir_all(&cwd).unwrap();
    let id = new_id();
    let mut claude = lab.command("claude");
    run(claude.args(["-p", "--session-id", &id, "words"]).current_dir(&cwd)).ok();
    let dir = slug(&cwd);
    assert!(dir.len() > 200, "{dir}");
    let projects = lab.sandbox.home().join(".claude/projects");
    assert_eq!(lab.transcript(&id), Some(projects.join(dir).join(format!("{id}.jsonl"))));
}

#[test]
fn claude_resumes_what_was_prompted_and_only_that() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let (prompted, silent, unknown) = (new_id(), new_id(), new_id());
    let sub = work.join("sub");
    std::fs::create_dir(&sub).unwrap();
    lab.trust(&sub);
    // Without it the server would go with the last agent, and meet the next client while going.
    lab.start(&["new-session"], &work, &["sh"]);
    let first = lab.start_claude("prompted", &work, &["--session-id", &prompted]);
    let never = lab.start_claude("silent", &work, &["--session-id", &silent]);
    lab.prompt(&first, "remember");
    kill(first.pid);
    kill(never.pid);
    let record = lab.sandbox.home().join(format!(".claude/sessions/{}.json", first.pid));
    wait_until("both are gone", || ended(first.pid) && ended(never.pid));
    assert!(record.exists(), "a killed Claude leaves its record");

    let (code, screen) = run_in_pane(&lab, &["claude", "--resume", &unknown]);
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains(&format!("No conversation found with session ID: {unknown}")),
        "{screen}"
    );
    let (code, screen) = run_in_pane(&lab, &["claude", "--resume", &silent]);
    assert_eq!(code, 1, "{screen}");
    let (code, screen) = run_in_pane(&lab, &["claude", "--session-id", &prompted]);
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains(&format!("Session ID {prompted} is already in use.")), "{screen}");

    let again = lab.start_claude("silent", &work, &["--session-id", &silent]);
    assert_eq!(again.conversation, silent);
    assert!(record.exists(), "the next Claude leaves the records of dead processes");

    // Since 2.1.231 by its id from any directory, into the same file.
    let file = lab.transcript(&prompted).unwrap();
    let elsewhere = lab.start_claude("elsewhere", &sub, &["--resume", &prompted]);
    assert_eq!(elsewhere.conversation, prompted);
    let turn = lab.prompt(&elsewhere, "from elsewhere");
    assert_eq!(turn.user_texts, ["remember", "from elsewhere"]);
    assert_eq!(lab.transcript(&prompted), Some(file));
    lab.tmux(["kill-session", "-t", "=elsewhere"]).ok();
    wait_until("it is gone", || ended(elsewhere.pid));

    let resumed = lab.start_claude("prompted", &work, &["--resume", &prompted]);
    assert_eq!(resumed.conversation, prompted);
    let turn = lab.prompt(&resumed, "recall");
    assert_eq!(turn.session.as_ref(), Some(&prompted));
    assert_eq!(turn.user_texts, ["remember", "from elsewhere", "recall"]);
}
