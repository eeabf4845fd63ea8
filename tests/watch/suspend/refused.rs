//! Agents that are used, or would not come back, are left alone; the reason is printed.

use super::{chosen, outcome, set_up};
use crate::support::set_up::SetUp;
use crate::support::{sandbox, wait_until};

#[track_caller]
fn claude() -> SetUp {
    let set_up = set_up();
    set_up.agent_in("new-session -d -s a", "claude");
    set_up
}

#[test]
fn one_that_works_is_refused_and_force_suspends_it() {
    let set_up = claude();
    set_up.tell("a", "/status busy");
    assert_eq!(set_up.refusal("a", "a:0.0"), "it is working");
    assert_eq!(set_up.started().len(), 1);
    let conversation = set_up.conversation_shown("a");
    set_up.persist("suspend a --force").ok();
    set_up.wait_until_suspended("a");
    assert_eq!(set_up.conversation("a:0.0"), Some(conversation));
}

#[test]
fn a_codex_whose_turn_has_not_ended_is_working() {
    let set_up = set_up();
    set_up.agent_in("new-session -d -s a", "codex --no-daemon");
    set_up.tell("a", "/status busy");
    assert_eq!(set_up.refusal("a", "a:0.0"), "it is working");
    set_up.tell("a", "/status idle");
    set_up.persist("suspend a").ok();
}

#[test]
fn one_that_waits_for_an_answer_is_refused() {
    let set_up = claude();
    set_up.tell("a", "/status waiting");
    assert_eq!(set_up.refusal("a", "a:0.0"), "it waits for an answer");
}

#[test]
fn text_that_was_not_sent_is_not_lost() {
    for agent in ["claude", "codex --no-daemon"] {
        let set_up = set_up();
        set_up.agent_in("new-session -d -s a", agent);
        set_up.t("send-keys -t a -l half");
        set_up.wait_for_text("a", "half");
        let refused = set_up.refusal("a", "a:0.0");
        assert_eq!(refused, "its input line holds text that was not sent", "{agent}");
        assert_eq!(chosen(&set_up.suspend_idle("").ok()), [""; 0], "{agent}");
        assert!(!sandbox::ended(set_up.started()[0].pid));
    }
}

#[test]
fn an_input_line_that_is_not_on_the_screen_counts_as_not_empty() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "claude");
    assert_eq!(set_up.refusal("a", "a:0.0"), "its input line cannot be read");
    set_up.persist("suspend a --force").ok();
}

#[test]
fn one_whose_session_is_attached_is_refused_until_the_client_has_gone() {
    let set_up = claude();
    set_up.agent_in("new-window -t a:", "claude");
    let client = set_up.attach("a");
    assert_eq!(set_up.refusal("a:0.0", "a:0.0"), "a client is attached to its session");
    assert_eq!(set_up.refusal("a:1.0", "a:1.0"), "a client is attached to its session");
    drop(client);
    wait_until("no client is attached", || set_up.panes("#{session_attached}") == ["0", "0"]);
    set_up.persist("suspend a").ok();
}

#[test]
fn a_window_that_another_session_shows_is_looked_at_there() {
    let set_up = claude();
    set_up.t("new-session -d -s other -t a");
    let _client = set_up.attach("other");
    assert_eq!(set_up.refusal("a", "a:0.0"), "a client is attached to its session");
}

#[test]
fn what_it_runs_in_the_background_is_not_ended() {
    let set_up = claude();
    set_up.tell("a", "/background");
    assert_eq!(set_up.refusal("a", "a:0.0"), "sleep runs in its background");
}

#[test]
fn the_servers_of_its_tools_do_not_keep_it() {
    let mut set_up = set_up();
    set_up.set("STUB_TOOLS", "1");
    set_up.agent_in("new-session -d -s a", "claude");
    assert_eq!(sandbox::children(set_up.started()[0].pid).len(), 1);
    set_up.persist("suspend a").ok();
    set_up.wait_until_suspended("a");
}

#[test]
fn one_that_was_never_prompted_is_left_alone_even_with_force() {
    let mut set_up = set_up();
    set_up.set("STUB_PROMPTED", "");
    set_up.agent_in("new-session -d -s a", "claude");
    let why = "its conversation cannot be resumed: it was never prompted";
    assert_eq!(set_up.refusal("a --force", "a:0.0"), why);
    assert!(!sandbox::ended(set_up.started()[0].pid));
}

#[test]
fn one_whose_transcript_is_gone_is_left_alone_even_with_force() {
    let set_up = claude();
    set_up.save();
    std::fs::remove_dir_all(set_up.sandbox.home().join(".claude/projects")).unwrap();
    let why = set_up.refusal("a --force", "a:0.0");
    assert!(why.starts_with("its conversation cannot be resumed: "), "{why}");
    assert!(!sandbox::ended(set_up.started()[0].pid));
}

#[test]
fn one_that_keeps_no_record_does_not_show_whether_it_works() {
    let mut set_up = set_up();
    set_up.set("STUB_NO_RECORD", "1");
    let id = "0d0a8f5e-0000-4000-8000-000000000001";
    set_up.agent_in("new-session -d -s a", &format!("claude --session-id {id}"));
    assert_eq!(set_up.refusal("a", "a:0.0"), "it does not show whether it is working");
}

#[test]
fn a_codex_whose_thread_the_shared_daemon_holds_is_left_alone() {
    let mut set_up = set_up();
    set_up.set("STUB_DAEMON", "1");
    set_up.set("STUB_TITLE", "1");
    set_up.agent_in("new-session -d -s a", "codex");
    assert_eq!(set_up.refusal("a", "a:0.0"), "it does not show whether it is working");
}

#[test]
fn a_job_of_the_shell_below_it_is_not_ended_even_with_force() {
    let set_up = set_up();
    set_up.t("new-session -d -s a");
    set_up.sandbox.wait_for_prompt("a");
    set_up.type_line("a", "sleep 1000 &");
    set_up.type_line("a", "claude");
    set_up.wait_for_starts(1);
    set_up.conversation_shown("a");
    assert_eq!(set_up.refusal("a --force", "a:0.0"), "sleep runs beside it in its pane");
}

#[test]
fn one_that_was_stopped_is_not_in_the_foreground() {
    let set_up = set_up();
    set_up.t("new-session -d -s a");
    set_up.sandbox.wait_for_prompt("a");
    set_up.type_line("a", "claude");
    set_up.wait_for_starts(1);
    set_up.conversation_shown("a");
    set_up.t("send-keys -t a C-z");
    set_up.wait_for_text("a", "Stopped");
    let why = set_up.refusal("a --force", "a:0.0");
    assert_eq!(why, "it does not run in the foreground of its pane");
}

#[test]
fn one_that_a_script_runs_is_left_to_the_script() {
    let set_up = set_up();
    let script = set_up.sandbox.root().join("deploy.sh");
    std::fs::write(&script, "claude\necho and then\n").unwrap();
    set_up.agent_in("new-session -d -s a", &format!("sh {}; true", script.display()));
    let why = set_up.refusal("a --force", "a:0.0");
    assert!(why.ends_with("runs it, and would not go on as it is"), "{why}");
}

#[test]
fn one_in_a_session_that_is_not_saved_is_left_alone() {
    let set_up = claude();
    set_up.t("set-option -t a @persist off");
    assert_eq!(set_up.refusal("a --force", "a:0.0"), "its session is excluded from saves");
}

#[test]
fn the_later_of_record_and_hook_says_what_it_does() {
    let set_up = claude();
    let pid = set_up.started()[0].pid;
    let conversation = set_up.conversation_shown("a");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let began = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap();
    let mark = |at: u64, state: &str| {
        set_up.t(&format!("set-option -p -t a @agent_event {at:020}"));
        set_up.t(&format!("set-option -p -t a @conversation claude:{conversation}:{pid}:{began}"));
        set_up.t(&format!("set-option -p -t a @agent_state {state}"));
    };
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let later = std::time::Duration::from_secs_f64(seconds + 5.0);
    mark(u64::try_from(later.as_nanos()).unwrap(), "busy");
    assert_eq!(set_up.refusal("a", "a:0.0"), "it is working");
    // A turn that was interrupted leaves this mark; the record is later.
    mark(1, "busy");
    let (result, _) = outcome(&set_up.persist("suspend a --json").ok(), "a:0.0");
    assert_eq!(result, "suspended");
}
