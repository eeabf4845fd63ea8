//! The model API that the real agents talk to in tests: answers deterministically, logs what it got.

use super::sandbox::Sandbox;
use super::wait_for;
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// The running server; killed on drop.
pub(crate) struct MockApi {
    child: Child,
    pub(crate) port: u16,
    log: PathBuf,
}

/// One turn of a conversation as the API saw it.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Turn {
    /// Whether it belongs to the conversation; the agents also ask for titles and the like.
    #[serde(default)]
    pub(crate) main: bool,
    /// The conversation's id, from the agent's request.
    pub(crate) session: Option<String>,
    /// Everything the user ever said in it, oldest first.
    #[serde(default)]
    pub(crate) user_texts: Vec<String>,
    /// The answer; an object for a tool call.
    #[serde(default)]
    pub(crate) reply: serde_json::Value,
}

impl MockApi {
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/lab/mock_agent_api.py");
        let log = sandbox.root().join("api.jsonl");
        let port_file = sandbox.root().join("api.port");
        let child = sandbox
            .command("python3")
            .arg(script)
            .arg("--log")
            .arg(&log)
            .arg("--portfile")
            .arg(&port_file)
            // No model answers within milliseconds. If one does, Claude may write the first answer
            // into the transcript before the question, and then resumes it as interrupted.
            .args(["--delay", "0.2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut api = Self { child, port: 0, log };
        api.port = wait_for("the mock API listens", || {
            std::fs::read_to_string(&port_file).ok()?.trim().parse().ok()
        });
        api
    }

    /// All turns so far.
    pub(crate) fn log(&self) -> Vec<Turn> {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        // The last line may be half-written.
        log.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str::<Turn>(line).unwrap())
            .filter(|turn| turn.main)
            .collect()
    }
}

impl Drop for MockApi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
