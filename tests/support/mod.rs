//! What the integration tests share: a hermetic sandbox for one user, a throw-away host with
//! many, and waiting for facts.

pub(crate) mod agents;
pub(crate) mod boxes;
pub(crate) mod fake_server;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod lacks;
pub(crate) mod memory_group;
pub(crate) mod metrics;
pub(crate) mod mock_api;
pub(crate) mod other_agents;
pub(crate) mod planted;
pub(crate) mod random;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod set_up;
pub(crate) mod stub_agent;
pub(crate) mod tmux_versions;
pub(crate) mod wait;

pub(crate) use agents::{AgentLab, agents as real_agents};
pub(crate) use boxes::{BootBox, On};
pub(crate) use other_agents::OtherLab;
pub(crate) use run::{Run, run};
pub(crate) use sandbox::Sandbox;
pub(crate) use wait::{wait_for, wait_until};

/// The program `lobby`, which is of another package and so known by its place alone.
pub(crate) fn lobby_program() -> std::path::PathBuf {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("lobby");
    assert!(program.exists(), "{}: cargo build --workspace", program.display());
    program
}
