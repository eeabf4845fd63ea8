//! Newer Debians than the one that every other box stands on, with their tmux and their systemd.

use super::{everybody_is_back, only_the_units_save, panes, work_as};
use crate::support::boxes::USERS;
use crate::support::{BootBox, On, wait_until};

/// The version of Debian's tmux and of systemd in each suite that is known here, at least.
const KNOWN: [(&str, f32, u32); 2] = [("trixie", 3.5, 257), ("sid", 3.7, 262)];

#[test]
fn everybody_is_back_on_newer_debians_after_each_kind_of_end() {
    // Those that run-tests.sh prepared.
    let suites = std::env::var("TL_BOOT_SUITES").unwrap_or_else(|_| "trixie".to_owned());
    for suite in suites.split_whitespace() {
        let known = KNOWN.iter().find(|(name, ..)| *name == suite);
        let (name, tmux, systemd) = *known.unwrap_or_else(|| panic!("{suite} is not known here"));
        everybody_is_back_on(name, tmux, systemd);
    }
}

fn everybody_is_back_on(suite: &'static str, tmux: f32, systemd: u32) {
    let test = format!("boot::suites::everybody_is_back_on_newer_debians ({suite})");
    let Some(made) = BootBox::booted(&test, On::Suite(suite)) else { return };
    let said = made.sh("tmux -V; systemctl --version");
    let number = |from: &str| -> f32 {
        let rest = said.split_once(from).unwrap().1;
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap();
        rest[..end].parse().unwrap()
    };
    assert!(number("tmux ") >= tmux, "{said}");
    assert!(number("systemd ") >= f32::from(u16::try_from(systemd).unwrap()), "{said}");
    only_the_units_save(&made);
    // Else logind waits for ten seconds after a logout.
    made.sh("mkdir -p /etc/systemd/logind.conf.d
        printf '[Login]\\nUserStopDelaySec=0\\n' >/etc/systemd/logind.conf.d/test.conf");
    for user in USERS {
        work_as(&made, user);
    }
    let before: Vec<_> = USERS.iter().map(|user| panes(&made, user)).collect();
    made.poweroff();
    made.boot();
    everybody_is_back(&made, &before);

    // Its tmux puts each pane into a scope of the user's manager, which logind ends after the last
    // login session. What was restored outlives that.
    for user in USERS {
        made.sh_as(user, "true");
    }
    wait_until("no login session is left", || {
        let sessions = made.sh("loginctl --no-legend list-sessions");
        !sessions.lines().any(|line| line.split_whitespace().any(|word| word == "user"))
    });
    // That nothing more is ended has no event to wait for: one second is what logind had to act.
    std::thread::sleep(std::time::Duration::from_secs(1));
    everybody_is_back(&made, &before);

    made.sh("systemctl start tmux-persist-save.service");
    made.crash();
    made.boot();
    everybody_is_back(&made, &before);
    let failed = made.sh("systemctl list-units --failed --plain --no-legend");
    assert_eq!(failed, "", "{suite}");
}
