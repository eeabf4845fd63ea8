//! The agents that are known without any configuration (pure): Claude Code 2.1.332, codex-cli 0.171.0, Copilot
//! CLI 1.0.102, Gemini CLI 0.61.0, opencode 1.18.33, pi 0.73.1, Qwen Code 0.15.10.

use super::Agent;

pub fn built_in() -> Vec<(String, Agent)> {
    let claude = Agent {
        command: words(&["claude"]),
        new: words(&["--session-id", "{id}"]),
        resume: words(&["--resume", "{id}"]),
        resume_transcript: words(&["--resume", "{transcript}"]),
        fork: words(&["--resume", "{parent}", "--fork-session", "--session-id", "{id}"]),
        name: words(&["--name", "{name}"]),
        install: npm("@anthropic-ai/claude-code"),
        // Its live record, written at the first draw.
        ready: "~/.claude/sessions/{pid}.json".to_owned(),
        ..Agent::default()
    };
    // Without --no-daemon a shared daemon starts that outlives the tmux server, copies 400 MB and
    // hides which pane runs which thread. Codex names its conversations itself.
    let codex = Agent {
        command: words(&["codex", "--no-daemon"]),
        resume: words(&["resume", "{id}"]),
        install: npm("@openai/codex"),
        ..Agent::default()
    };
    // One option starts and resumes.
    let copilot = agent("copilot", "@github/copilot", &["--session-id"], &["--session-id"]);
    let gemini = agent("gemini", "@google/gemini-cli", &["--session-id"], &["--resume"]);
    let opencode = agent("opencode", "opencode-ai", &[], &["--session"]);
    let pi = agent("pi", "@mariozechner/pi-coding-agent", &[], &["--session"]);
    let qwen = agent("qwen", "@qwen-code/qwen-code", &["--session-id"], &["--resume"]);
    let others = [
        ("copilot", copilot),
        ("gemini", gemini),
        ("opencode", opencode),
        ("pi", pi),
        ("qwen", qwen),
    ];
    let first = [("claude", claude), ("codex", codex)];
    first.into_iter().chain(others).map(|(name, agent)| (name.to_owned(), agent)).collect()
}

/// An agent whose options for a new and for a resumed conversation are followed by the id.
fn agent(command: &str, package: &str, new: &[&str], resume: &[&str]) -> Agent {
    let with_id = |option: &[&str]| {
        let id = (!option.is_empty()).then_some("{id}");
        option.iter().copied().chain(id).map(str::to_owned).collect()
    };
    Agent {
        command: words(&[command]),
        new: with_id(new),
        resume: with_id(resume),
        install: npm(package),
        ..Agent::default()
    }
}

fn npm(package: &str) -> Vec<String> {
    words(&["npm", "install", "-g", package])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
