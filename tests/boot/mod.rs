//! A host with the package installed, booted for real: sessions come back, where they must, with
//! nobody at the keyboard; and no unit does what it must not.

mod backup;
mod clock;
mod comebacks;
mod limits;
mod lobby;
mod lobby_agent;
mod offboard;
mod old_state;
mod package;
mod place;
mod provisioning;
mod real_agent;
mod restore_unit;
mod returns;
mod saving;
mod services;
mod suites;
mod t3;
mod trouble;
mod units;
mod unrestored;
mod watching;

use crate::support::boxes::USERS;
use crate::support::stub_agent::id;
use crate::support::{BootBox, wait_until};

/// What a user of the tests has: a session of two panes side by side, one whose name is not ASCII,
/// and one with an agent on a conversation that was prompted.
fn work_as(made: &BootBox, user: &str) {
    made.sh_as(user, &world(&conversation(user)));
    wait_until("the agent runs", || agent_runs(made, user));
}

fn world(conversation: &str) -> String {
    format!(
        "mkdir -p ~/code ~/.claude/projects
        project=~/.claude/projects/$(cd ~/code; pwd -P | sed 's/[^A-Za-z0-9]/-/g')
        tmux -u new-session -d -s web -c ~/code -x 120 -y 40
        tmux -u split-window -h -t =web: -c /usr/share
        tmux -u new-session -d -s 'zürich 2' -c /srv -x 120 -y 40
        tmux -u new-session -d -s agent -c ~/code -x 120 -y 40 -- claude --session-id {conversation}
        mkdir -p $project
        until grep -qs {conversation} ~/.claude/sessions/*.json; do sleep 0.02; done
        echo '{{\"type\":\"user\"}}' >$project/{conversation}.jsonl"
    )
}

/// Leaves saving to the units, where a test counts on what was saved and what not.
fn only_the_units_save(made: &BootBox) {
    made.sh("sed -i '1i save_on_change = false' /etc/terminal-lobby/config.toml");
}

/// The conversation that a user's agent has.
fn conversation(user: &str) -> String {
    id(u32::try_from(USERS.iter().position(|each| *each == user).unwrap()).unwrap() + 1)
}

/// Every pane, with its place and directory.
fn panes(made: &BootBox, user: &str) -> Vec<String> {
    made.panes(
        user,
        "#{session_name} #{window_index}.#{pane_index} #{pane_width}x#{pane_height}+#{pane_left} \
         #{pane_current_path}",
    )
}

/// Whether an agent of the user's runs on the user's conversation, and in a pane.
fn agent_runs(made: &BootBox, user: &str) -> bool {
    let conversation = conversation(user);
    let script = format!(
        "for record in $(grep -ls {conversation} /home/{user}/.claude/sessions/*.json); do
            pid=$(basename $record .json)
            grep -qs claude /proc/$pid/cmdline && exit 0
        done
        exit 1"
    );
    made.try_sh("root", &script).code == 0
}

/// Everybody has the panes that they had, and an agent on the conversation that it had.
#[track_caller]
fn everybody_is_back(made: &BootBox, before: &[Vec<String>]) {
    for (user, before) in USERS.iter().zip(before) {
        // The units are through when the box counts as up; only the agents still start.
        assert_eq!(&panes(made, user), before, "{user}");
        wait_until("the agent is back on its conversation", || agent_runs(made, user));
    }
}

/// How many snapshots a user has, and which is the newest.
fn snapshots(made: &BootBox, user: &str) -> Vec<String> {
    let list = made.sh(&format!("ls /var/lib/tmux-persist/{user}/snapshots 2>/dev/null || true"));
    list.lines().map(str::to_owned).collect()
}
