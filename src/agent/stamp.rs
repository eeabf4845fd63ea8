//! The mark that a hook leaves on its pane: which conversation which process ran (pure).

use super::by_name;
use super::conversation::ConversationId;
use super::status::Status;
use crate::process::Process;

/// `<agent>:<conversation>:<pid>:<start>`. The process and its start time, in clock ticks
/// since boot, make it checkable: what a dead agent left on a pane is never taken for a live one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The agent's name.
    pub agent: &'static str,
    /// The conversation.
    pub conversation: ConversationId,
    /// The agent's process.
    pub pid: i32,
    /// When that started.
    pub start: u64,
    /// When the hook was called, in nanoseconds since the host's start, if that is known: it is a mark of
    /// its own.
    pub at: Option<u64>,
    /// What the agent did then, if that is known: a mark of its own, too.
    pub status: Option<Status>,
}

impl Stamp {
    /// Reads a pane's mark, which its user may have written; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let fields: Vec<&str> = text.split(':').collect();
        let [agent, conversation, pid, start] = fields[..] else { return None };
        Some(Self {
            agent: by_name(agent.as_bytes())?.name(),
            conversation: ConversationId::parse(conversation.as_bytes())?,
            pid: pid.parse().ok().filter(|pid| *pid > 1)?,
            start: start.parse().ok()?,
            at: None,
            status: None,
        })
    }

    /// The same, with the marks that say when it was left, and what the agent did then.
    #[must_use]
    pub fn left(self, at: &[u8], state: &[u8]) -> Self {
        let text = |mark| std::str::from_utf8(mark).ok();
        let at = text(at).and_then(|at| at.parse().ok());
        Self { at, status: text(state).and_then(|word| Status::of(word, None)), ..self }
    }

    /// Whether it was left by this process, which runs that agent.
    pub fn is_of(&self, agent: &str, process: &Process) -> bool {
        (self.agent, self.pid, self.start) == (agent, process.pid, process.stat.start)
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}:{}", self.agent, self.conversation, self.pid, self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_and_nothing_else_is_one() {
        let text = "codex:0d0a8f5e-0000-4000-8000-000000000001:77:123456";
        assert_eq!(Stamp::parse(text.as_bytes()).unwrap().to_string(), text);
        for text in [
            "",
            "codex:0d0a8f5e-0000-4000-8000-000000000001:77",
            "codex:0d0a8f5e-0000-4000-8000-000000000001:77:1:2",
            "codex:0d0a8f5e-0000-4000-8000-000000000001:-1:1",
            "vim:0d0a8f5e-0000-4000-8000-000000000001:77:1",
            "codex:../../../x:77:1",
        ] {
            assert_eq!(Stamp::parse(text.as_bytes()), None, "{text}");
        }
    }
}
