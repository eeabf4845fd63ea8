//! The agents: how each keeps and resumes conversations, one file per agent; and how we know
//! which conversation a pane runs.
//!
//! Agents move fast: every fact about one is in its file, with a test against the real program.

pub mod ancestry;
pub mod arguments;
mod background;
pub mod claude;
pub mod codex;
pub mod conversation;
pub mod described;
mod detect;
pub mod environment;
pub mod evidence;
pub mod further;
pub mod home;
pub mod hooks;
pub mod interface;
pub mod launcher;
pub mod machine;
pub mod messages;
mod program;
pub mod rest;
pub mod settings;
pub mod stamp;
pub mod start_environment;
pub mod status;
mod transcript;

pub use ancestry::{Caller, caller};
pub use background::Backgrounded;
pub use conversation::ConversationId;
pub use detect::{Detected, again, backgrounded, detect, is_view, left_behind, live, record_dirs};
pub use environment::AgentEnvironment;
pub use evidence::{Environ, PaneSighting, Rank, Sighting, resolve};
pub use home::Home;
pub use interface::{
    Agent, CommandLine, Description, LeftRecord, MAX_TITLE, Observation, Resumption, Saved, Use,
};
pub use rest::{Input, OwnAccount, Screen};
pub use stamp::Stamp;
pub use status::{Doing, Status};

/// Every agent we know by itself.
pub static AGENTS: [&dyn Agent; 8] = [
    &claude::Claude,
    &codex::Codex,
    &further::Aider,
    &further::Copilot,
    &further::Gemini,
    &further::Opencode,
    &further::Pi,
    &further::Qwen,
];

/// All of them, and those that the configuration describes.
pub fn all() -> impl Iterator<Item = &'static dyn Agent> {
    AGENTS.into_iter().chain(further::configured())
}

/// The agent of that name.
pub fn by_name(name: &[u8]) -> Option<&'static dyn Agent> {
    all().find(|agent| agent.name().as_bytes() == name)
}
