//! Other login shells than bash: zsh and fish.

use super::typed;
use crate::support::lacks::lacks;
use crate::support::set_up::{SetUp, Started};
use std::path::Path;

const ZSH: &str = "/usr/bin/zsh";
const FISH: &str = "/usr/bin/fish";

/// A set-up whose user has that login shell and this start file; `None` if the machine has no such shell.
fn with_shell(test: &str, shell: &str, file: &str, lines: &str) -> Option<SetUp> {
    if !Path::new(shell).exists() {
        lacks(test, shell);
        return None;
    }
    let mut set_up = SetUp::new();
    set_up.set("SHELL", shell);
    let file = set_up.sandbox.home().join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, lines).unwrap();
    // Without these, fish makes them in the background.
    let completions = set_up.sandbox.home().join(".local/share/fish/generated_completions");
    std::fs::create_dir_all(completions).unwrap();
    set_up.tmux_conf(&format!("set -g default-shell {shell}\n"));
    Some(set_up)
}

/// The agent that a restore starts with a server which has none of the start file's variables.
fn restored(set_up: &mut SetUp, before: usize) -> Started {
    set_up.save();
    set_up.crash();
    set_up.set("FROM_START_FILE", "");
    set_up.restore();
    set_up.wait_for_starts(before + 1).swap_remove(before)
}

#[test]
fn agents_get_the_keys_that_start_files_of_zsh_and_fish_export() {
    let fish = "set -gx FROM_START_FILE key\n";
    let interactive = "status is-interactive; and set -gx FROM_START_FILE key\n";
    let login = "if status is-login\n  set -gx FROM_START_FILE key\nend\n";
    for (shell, file, text) in [
        (ZSH, ".zshenv", "export FROM_START_FILE=key\n"),
        (ZSH, ".zprofile", "export FROM_START_FILE=key\n"),
        (ZSH, ".zshrc", "[[ -o interactive ]] && export FROM_START_FILE=key\n"),
        (ZSH, ".zlogin", "export FROM_START_FILE=key\n"),
        (FISH, ".config/fish/config.fish", fish),
        (FISH, ".config/fish/conf.d/keys.fish", fish),
        (FISH, ".config/fish/config.fish", interactive),
        (FISH, ".config/fish/config.fish", login),
    ] {
        let Some(mut set_up) = with_shell("keys_of_start_files", shell, file, text) else {
            continue;
        };
        let id = set_up.agent_in("new-session -d -s a", "claude");
        let again = restored(&mut set_up, 1);
        assert_eq!(again.arguments(), format!("--resume {id}"), "{file}");
        assert_eq!(again.env["FROM_START_FILE"], "key", "{file}: {text}");
    }
}

#[test]
fn after_an_agent_there_is_the_shell_in_which_it_was_typed() {
    for (shell, file) in [(ZSH, ".zshrc"), (FISH, ".config/fish/config.fish")] {
        let Some(mut set_up) = with_shell("shell_after_an_agent", shell, file, "\n") else {
            continue;
        };
        set_up.t("new-session -d -s a");
        set_up.t("new-session -d -s plain");
        let id = typed(&set_up, "claude --model x 'a prompt'");
        for round in 1..3 {
            let again = restored(&mut set_up, round);
            assert_eq!(again.arguments(), format!("--model x --resume {id}"), "{shell}");
            set_up.conversation_shown("a");
        }
        set_up.type_line("a", "/exit");
        let name = Path::new(shell).file_name().unwrap().to_str().unwrap().to_owned();
        set_up.wait_for_panes("#{pane_current_command}", &[name.clone(), name]);
    }
}

#[test]
fn an_agent_that_was_lost_in_a_pane_of_fish_or_zsh_comes_back_in_it() {
    for (shell, file) in [(ZSH, ".zshrc"), (FISH, ".config/fish/config.fish")] {
        let Some(set_up) = with_shell("an_agent_in_its_pane", shell, file, "\n") else { continue };
        set_up.t("new-session -d -s a");
        let id = typed(&set_up, "claude");
        set_up.save();
        let pane = set_up.panes("#{pane_id}");
        crate::support::sandbox::kill(set_up.started()[0].pid);
        let name = Path::new(shell).file_name().unwrap().to_str().unwrap().to_owned();
        set_up.wait_for_panes("#{pane_current_command}", &[name]);
        set_up.restore();
        set_up.wait_for_starts(2);
        assert_eq!(set_up.conversation_shown("a"), id, "{shell}");
        assert_eq!(set_up.panes("#{pane_id}"), pane, "{shell}");
    }
}
