//! The pane after its agent, and what is recorded of the end.

use super::{restored, typed};
use crate::support::sandbox::ended;
use crate::support::set_up::SetUp;
use crate::support::wait_until;

/// Waits until all agents that run are older than what counts as a failed start.
#[track_caller]
fn have_worked(set_up: &SetUp) {
    let seen = std::time::Instant::now();
    let running = set_up.started().iter().filter(|started| !ended(started.pid)).count();
    assert!(running > 0, "no agent runs");
    wait_until("the agents have worked for over a second", || {
        seen.elapsed() > std::time::Duration::from_millis(1500)
    });
}

#[test]
fn a_shell_below_an_agent_is_there_again_after_it_and_an_agents_own_pane_ends() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    typed(&set_up, "claude");
    set_up.agent_in("new-session -d -s own", "claude");
    set_up.agent_in("new-session -d -s more", "claude; exec sleep 1000");
    for round in 0..2 {
        set_up.save();
        let flags: Vec<bool> =
            ["a:0.0", "more:0.0", "own:0.0"].map(|at| set_up.row(at).pane_flags.shell).into();
        assert_eq!(flags, [true, true, false], "round {round}");
        set_up.crash();
        set_up.restore();
        set_up.wait_for_starts(6 + 3 * round);
    }
    let sessions = ["a", "more", "own"];
    for session in sessions {
        set_up.conversation_shown(session);
    }
    have_worked(&set_up);
    for session in sessions {
        set_up.type_line(session, "/exit");
    }
    wait_until("shells are left where they were", || {
        set_up.panes("#{session_name} #{pane_current_command}") == ["a bash", "more bash"]
    });
}

#[test]
fn a_shell_stays_in_its_window_beside_other_panes() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.t("split-window -t a");
    typed(&set_up, "claude");
    restored(&set_up, 1);
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("two shells", || set_up.panes("#{pane_current_command}") == ["bash", "bash"]);
}

#[test]
fn the_shell_after_an_agent_has_none_of_the_agents_variables() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    typed(&set_up, "ANTHROPIC_MODEL=opus claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.env.get("ANTHROPIC_MODEL").map(String::as_str), Some("opus"));
    assert!(!again.env.keys().any(|name| name.starts_with("TERMINAL_LOBBY")), "{:?}", again.env);
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("a shell", || set_up.panes("#{pane_current_command}") == ["bash"]);
    set_up.type_line("a", "echo \"<$ANTHROPIC_MODEL$TERMINAL_LOBBY_AGENT_ENVIRONMENT>\"");
    set_up.wait_for_text("a", "\n<>");
    let session = set_up.t("show-environment -t a").out();
    assert!(!session.contains("\nTERMINAL_LOBBY"), "{session}");
}

#[test]
fn what_is_closed_stays_closed_with_a_state_directory_of_its_own() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    let id = set_up.agent_in("new-session -d -s a", "claude");
    restored(&set_up, 1);
    set_up.conversation_shown("a");
    have_worked(&set_up);
    set_up.type_line("a", "/exit");
    wait_until("the session is closed", || set_up.panes("#{session_name}") == ["keep"]);
    let endings = set_up.sandbox.user_state().join("endings.tsv");
    let text = std::fs::read_to_string(&endings).unwrap();
    assert!(text.contains(&id) && text.contains("\tclosed\t"), "{text}");
    let elsewhere = set_up.sandbox.root().join("xdg-state");
    assert!(!elsewhere.exists(), "nothing went to the default state directory");
    set_up.save();
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}"), ["keep"]);
}

#[test]
fn the_launcher_works_on_the_same_socket_and_configuration() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "claude");
    restored(&set_up, 1);
    let pid = &set_up.panes("#{pane_pid}")[0];
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let config = set_up.sandbox.config();
    for expected in [
        format!("\0--state-dir\0{}\0", set_up.sandbox.state().display()),
        "\0--socket\0default\0".to_owned(),
        format!("\0--config\0{}\0", config.display()),
    ] {
        assert!(words.contains(&expected), "{expected:?}: {words:?}");
    }
}

#[test]
fn an_older_snapshot_restores_with_a_shell_after_its_agent() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude --model x");
    let mut old = set_up.save();
    for row in &mut old.rows {
        row.agent_program = None;
        row.agent_environment = None;
    }
    set_up.crash();
    let file = set_up.sandbox.root().join("old.tsv");
    std::fs::write(&file, terminal_lobby::snapshot::encode(&old)).unwrap();
    set_up.persist(&format!("restore --from {}", file.display())).ok();
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.arguments(), format!("--model x --resume {id}"));
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("a shell", || set_up.panes("#{pane_current_command}") == ["bash"]);
}
