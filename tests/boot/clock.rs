//! How long it takes from the start of PID 1 until the last session is there.

use crate::support::boxes::USERS;
use crate::support::{BootBox, On};
use std::fmt::Write;

/// Of each user.
const SESSIONS: usize = 20;
/// Far more than it takes here (docs/boot.md), for a machine that does much else.
const LIMIT_MS: u64 = 20_000;

#[test]
fn sixty_sessions_are_back_soon_after_the_start_of_the_first_process() {
    let Some(made) = BootBox::booted(
        "boot::clock::sixty_sessions_are_back_soon_after_the_start_of_the_first_process",
        On::Host,
    ) else {
        return;
    };
    let sessions = SESSIONS;
    for user in USERS {
        made.sh_as(
            user,
            &format!("for i in $(seq {sessions}); do tmux new-session -d -s s$i; done"),
        );
    }
    made.poweroff();
    made.boot();
    let ms =
        |unit: &str, property: &str| made.property(unit, property).parse::<u64>().unwrap() / 1000;
    // The box's clock is this machine's, so times count from the start of its own PID 1.
    let begin: u64 =
        made.sh("systemctl show -P UserspaceTimestampMonotonic").trim().parse::<u64>().unwrap()
            / 1000;
    let restore = "tmux-persist-restore.service";
    let starts = ms(restore, "ExecMainStartTimestampMonotonic") - begin;
    let mut line = format!("PID 1 to restore: {starts} ms");
    let mut last = 0;
    for (at, user) in USERS.iter().enumerate() {
        assert_eq!(made.panes(user, "x").len(), sessions, "{user}");
        let unit = format!("tmux-persist-session@{}.service", 1000 + at);
        let ready = ms(&unit, "ActiveEnterTimestampMonotonic") - begin;
        let _ = write!(line, "; {user} ready: {ready} ms");
        last = last.max(ready);
    }
    println!("{line}; all: {last} ms");
    assert!(last < LIMIT_MS, "{line}");
}
