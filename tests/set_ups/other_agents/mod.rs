//! Agents beside Claude Code and Codex: what a save makes of them, and that each comes back on its own
//! conversation. `tests/agents` runs the real ones.

mod configured;
mod each;
mod single;

use crate::support::set_up::SetUp;
use crate::support::wait_until;

/// A set-up with stubs of these agents, each with our hook.
fn hooked(names: &[&str]) -> SetUp {
    let set_up = SetUp::new();
    set_up.install(names);
    for name in names {
        set_up.persist(&format!("hook --install --agent {name}")).ok();
    }
    set_up
}

/// Starts an agent in a new pane, and waits until its hook has said which conversation it runs.
fn stamped_in(set_up: &SetUp, new_pane: &str, command: &str) -> String {
    let id = set_up.agent_in(new_pane, command);
    wait_for_stamp(set_up, &id);
    id
}

fn wait_for_stamp(set_up: &SetUp, id: &str) {
    let marked = || set_up.panes("#{@conversation}").iter().any(|mark| mark.contains(id));
    wait_until(&format!("a stamp with {id}"), marked);
}

/// Types the command for a new conversation, and a prompt; gives the conversation.
fn begin_anew(set_up: &SetUp, pane: &str, old: &str) -> String {
    set_up.type_line(pane, "/new");
    wait_until("the new one", || set_up.conversation_shown(pane) != old);
    set_up.type_line(pane, "hello again");
    wait_until("it has an id", || ![old, "none"].contains(&&*set_up.conversation_shown(pane)));
    set_up.conversation_shown(pane)
}

/// The words of the last start of an agent.
fn last_start(set_up: &SetUp) -> String {
    let last = set_up.started().pop().unwrap();
    last.arguments()
}

fn evidence(set_up: &SetUp, pane: &str) -> String {
    let row = set_up.row(pane);
    String::from_utf8(row.evidence.unwrap_or_default()).unwrap()
}
