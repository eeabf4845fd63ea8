//! Which options come back.

use super::{arguments_after, restored};
use crate::support::set_up::{SetUp, Started};
use std::path::Path;

#[test]
fn the_options_of_an_agent_come_back_without_its_prompt_and_its_conversation() {
    let line = "claude --dangerously-skip-permissions --model opus --add-dir ../lib";
    let expected = "--dangerously-skip-permissions --model opus --add-dir ../lib --resume ID";
    assert_eq!(arguments_after(line), expected);
}

#[test]
fn the_options_of_codex_come_back_before_the_subcommand() {
    let arguments = arguments_after("codex --yolo --profile work");
    assert_eq!(arguments, "--no-daemon --yolo --profile work resume ID");
}

#[test]
fn a_prompt_is_not_sent_again_wherever_it_stands() {
    for line in [
        "claude --model opus -- 'fix the bug'",
        "claude 'fix the bug' --model opus",
        "claude --model opus 'fix the bug'",
        "claude --model=opus fix the bug",
    ] {
        let arguments = arguments_after(line);
        let expected = ["--model opus --resume ID", "--model=opus --resume ID"];
        assert!(expected.contains(&arguments.as_str()), "{line}: {arguments}");
    }
}

#[test]
fn options_that_take_several_values_and_values_with_spaces_come_back_whole() {
    let set_up = SetUp::new();
    let line = "claude --allowedTools 'Bash(git *)' Edit --mcp-config a.json b.json \
        --append-system-prompt 'Be brief. -c' --settings '{\"a\": 1}' --verbose";
    let id = set_up.agent_in("new-session -d -s a", line);
    let first = set_up.started().swap_remove(0);
    let again = restored(&set_up, 1);
    let mut expected = first.argv[1..].to_vec();
    expected.extend(["--resume".to_owned(), id]);
    assert_eq!(again.argv[1..], expected);
}

#[test]
fn an_option_of_a_newer_version_comes_back_with_its_value() {
    let arguments = arguments_after("claude --from-the-future yes --also --model x");
    assert_eq!(arguments, "--from-the-future yes --also --model x --resume ID");
}

#[test]
fn options_come_back_again_and_again() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude --model opus --add-dir ../lib");
    for round in 1..4 {
        let again = restored(&set_up, round);
        let expected = format!("--model opus --add-dir ../lib --resume {id}");
        assert_eq!(again.arguments(), expected, "round {round}");
        set_up.conversation_shown("a:0.0");
    }
}

#[test]
fn options_of_an_agent_that_waits_for_enter_come_back() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude --model opus");
    set_up.save();
    for _ in 0..2 {
        set_up.crash();
        set_up.persist("restore --mode lazy").ok();
        set_up.wait_for_text("a", "Enter resumes it");
        set_up.save();
    }
    set_up.t("send-keys -t a Enter");
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.arguments(), format!("--model opus --resume {id}"));
}

#[test]
fn configured_arguments_are_not_doubled() {
    let set_up = SetUp::new();
    let dir = set_up.sandbox.home().join(".config/terminal-lobby");
    std::fs::create_dir_all(&dir).unwrap();
    let toml = "[agents.claude]\narguments = ['--model', 'sonnet', '--verbose']\n";
    std::fs::write(dir.join("launcher.toml"), toml).unwrap();
    let launcher = Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("start-claude");
    let line = format!("exec {} --no-freshen", launcher.display());
    let id = set_up.agent_in("new-session -d -s a", &line);
    let first = set_up.started()[0].arguments();
    assert!(first.ends_with("--model sonnet --verbose"), "{first}");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--model sonnet --verbose --resume {id}"));
}

#[test]
fn the_name_that_a_user_gave_to_a_conversation_is_left() {
    let set_up = SetUp::new();
    let one = set_up.agent_in("new-session -d -s web", "claude");
    let two = set_up.agent_in("split-window -t web", "claude --name mine");
    set_up.save();
    set_up.crash();
    set_up.restore();
    let all = set_up.wait_for_starts(4);
    let mut again: Vec<String> = all[2..].iter().map(Started::arguments).collect();
    again.sort();
    let mut expected = [format!("--resume {one}"), format!("--resume {two}")];
    expected.sort();
    assert_eq!(again, expected);
}

#[test]
fn a_conversation_that_was_never_prompted_keeps_its_name_and_its_options() {
    let mut set_up = SetUp::new();
    set_up.set("STUB_PROMPTED", "");
    let id = set_up.agent_in("new-session -d -s a", "claude --name mine --model x");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--name mine --model x --session-id {id}"));
}
