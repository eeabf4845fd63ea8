//! Draws one of the agents that are known by their hooks.

use super::draw::{often, one_of};
use crate::support::random::Random;
use crate::support::set_up::SetUp;
use crate::support::wait_until;

/// Starts one in a pane, with our hook.
pub(super) fn start(random: &mut Random, set_up: &SetUp, pane: &str) {
    let name = one_of(random, &["copilot", "gemini", "opencode", "pi", "qwen"]);
    if !set_up.bin().join(name).exists() {
        set_up.install(&[name]);
        set_up.persist(&format!("hook --install --agent {name}")).ok();
    }
    // pi hides its options.
    let options = if name != "pi" && often(random, 50) { " --model other" } else { "" };
    let line = match random.below(3) {
        0 => format!("exec {name}{options}"),
        1 => format!("bash -c '{name}{options}; true'"),
        _ => format!("{name}{options}"),
    };
    let before = set_up.conversations().len();
    set_up.type_line(pane, &line);
    wait_until(&format!("it runs: {line}"), || set_up.conversations().len() > before);
    if often(random, 25) {
        set_up.type_line(pane, "/new");
        set_up.type_line(pane, "words");
        wait_until("it took both", || set_up.conversations().len() > before + 2);
    }
    let id = set_up.conversations().last().unwrap().conversation.clone();
    let stamped = || set_up.t(&format!("show-options -pqv -t {pane} @conversation")).out();
    wait_until("its hook has said so", || stamped().contains(&id));
}
