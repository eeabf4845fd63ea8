//! What holds for each of them.

use super::{begin_anew, hooked, stamped_in, wait_for_stamp};
use crate::support::set_up::SetUp;
use std::path::PathBuf;

/// Two in one directory, killed with the server, are back on their own conversations, and again after a
/// second time.
fn two_in_one_directory(agent: &str) {
    let set_up = hooked(&[agent]);
    let command = format!("exec {agent}");
    let ids = [
        stamped_in(&set_up, "new-session -d -s a", &command),
        stamped_in(&set_up, "new-window -t a:", &command),
    ];
    for round in [1, 2] {
        set_up.save();
        for (pane, id) in ["a:0.0", "a:1.0"].iter().zip(&ids) {
            assert_eq!(set_up.conversation(pane).as_ref(), Some(id), "round {round}");
            assert_eq!(set_up.row(pane).agent.as_deref(), Some(agent.as_bytes()));
        }
        set_up.crash();
        set_up.restore();
        set_up.wait_for_starts(2 + 2 * round);
        for (pane, id) in ["a:0.0", "a:1.0"].iter().zip(&ids) {
            assert_eq!(&set_up.conversation_shown(pane), id, "{pane}, round {round}");
            wait_for_stamp(&set_up, id);
        }
    }
}

/// What was begun in the agent counts, not what it was started with.
fn after_a_new_conversation(agent: &str) {
    let set_up = hooked(&[agent]);
    let old = stamped_in(&set_up, "new-session -d -s a", &format!("exec {agent}"));
    let new = begin_anew(&set_up, "a:0.0", &old);
    wait_for_stamp(&set_up, &new);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").as_ref(), Some(&new));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("a:0.0"), new);
}

/// One that a person typed at a shell's prompt: the shell is there again after it.
fn typed_at_a_prompt(agent: &str) {
    let set_up = hooked(&[agent]);
    set_up.t("new-session -d -s a bash --norc");
    set_up.type_line("a:0.0", agent);
    set_up.wait_for_starts(1);
    let id = set_up.conversation_shown("a:0.0");
    wait_for_stamp(&set_up, &id);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").as_ref(), Some(&id));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("a:0.0"), id);
    set_up.type_line("a:0.0", "/exit");
    set_up.type_line("a:0.0", "echo a-$((20 + 3))");
    set_up.wait_for_text("a:0.0", "a-23");
}

/// The hook's file is there once, twice the same, and gone or as it was before.
fn hook_leaves_no_trace(agent: &str, file: &str) {
    let set_up = SetUp::new();
    let file: PathBuf = set_up.sandbox.home().join(file);
    let hook =
        |how: &str| set_up.persist(&format!("hook --{how} --agent {agent} --json")).ok().json();
    assert_eq!(hook("uninstall")["result"], "unchanged");
    assert_eq!(hook("install")["result"], "installed");
    let installed = std::fs::read_to_string(&file).unwrap();
    assert!(installed.contains(env!("CARGO_BIN_EXE_persist")), "{installed}");
    assert_eq!(hook("install")["result"], "unchanged");
    assert_eq!(hook("uninstall")["result"], "removed");
    assert!(!file.exists());
    // What another wrote stays as it is.
    let foreign = "{\n  \"theme\": \"dark\"\n}\n";
    std::fs::write(&file, foreign).unwrap();
    let run = set_up.persist(&format!("hook --install --agent {agent}"));
    if file.extension().unwrap() == "json" && file.ends_with("settings.json") {
        run.ok();
        assert!(std::fs::read_to_string(&file).unwrap().contains("\"theme\": \"dark\""));
        assert_eq!(hook("uninstall")["result"], "removed");
    } else {
        let run = run.code(1);
        assert!(run.err().contains("left as it is"), "{}", run.err());
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
    // Nor is a link out of the home followed.
    let outside = set_up.sandbox.root().join("outside");
    std::fs::write(&outside, foreign).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&outside, &file).unwrap();
    for how in ["install", "uninstall"] {
        let run = set_up.persist(&format!("hook --{how} --agent {agent}")).code(1);
        assert!(run.err().contains("leads out of the home"), "{}", run.err());
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), foreign);
}

macro_rules! for_each {
    ($($agent:ident: $file:literal;)*) => {
        $(mod $agent {
            const NAME: &str = stringify!($agent);

            #[test]
            fn two_in_one_directory_come_back_each_on_its_own_conversation() {
                super::two_in_one_directory(NAME);
            }

            #[test]
            fn after_a_new_conversation_in_the_agent_that_one_comes_back() {
                super::after_a_new_conversation(NAME);
            }

            #[test]
            fn one_that_was_typed_at_a_prompt_has_its_shell_again() {
                super::typed_at_a_prompt(NAME);
            }

            #[test]
            fn its_hook_is_removed_without_a_trace_and_leaves_what_others_wrote() {
                super::hook_leaves_no_trace(NAME, $file);
            }
        })*
    };
}

for_each! {
    copilot: ".copilot/hooks/terminal-lobby.json";
    gemini: ".gemini/settings.json";
    opencode: ".config/opencode/plugin/terminal-lobby.js";
    pi: ".pi/agent/extensions/terminal-lobby.ts";
    qwen: ".qwen/settings.json";
}
