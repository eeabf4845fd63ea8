//! Our own launcher in a pane: its arguments name the conversation that it starts or waits for.

use super::conversation::{ConversationId, option};
use super::{Rank, Seen, by_name};
use crate::process::Process;

/// The launcher's program name.
pub const PROGRAM: &str = "start-claude";

/// What a `start-claude` process says. The agent below it may know better.
pub(super) fn observe(process: &Process) -> Option<(&'static str, Seen)> {
    if process.called() != PROGRAM.as_bytes() {
        return None;
    }
    // Then what follows is another program's, whatever it looks like.
    if process.argv.get(1).is_some_and(|word| word == b"--program") {
        return None;
    }
    let id = option(&process.argv, &["--resume", "--session"])?;
    let agent = option(&process.argv, &["--agent"]).unwrap_or(b"claude");
    let agent = by_name(agent)?.name();
    let conversation = Some((ConversationId::parse(id)?, Rank::Argv));
    Some((agent, Seen { conversation, cwd: None, prompted: None, descend: true }))
}
