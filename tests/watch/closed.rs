//! What a person closed stays closed.

use super::support::{Watching, kill9, signal};
use crate::support::lacks::lacks;
use nix::sys::signal::Signal;

/// Ends an agent in a shell of the session `work` in some way; nothing may come back.
fn stays_closed(end: impl FnOnce(&Watching)) -> Watching {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    let agent = user.last_agent();
    end(&user);
    user.wait_until_looked_into(agent);
    assert_eq!(user.started().len(), 1);
    assert_eq!(user.events(), [""; 0]);
    user
}

#[test]
fn an_agent_that_was_left_stays_left() {
    let user = stays_closed(|user| user.type_line("work", "/exit"));
    assert!(user.panes("#{session_name}").contains(&"work".to_owned()));
}

/// Claude Code without our hook, and an agent that tells no hook whether its user ended it.
#[test]
fn an_agent_that_exits_with_0_at_a_shells_prompt_was_closed() {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = kernel.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    if (numbers.next(), numbers.next()) < (Some(6), Some(15)) {
        let name = "an_agent_that_exits_with_0_at_a_shells_prompt_was_closed";
        lacks(name, "Linux 6.15, which says how a process ended that is no child");
        return;
    }
    let mut user = Watching::new("");
    user.install(&["qwen"]);
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    user.t("split-window -t work -l 5");
    user.type_line("work:0.1", "qwen --session-id 11111111-0000-4000-8000-000000000001");
    user.wait_for_starts(2);
    user.save();
    user.wait_for_watched(2);
    // One that ends within two seconds has not worked.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    for pane in ["work:0.0", "work:0.1"] {
        user.type_line(pane, "/exit");
    }
    user.wait_for_watched(0);
    user.wait_until_settled();
    let endings = std::fs::read_to_string(user.sandbox.user_state().join("endings.tsv")).unwrap();
    let closed = endings.lines().filter(|line| line.contains("\tclosed\t")).count();
    assert_eq!(closed, 2, "{endings}");
    user.restore();
    assert!(user.save().rows.iter().all(|row| row.state.word() == "shell"));
    assert_eq!(user.started().len(), 2);
}

#[test]
fn an_agent_that_failed_by_itself_stays_lost_for_a_restore_by_hand() {
    let user = stays_closed(|user| user.type_line("work", "/die"));
    user.restore();
    user.wait_for_starts(2);
}

#[test]
fn an_agent_that_was_asked_to_end_stays_where_it_is() {
    stays_closed(|user| signal(user.last_agent(), Signal::SIGTERM));
}

#[test]
fn a_pane_that_was_closed_stays_closed() {
    stays_closed(|user| drop(user.t("kill-pane -t work")));
}

#[test]
fn a_session_that_was_closed_stays_closed() {
    let user = stays_closed(|user| drop(user.t("kill-session -t work")));
    assert_eq!(user.panes("#{session_name}"), ["other"]);
}

#[test]
fn a_server_that_was_closed_stays_closed() {
    let user = stays_closed(|user| drop(user.t("kill-server")));
    assert!(!user.persist("status --json").ok().out().contains("\"server\":\"running\""));
}

#[test]
fn a_session_that_was_recorded_as_closed_does_not_come_back_however_it_ended() {
    let user = stays_closed(|user| {
        user.persist("forget work --reason done").ok();
        kill9(user.last_agent());
    });
    assert!(user.panes("#{session_name}").contains(&"work".to_owned()));
}

#[test]
fn a_pane_that_is_closed_while_its_agent_waits_to_come_back_stays_closed() {
    let mut user = Watching::new("interval_minutes = 60");
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    let first = user.last_agent();
    kill9(first);
    user.wait_for_starts(2);
    user.wait_until_settled();
    user.wait_for_another_watched(first);
    kill9(user.last_agent());
    user.wait_for_pending("l");
    user.t("kill-pane -t work");
    user.end_watch();
    user.watch();
    user.wait_until_settled();
    assert_eq!(user.started().len(), 2);
}
