//! How long it takes from the start of PID 1 until the last session is there.

use crate::support::boxes::USERS;
use crate::support::{BootBox, On, wait_until};
use std::fmt::Write;

/// Of each user, an agent in each.
const SESSIONS: usize = 20;
/// Far more than it takes (docs/boot.md), for a machine that does much else.
const LIMIT_MS: u64 = 30_000;
const AGENTS: &str = "pgrep -fc '^/bin/sh /usr/local/bin/claude' || true";

#[test]
fn sixty_sessions_are_back_soon_after_the_start_of_the_first_process() {
    let Some(made) = BootBox::booted(
        "boot::clock::sixty_sessions_are_back_soon_after_the_start_of_the_first_process",
        On::Host,
    ) else {
        return;
    };
    for (at, user) in USERS.iter().enumerate() {
        made.sh_as(
            user,
            &format!(
                "project=~/.claude/projects/-home-{user}; mkdir -p $project
                for i in $(seq 1{at}01 1{at}{SESSIONS}); do
                    id=0d0a8f5e-0000-4000-8000-00000000$i
                    tmux new-session -d -s s$i -c ~ -- claude --session-id $id
                    until grep -qs $id ~/.claude/sessions/*.json; do sleep 0.02; done
                    echo '{{\"type\":\"user\"}}' >$project/$id.jsonl
                done"
            ),
        );
    }
    let all = (USERS.len() * SESSIONS).to_string();
    for mode in ["eager", "lazy"] {
        made.sh(&format!(
            "printf '[restore]\\nmode = \"{mode}\"\\n' >/etc/terminal-lobby/config.toml"
        ));
        made.poweroff();
        made.boot();
        let begin = milliseconds(&made.sh("systemctl show -P UserspaceTimestampMonotonic"));
        let since =
            |unit: &str, property: &str| milliseconds(&made.property(unit, property)) - begin;
        let restore = "tmux-persist-restore.service";
        let starts = since(restore, "ExecMainStartTimestampMonotonic");
        let mut line = format!("{mode}: PID 1 to the restore {starts} ms");
        let mut last = 0;
        for (at, user) in USERS.iter().enumerate() {
            assert_eq!(made.panes(user, "x").len(), SESSIONS, "{user}");
            let unit = format!("tmux-persist-session@{}.service", 1000 + at);
            let ready = since(&unit, "ActiveEnterTimestampMonotonic");
            let _ = write!(line, ", {user} ready {ready} ms");
            last = last.max(ready);
        }
        if mode == "eager" {
            wait_until("every agent runs", || made.sh(AGENTS).trim() == all);
            // In hundredths of a second: without its point, and with four digits more, microseconds.
            let uptime = made.sh("cut -d ' ' -f 1 /proc/uptime | tr -d '.\\n'; echo 0000");
            let _ = write!(line, ", last agent {} ms", milliseconds(&uptime) - begin);
        } else {
            assert_eq!(made.sh(AGENTS).trim(), "0", "they wait");
        }
        println!("{line}; all sessions: {last} ms");
        assert!(last < LIMIT_MS, "{line}");
    }
}

fn milliseconds(microseconds: &str) -> u64 {
    microseconds.trim().parse::<u64>().unwrap() / 1000
}
