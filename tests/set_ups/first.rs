//! The plainest set-up, which the others vary.

use crate::support::set_up::SetUp;

#[test]
fn two_agents_in_one_directory_come_back_each_on_its_own_conversation() {
    let set_up = SetUp::new();
    let claude = set_up.agent_in("new-session -d -s a", "claude");
    let codex = set_up.agent_in("new-window -t a:", "codex");
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").unwrap(), claude);
    assert_eq!(set_up.conversation("a:1.0").unwrap(), codex);
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(4);
    assert_eq!(set_up.conversation_shown("a:0.0"), claude);
    assert_eq!(set_up.conversation_shown("a:1.0"), codex);
}
