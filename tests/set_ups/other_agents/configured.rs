//! Agents that only the configuration describes, as `docs/agents.md` shows.

use super::{evidence, last_start, wait_for_stamp};
use crate::support::set_up::SetUp;
use crate::support::wait_until;

const ID: &str = "33333333-0000-4000-8000-000000000003";

/// The table of the documentation's example, with this agent's name.
fn described(more: &str) -> SetUp {
    let set_up = SetUp::new();
    set_up.install(&["goose"]);
    let dir = set_up.sandbox.home().join(".config/terminal-lobby");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("launcher.toml"), format!("[agents.goose]\n{more}\n")).unwrap();
    set_up
}

#[test]
fn one_is_known_from_its_arguments_and_resumed_by_its_own() {
    let set_up = described(
        "command = ['goose']\nresume = ['--resume', '{id}']\nid_options = ['--resume', '--session-id']",
    );
    set_up.agent_in("new-session -d -s a", &format!("exec goose --session-id {ID}"));
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").as_deref(), Some(ID));
    assert_eq!(set_up.row("a:0.0").agent.as_deref(), Some(&b"goose"[..]));
    assert_eq!(evidence(&set_up, "a:0.0"), "argv");
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(last_start(&set_up), format!("--resume {ID}"));
}

#[test]
fn one_is_known_from_a_file_that_it_holds_and_follows_its_new_conversation() {
    let set_up = described(
        "command = ['goose']\nresume = ['--resume', '{id}']\nheld_file = '.goose/{id}.lock'\n\
         id_options = ['--session-id']",
    );
    let command = format!("STUB_HOLDS=1 exec goose --session-id {ID}");
    set_up.agent_in("new-session -d -s a", &command);
    set_up.type_line("a:0.0", "/new");
    wait_until("the new one", || set_up.conversation_shown("a:0.0") != ID);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(set_up.conversation_shown("a:0.0")));
    assert_eq!(evidence(&set_up, "a:0.0"), "files");
}

#[test]
fn one_is_known_from_the_stamp_that_its_own_hook_has_made() {
    let mut set_up = described("command = ['goose']\nresume = ['--resume', '{id}']");
    let state = set_up.sandbox.state();
    let hook = format!(
        "{} hook --agent goose --state-dir {}",
        env!("CARGO_BIN_EXE_persist"),
        state.to_str().unwrap()
    );
    set_up.set("STUB_HOOK", &hook);
    let command = format!("STUB_HOOK='{hook}' exec goose");
    let ids = [
        set_up.agent_in("new-session -d -s a", &command),
        set_up.agent_in("new-window -t a:", &command),
    ];
    for id in &ids {
        wait_for_stamp(&set_up, id);
    }
    set_up.save();
    assert_eq!(evidence(&set_up, "a:0.0"), "stamp");
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(4);
    for (pane, id) in ["a:0.0", "a:1.0"].iter().zip(&ids) {
        assert_eq!(&set_up.conversation_shown(pane), id);
    }
}

#[test]
fn one_whose_transcript_is_described_is_not_resumed_without_one() {
    let set_up = described(
        "command = ['goose']\nresume = ['--resume', '{id}']\nnew = ['--session-id', '{id}']\n\
         id_options = ['--resume', '--session-id']\ntranscript = '~/.goose/{id}.json'",
    );
    let command = format!("STUB_PROMPTED= exec goose --session-id {ID}");
    set_up.agent_in("new-session -d -s a", &command);
    set_up.save();
    assert_eq!(set_up.row("a:0.0").prompted, Some(false));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(last_start(&set_up), format!("--session-id {ID}"));
}

#[test]
fn the_example_of_the_documentation_works_as_it_stands() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/agents.md");
    let page = std::fs::read_to_string(page).unwrap();
    let example = page.split_once("```toml\n[agents.goose]\n").unwrap().1;
    let set_up = described(example.split_once("```").unwrap().0);
    // `goose session` is its command.
    let command = format!("STUB_HOLDS=1 exec goose session --session-id {ID}");
    let id = set_up.agent_in("new-session -d -s a", &command);
    set_up.save();
    let row = set_up.row("a:0.0");
    assert_eq!((row.conversation.as_deref(), row.prompted), (Some(id.as_bytes()), Some(true)));
    assert_eq!(evidence(&set_up, "a:0.0"), "files");
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(last_start(&set_up), format!("session --resume {ID}"));
}

#[test]
fn words_with_which_one_does_not_converse_are_no_conversation() {
    let set_up = described("command = ['goose']\nnot_conversing = ['run', '--version']");
    set_up.agent_in("new-session -d -s a", "exec goose run hello");
    set_up.agent_in("new-window -t a:", "exec goose");
    set_up.save();
    assert_eq!(set_up.row("a:0.0").agent, None);
    assert_eq!(set_up.row("a:1.0").agent.as_deref(), Some(&b"goose"[..]));
}

#[test]
fn without_a_description_it_is_a_program_like_others() {
    let set_up = SetUp::new();
    set_up.install(&["goose"]);
    set_up.agent_in("new-session -d -s a", &format!("exec goose --session-id {ID}"));
    set_up.save();
    assert_eq!(set_up.row("a:0.0").agent, None);
}

#[test]
fn a_hook_can_be_installed_only_for_agents_that_have_one() {
    let set_up = described("command = ['goose']");
    let run = set_up.persist("hook --install --agent goose").code(2);
    assert!(run.err().contains("unknown agent 'goose'"), "{}", run.err());
}
