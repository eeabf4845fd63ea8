//! Agents that a person names: they end, their panes wait, and they come back as they were.

use super::{next_second, set_up, wait_until_ended};
use crate::support::set_up::SetUp;
use crate::support::{sandbox, wait_until};
use std::path::Path;

#[test]
fn an_agent_gives_back_its_memory_and_enter_brings_it_back() {
    let set_up = set_up();
    let claude = set_up.agent_in("new-session -d -s a", "claude --model opus");
    let pid = set_up.started()[0].pid;
    let run = set_up.persist("suspend a").ok();
    assert!(run.out().contains("1 agent suspended ("), "{}", run.out());
    wait_until_ended(pid);
    let shown = set_up.wait_until_suspended("a");
    assert!(shown.contains("claude was here: hello"), "{shown}");
    let row = set_up.row("a:0.0");
    assert_eq!((row.state.word(), row.conversation), ("suspended", Some(claude.clone().into())));
    set_up.t("send-keys -t a Enter");
    let started = set_up.wait_for_starts(2);
    assert_eq!(started[1].arguments(), format!("--model opus --resume {claude}"));
}

#[test]
fn resume_starts_it_with_its_options_its_environment_and_in_its_directory() {
    let set_up = set_up();
    let (elsewhere, own) = (set_up.directory("elsewhere"), set_up.directory("own"));
    let command = format!("CLAUDE_CONFIG_DIR={own} claude --add-dir x --verbose");
    let claude = set_up.agent_in(&format!("new-session -d -s a -c {elsewhere}"), &command);
    set_up.persist("suspend a").ok();
    set_up.wait_until_suspended("a");
    let run = set_up.persist(&format!("resume {}", &claude[..8])).ok();
    assert!(run.out().contains("1 agent resumed"), "{}", run.out());
    let started = set_up.wait_for_starts(2).pop().unwrap();
    assert_eq!(started.arguments(), format!("--add-dir x --verbose --resume {claude}"));
    assert_eq!((&started.cwd, &started.env["CLAUDE_CONFIG_DIR"]), (&elsewhere, &own));
    set_up.save();
    assert_eq!(set_up.row("a:0.0").state.word(), "live");
}

#[test]
fn a_thread_of_codex_is_resumed_too() {
    let set_up = set_up();
    let codex = set_up.agent_in("new-session -d -s a", "codex --no-daemon");
    set_up.persist("suspend a").ok();
    let shown = set_up.wait_until_suspended("a");
    assert!(shown.contains("codex was here"), "{shown}");
    set_up.t("send-keys -t a Enter");
    let started = set_up.wait_for_starts(2);
    assert!(started[1].arguments().ends_with(&format!("resume {codex}")), "{:?}", started[1]);
}

/// A pane with a shell, in which `claude` was typed.
fn below_a_shell(set_up: &SetUp) -> String {
    set_up.t("new-session -d -s a");
    set_up.sandbox.wait_for_prompt("a");
    set_up.type_line("a", "claude");
    set_up.wait_for_starts(1);
    set_up.conversation_shown("a")
}

#[test]
fn an_agent_below_a_shell_is_followed_by_one_again() {
    let set_up = set_up();
    let claude = below_a_shell(&set_up);
    set_up.persist("suspend a").ok();
    set_up.wait_until_suspended("a");
    set_up.t("send-keys -t a Enter");
    let started = set_up.wait_for_starts(2).pop().unwrap();
    assert!(started.arguments().contains(&claude));
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until_ended(started.pid);
    set_up.type_line("a", "echo shell-$((40 + 2))");
    set_up.wait_for_text("a", "shell-42");
}

#[test]
fn an_agent_without_a_shell_below_it_is_not_given_one() {
    let set_up = set_up();
    set_up.t("new-session -d -s keep");
    set_up.agent_in("new-session -d -s a", "claude");
    set_up.persist("suspend a").ok();
    set_up.wait_until_suspended("a");
    assert!(!set_up.first_process("a").contains("--then-shell"));
    set_up.t("send-keys -t a Enter");
    set_up.wait_for_starts(2);
    // One that ends at once is followed by a shell, whatever was there.
    next_second();
    next_second();
    set_up.type_line("a", "/exit");
    wait_until("its pane is closed", || set_up.panes("#{session_name}") == ["keep"]);
}

#[test]
fn no_close_is_recorded_even_of_an_agent_whose_launcher_sees_it_exit_with_0() {
    let mut set_up = set_up();
    set_up.set("STUB_ENDS", "0");
    let launcher = Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("start-claude");
    let launcher = format!("{} --no-freshen --agent claude", launcher.display());
    let options = format!(
        "--state-dir {} --config {}",
        set_up.sandbox.state().display(),
        set_up.sandbox.config().display()
    );
    let claude = set_up.agent_in("new-session -d -s a", &format!("{launcher} {options}"));
    let pid = set_up.started()[0].pid;
    set_up.persist("suspend a").ok();
    wait_until_ended(pid);
    set_up.wait_until_suspended("a");
    let endings = set_up.sandbox.user_state().join("endings.tsv");
    // The launcher that was replaced records how its agent ended.
    wait_until("its end is recorded", || {
        std::fs::read_to_string(&endings).is_ok_and(|text| text.contains(&claude))
    });
    let endings = std::fs::read_to_string(endings).unwrap();
    assert!(endings.contains("\tlost\t") && !endings.contains("\tclosed\t"), "{endings}");
    let row = set_up.save().rows.remove(0);
    assert_eq!((row.state.word(), row.conversation), ("suspended", Some(claude.into())));
}

#[test]
fn an_agent_that_ignores_the_loss_of_its_terminal_is_killed() {
    let mut set_up = set_up();
    set_up.set("STUB_STAYS", "1");
    // Its input has an end, which it takes for the order to exit: a stub that waits for a pipe has not.
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    let pid = set_up.started()[0].pid;
    set_up.persist("suspend a").ok();
    assert!(sandbox::ended(pid), "the memory was not given back");
    set_up.wait_until_suspended("a");
    assert_eq!(set_up.conversation("a:0.0"), Some(claude));
}

#[test]
fn a_pane_and_a_conversation_can_be_named_and_the_others_stay() {
    let set_up = set_up();
    set_up.agent_in("new-session -d -s a", "claude");
    set_up.agent_in("split-window -t a:0", "claude");
    let third = set_up.agent_in("new-window -t a:", "claude");
    set_up.persist("suspend a:0.1").ok();
    set_up.persist(&format!("suspend {}", &third[..13])).ok();
    let states = ["a:0.0", "a:0.1", "a:1.0"].map(|place| set_up.row(place).state.word());
    assert_eq!(states, ["live", "suspended", "suspended"]);
    let run = set_up.persist("suspend b").code(2);
    assert!(run.err().contains("no live session or pane 'b'"), "{}", run.err());
    set_up.persist("resume ab").code(2);
    let run = set_up.persist("suspend a:0.1").ok();
    assert!(run.err().contains("a:0.1 is suspended already"), "{}", run.err());
    let run = set_up.persist("resume a:0.0").ok();
    assert!(run.err().contains("a:0.0 is live already"), "{}", run.err());
    assert_eq!(set_up.started().len(), 3);
}

#[test]
fn all_panes_of_a_session_are_suspended_and_resumed_together() {
    let set_up = set_up();
    let mut ids = vec![set_up.agent_in("new-session -d -s a", "claude")];
    for _ in 0..3 {
        ids.push(set_up.agent_in("new-window -t a:", "claude"));
    }
    set_up.t("new-window -t a:");
    let report = set_up.persist("suspend a --json").ok().json();
    assert_eq!(report["suspended"], 4, "{report:#}");
    assert!(report["given_back"].as_u64().unwrap() > 0, "{report:#}");
    let report = set_up.persist("resume a --json").ok().json();
    assert_eq!(report["resumed"], 4, "{report:#}");
    let mut resumed: Vec<String> = set_up.wait_for_starts(8)[4..]
        .iter()
        .map(|started| started.argv.last().unwrap().clone())
        .collect();
    resumed.sort();
    ids.sort();
    assert_eq!(resumed, ids, "each on its own conversation");
}

#[test]
fn events_and_metrics_count_what_was_given_back() {
    let mut set_up = set_up();
    set_up.set("STUB_MEMORY", "30");
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    set_up.persist("suspend a").ok();
    set_up.persist("resume a").ok();
    let events = set_up.persist("events --json").ok().json();
    let events = events["events"].as_array().unwrap().clone();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["suspended", "woken"]);
    assert_eq!((&events[0]["conversation"], &events[0]["session"]), (&claude.into(), &"a".into()));
    let bytes = events[0]["bytes"].as_u64().unwrap();
    assert!(bytes > 30 << 20, "{bytes}");
    let metrics = set_up.sandbox.root().join("metrics.prom");
    set_up.persist(&format!("status --metrics {}", metrics.display()));
    let metrics = std::fs::read_to_string(metrics).unwrap();
    let user = sandbox::user();
    for line in [
        format!("tmux_persist_events_total{{user=\"{user}\",kind=\"suspended\"}} 1"),
        format!("tmux_persist_given_back_bytes_total{{user=\"{user}\"}} {bytes}"),
    ] {
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
}
