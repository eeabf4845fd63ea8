//! `--wait`: what was here, for almost nothing, until Enter.

use super::{called, endings, in_pane, install_agent, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use terminal_lobby::snapshot::{Row, State};

/// A sandbox with a conversation that has a title, and a pane that waits for it.
fn waiting() -> Sandbox {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exec sleep 1000");
    let work = sandbox.work().canonicalize().unwrap();
    let line = format!(
        "{{\"type\":\"user\",\"cwd\":\"{}\",\"message\":{{\"content\":\"fix the \\u001b[31mlogin\"}}}}\n",
        work.display()
    );
    std::fs::write(sandbox.prompt(&id(1)), line).unwrap();
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--wait", "--resume", &id(1)]);
    waits_for(&sandbox, "Enter resumes it, q closes it.");
    sandbox
}

#[test]
fn a_waiting_pane_says_what_was_here_costs_little_and_resumes_on_enter() {
    let sandbox = waiting();
    waits_for(&sandbox, "claude was here: fix the \\x1b[31mlogin");
    waits_for(
        &sandbox,
        &format!("in {}, last active", sandbox.work().canonicalize().unwrap().display()),
    );
    let pid = sandbox.tmux(["display-message", "-p", "-t", "pane", "#{pane_pid}"]).ok().out();
    let status = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.trim())).unwrap();
    let kib = |what: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // The pages of a debug build's file say nothing, and count as written to for as long as the
    // disk lacks them: the benchmark measures the release's.
    let own = kib("Anonymous:");
    assert!(own < 1024, "{own} KiB of its own");
    assert!(!sandbox.root().join("called").exists());
    sandbox.tmux(["send-keys", "-t", "pane", "C-c"]).ok();
    sandbox.tmux(["send-keys", "-t", "pane", "x", "Enter"]).ok();
    waits_for(&sandbox, "x");
    assert_eq!(called(&sandbox)[1..], ["--resume", &id(1)], "{}", super::screen(&sandbox));
}

#[test]
fn a_save_reads_the_conversation_of_a_waiting_launcher_from_its_arguments() {
    let sandbox = waiting();
    sandbox.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows;
    let row = rows.iter().find(|row| row.session == b"pane").unwrap();
    assert_eq!(row.conversation.as_deref(), Some(id(1).as_bytes()));
    assert_eq!(
        (row.agent.as_deref(), row.evidence.as_deref()),
        (Some(&b"claude"[..]), Some(&b"argv"[..]))
    );
    assert_eq!((row.state, row.prompted), (State::Suspended, Some(true)));
}

/// What a save says of the pane.
fn saved(sandbox: &Sandbox) -> Option<Row> {
    sandbox.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows;
    rows.into_iter().find(|row| row.session == b"pane" && row.state != State::Lost)
}

#[test]
fn a_launcher_that_was_woken_does_not_wait_any_more_whatever_becomes_of_its_agent() {
    let sandbox = waiting();
    let persist = sandbox.home().join("asked");
    // It neither draws nor leaves a record, and then fails.
    install_agent(
        &sandbox,
        &format!("while [ ! -e '{}' ]; do sleep 0.05; done; exit 3", persist.display()),
    );
    assert_eq!(saved(&sandbox).unwrap().state, State::Suspended);
    sandbox.tmux(["send-keys", "-t", "pane", "Enter"]).ok();
    called(&sandbox);
    let row = saved(&sandbox).unwrap();
    assert_eq!((row.state, row.conversation.as_deref()), (State::Live, Some(id(1).as_bytes())));
    std::fs::write(&persist, "").unwrap();
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh", "sh"]);
    let state = saved(&sandbox).map(|row| row.state);
    assert!(!matches!(state, Some(State::Live | State::Suspended)), "{state:?}");
}

#[test]
fn a_launcher_with_an_agent_below_it_does_not_wait_even_if_its_arguments_say_so() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exec sleep 1000");
    let agent = sandbox.home().join(".local/bin/claude");
    let script = format!(
        "exec -a start-claude sh -c '{} --resume {} & wait' --wait --resume {}",
        agent.display(),
        id(1),
        id(1)
    );
    sandbox.tmux(["new-session", "-d", "-s", "pane", "--", "bash", "-c", &script]).ok();
    called(&sandbox);
    let row = saved(&sandbox).unwrap();
    assert_eq!((row.state, row.conversation.as_deref()), (State::Live, Some(id(1).as_bytes())));
}

#[test]
fn one_that_waits_for_an_agent_without_ids_stands_for_the_conversation_it_takes_the_place_of() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exec sleep 1000");
    let bin = sandbox.home().join(".local/bin");
    std::fs::rename(bin.join("claude"), bin.join("codex")).unwrap();
    in_pane(&sandbox, &["--wait", "--agent", "codex", "--instead-of", &id(1), "--name", "--wait"]);
    waits_for(&sandbox, "Enter starts it, q closes it.");
    let row = saved(&sandbox).unwrap();
    assert_eq!((row.state, row.prompted), (State::Suspended, Some(false)));
    assert_eq!(row.conversation.as_deref(), Some(id(1).as_bytes()));
    sandbox.tmux(["send-keys", "-t", "pane", "Enter"]).ok();
    assert_eq!(called(&sandbox)[1..], ["--no-daemon"]);
}

#[test]
fn one_that_was_replaced_by_an_upgrade_meanwhile_still_wakes() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exec sleep 1000");
    let program = sandbox.root().join("start-claude");
    std::fs::copy(super::start_claude(), &program).unwrap();
    let words = ["env", program.to_str().unwrap(), "--wait", "--session", &id(1), "--name", "x"];
    sandbox.tmux([&["new-session", "-d", "-s", "pane", "--"][..], &words].concat()).ok();
    waits_for(&sandbox, "Enter starts it, q closes it.");
    std::fs::remove_file(&program).unwrap();
    sandbox.tmux(["send-keys", "-t", "pane", "Enter"]).ok();
    assert_eq!(called(&sandbox)[1..], ["--session-id", &id(1), "--name", "x"]);
}

#[test]
fn q_closes_the_pane_for_good() {
    let sandbox = waiting();
    sandbox.tmux(["send-keys", "-t", "pane", "q"]).ok();
    wait_until("the pane is gone", || sandbox.panes("#{session_name}") == ["keep"]);
    assert!(endings(&sandbox)[0].contains("\tclosed\t"), "{:?}", endings(&sandbox));
}
