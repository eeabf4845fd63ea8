//! The environment: what start files export, what is recorded, and never a secret.

use super::{restored, typed};
use crate::support::set_up::SetUp;

#[test]
fn start_files_that_print_read_or_fail_do_no_harm() {
    let mut set_up = SetUp::new();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let odd = "echo hello; echo wrong >&2; read -r answer; printf 'A=1\\0'; false; stty sane\n";
    std::fs::write(&profile, format!("{text}{odd}export FROM_PROFILE=yes\n")).unwrap();
    set_up.set("FROM_PROFILE", "no");
    let id = set_up.agent_in("new-session -d -s a", "claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert_eq!(again.env["FROM_PROFILE"], "yes");
    let shown = set_up.t("capture-pane -p -t a").out();
    assert!(!shown.contains("hello") && !shown.contains("wrong"), "{shown}");
}

#[test]
fn start_files_that_hang_cost_some_seconds_and_a_message() {
    let set_up = SetUp::new();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let id = set_up.agent_in("new-session -d -s a", "claude");
    std::fs::write(&profile, format!("{text}[ -t 0 ] || sleep 1000\n")).unwrap();
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    let why = "did not end within 5 s: starting without the variables of your login shell";
    set_up.wait_for_text("a", why);
}

#[test]
fn start_files_that_become_another_program_still_give_a_login_environment() {
    let set_up = SetUp::new();
    let home = set_up.sandbox.home();
    let profile = home.join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let odd = "case $- in *i*) [ -t 0 ] || exec true ;; esac\nexport FROM_PROFILE=yes\n";
    std::fs::write(&profile, format!("{text}{odd}")).unwrap();
    let id = set_up.agent_in("new-session -d -s a", "claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert_eq!(again.env["FROM_PROFILE"], "yes");
}

#[test]
fn no_secret_of_an_agents_environment_is_saved_or_shown_in_arguments() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    typed(
        &set_up,
        "ANTHROPIC_API_KEY=sk-secret-1 GITHUB_TOKEN=secret-2 HTTPS_PROXY=http://u:secret-3@h:1 \
         ANTHROPIC_BASE_URL='http://h/?key=secret-4' NO_PROXY=h2 claude",
    );
    let again = restored(&set_up, 1);
    assert_eq!(again.env["NO_PROXY"], "h2");
    for file in set_up.sandbox.snapshots() {
        let path = set_up.sandbox.user_state().join("snapshots").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }
    let pid = &set_up.panes("#{pane_pid}")[0];
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(!words.contains("NO_PROXY") && !words.contains("h2"), "{words:?}");
}

#[test]
fn variables_that_a_site_names_come_back_and_others_do_not() {
    let mut set_up = SetUp::new();
    set_up
        .sandbox
        .configure("save_on_change = false\n[keep]\nagent_environment = ['MY_ACCOUNT']\n");
    set_up.agent_in("new-session -d -s a", "MY_ACCOUNT=work OTHER=x exec claude");
    set_up.set("MY_ACCOUNT", "");
    let again = restored(&set_up, 1);
    assert_eq!(again.env.get("MY_ACCOUNT").map(String::as_str), Some("work"));
    assert_eq!(again.env.get("OTHER"), None);
}

#[test]
fn an_agent_of_the_first_account_does_not_come_back_with_the_second() {
    let mut set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude");
    set_up.save();
    set_up.crash();
    let second = set_up.sandbox.home().join(".claude-work");
    let second = second.to_str().unwrap();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, format!("{text}export CLAUDE_CONFIG_DIR={second}\n")).unwrap();
    // The shell that restores, whose environment a new server gets, and the login shell have it.
    set_up.set("CLAUDE_CONFIG_DIR", second);
    set_up.restore();
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.env.get("CLAUDE_CONFIG_DIR"), None);
    assert_eq!(set_up.conversation_shown("a"), id);
}

#[test]
fn a_pane_that_a_session_gets_later_has_none_of_the_first_agents_environment() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "ANTHROPIC_MODEL=opus exec claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.env["ANTHROPIC_MODEL"], "opus");
    set_up.agent_in("new-window -t a:", "claude");
    let other = set_up.started().swap_remove(2);
    assert!(!other.env.contains_key("ANTHROPIC_MODEL"), "{:?}", other.env);
    assert!(!other.env.keys().any(|name| name.starts_with("TERMINAL_LOBBY")), "{:?}", other.env);
}

#[test]
fn a_view_of_conversations_comes_back_with_its_account_and_its_environment() {
    let set_up = SetUp::new();
    let variables = "CLAUDE_CONFIG_DIR=/srv/work ANTHROPIC_MODEL=opus GITHUB_TOKEN=secret";
    for (session, view) in [("all", "agents"), ("one", "attach 0d0a8f5e")] {
        set_up.t(&format!("new-session -d -s {session}"));
        set_up.type_line(session, &format!("{variables} claude {view}"));
    }
    set_up.wait_for_starts(2);
    for round in 1..3 {
        set_up.save();
        set_up.crash();
        set_up.restore();
        let starts = set_up.wait_for_starts(2 * round + 2);
        let mut again: Vec<_> = starts[2 * round..].iter().collect();
        again.sort_by_key(|start| start.arguments());
        let arguments: Vec<_> = again.iter().map(|start| start.arguments()).collect();
        assert_eq!(arguments, ["agents", "attach 0d0a8f5e"], "round {round}");
        for start in again {
            assert_eq!(start.env["CLAUDE_CONFIG_DIR"], "/srv/work", "round {round}");
            assert_eq!(start.env["ANTHROPIC_MODEL"], "opus", "round {round}");
            assert!(!start.env.contains_key("GITHUB_TOKEN"), "round {round}");
            assert!(!start.env.keys().any(|name| name.starts_with("TERMINAL_LOBBY")), "{start:?}");
        }
    }
}
