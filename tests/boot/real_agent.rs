//! The real Claude Code, with a model API inside the box: what was said before the host went down
//! is still known when it is back.

use crate::support::agents::{
    CLAUDE_ENVIRONMENT, CLAUDE_SETTINGS, agents, claude_answers, claude_trust,
};
use crate::support::lacks::lacks;
use crate::support::{BootBox, On, wait_until};
use std::fmt::Write;

const TEST: &str = "boot::real_agent::the_real_claude_goes_on_with_its_conversation_after_a_boot";
const API: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/lab/mock_agent_api.py");
const API_UNIT: &str = "[Service]\nExecStart=/usr/bin/python3 /srv/api.py --port 8801 --delay 0.2 --log /srv/api.log\n\
    [Install]\nWantedBy=multi-user.target\n";

#[test]
fn the_real_claude_goes_on_with_its_conversation_after_a_boot() {
    let claude = agents().join("claude");
    if !claude.exists() {
        lacks(TEST, "the real agents in target/agents (make test installs them)");
        return;
    }
    let Some(made) = BootBox::booted(TEST, On::Host) else { return };
    let dir = tempfile::tempdir().unwrap();
    let put = |text: &str, to: &str| {
        let file = dir.path().join("file");
        std::fs::write(&file, text).unwrap();
        made.copy_in(&file, to);
    };
    made.copy_in(claude.canonicalize().unwrap(), "/opt/claude");
    made.copy_in(API, "/srv/api.py");
    put(API_UNIT, "/etc/systemd/system/api.service");
    let mut state = claude_answers();
    state["projects"]["/home/alice/code"] = claude_trust();
    put(&state.to_string(), "/home/alice/.claude.json");
    put(CLAUDE_SETTINGS, "/home/alice/.claude/settings.json");
    let mut environment = String::from("ANTHROPIC_BASE_URL=http://127.0.0.1:8801\n");
    for (name, value) in CLAUDE_ENVIRONMENT {
        let _ = writeln!(environment, "{name}={value}");
    }
    put(&environment, "/home/alice/.config/terminal-lobby/agent.env");
    made.sh("systemctl enable --now --quiet api.service
        install -d /home/alice/.local/bin /home/alice/code
        ln -s /opt/claude /home/alice/.local/bin/claude
        chmod 755 /opt/claude; chmod 600 /home/alice/.config/terminal-lobby/agent.env
        chown -R alice: /home/alice");
    made.sh_as(
        "alice",
        "tmux -u new-session -d -s work -c ~/code -x 120 -y 40 -- start-claude --no-freshen",
    );
    prompt(&made, "apricot");
    made.poweroff();
    made.boot();
    prompt(&made, "recall");
    let last = made.sh("tail -n 30 /srv/api.log");
    assert!(last.contains("recall: apricot"), "{last}");
}

/// Types to the agent when it waits, and waits for the answer.
fn prompt(made: &BootBox, text: &str) {
    wait_until("Claude can be typed to", || {
        made.sh("cat /home/alice/.claude/sessions/*.json 2>/dev/null || true").contains("\"idle\"")
            && screen(made).contains('❯')
    });
    made.without_login("alice", &format!("tmux send-keys -t =work: -l -- {text}"));
    wait_until("it is typed", || screen(made).contains(text));
    made.without_login("alice", "tmux send-keys -t =work: Enter");
    wait_until("the answer is in the transcript", || {
        let ask = format!("grep -rqs 'ack: {text}\\|{text}: ' /home/alice/.claude/projects");
        made.try_sh("root", &ask).code == 0
    });
}

fn screen(made: &BootBox) -> String {
    made.without_login("alice", "tmux -u capture-pane -p -t =work: 2>/dev/null || true")
}
