//! From a login to an agent, in a new account made from the skeleton files, on a host of its own.

use crate::support::host::{BIN, Host};
use crate::support::wait_for;

#[test]
fn a_new_account_whose_default_command_is_the_launcher_comes_from_login_to_agent() {
    let Some(host) = Host::new("a_new_account_from_login_to_agent") else { return };
    host.account("newcomer");
    host.sh(&format!(
        "mkdir -p /tmp/skel/code && printf 'set -g default-command {BIN}/start-claude\\n' >/tmp/skel/.tmux.conf && \
         cp -r /tmp/skel /home/newcomer && git -c init.defaultBranch=main init -q /home/newcomer/code && \
         chown -R newcomer:newcomer /home/newcomer && chmod 700 /home/newcomer"
    ));
    let agent = "#!/bin/sh\n{ id -un; pwd; printf '%s ' \"$@\"; } >/tmp/agent.new; mv /tmp/agent.new /tmp/agent; exec sleep 1000\n";
    host.sh_as("newcomer", "mkdir -p ~/.local/bin");
    host.sh_as(
        "newcomer",
        &format!("cat >~/.local/bin/claude <<'EOF'\n{agent}EOF\nchmod 755 ~/.local/bin/claude"),
    );
    host.as_user("newcomer", ["sh", "-lc", "tmux new-session -d -s work"]).ok();
    let said = wait_for("the agent was started", || {
        Some(host.sh("cat /tmp/agent 2>/dev/null || :")).filter(|said| !said.is_empty())
    });
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["newcomer", "/home/newcomer/code"]);
    let words: Vec<&str> = lines[2].split_whitespace().collect();
    assert_eq!(
        (words[0], words[1].len(), words[2], words[3]),
        ("--session-id", 36, "--name", "work")
    );
}
