//! Root's view of users who lie about their saves, or whose saves could record nothing.

use super::children::meddler;
use super::output::harmless;
use super::report::{good_users, save};
use crate::support::host::{Host, STATE};
use crate::support::metrics;
use serde_json::Value;

const METRICS: &str = "/root/persist.prom";

fn of<'a>(json: &'a Value, user: &str) -> &'a Value {
    let users = json["users"].as_array().unwrap();
    users.iter().find(|entry| entry["user"] == user).unwrap_or_else(|| panic!("{user}: {json}"))
}

#[test]
fn forged_records_and_names_say_nothing_of_others_and_break_no_metric() {
    let name = "forged_records_and_names_say_nothing_of_others_and_break_no_metric";
    let Some(host) = Host::new(name) else { return };
    good_users(&host);
    host.user("forger");
    host.sessions("forger", &["a\"} 1\n# TYPE x", "\u{1b}]0;x\u{7}"]);
    save(&host).code(0);
    let max = u64::MAX;
    host.sh_as("forger", &format!(
        "cd {STATE}/forger; printf 'failures\\t{max}\\nfailures_since_good\\t{max}\\n\
         last_save\\t253402300798\\nlast_save_ms\\t{max}\\nlast_good_save\\t253402300798\\n\
         last_failure\\t5\\nfailure_reason\\t\\\\x1b[31m\\\\n\"}} 1\\\\nFORGED\\nrestored_new\\t{max}\\n\
         x{{user=\"ann\"}} 1\\t9\\n# end\\n' >activity.tsv"
    ));
    for round in 0..2 {
        let run = host.persist(["status", "--json", "--metrics", METRICS]).ok();
        let json = run.json();
        assert_eq!(of(&json, "forger")["restored"]["new"], max, "{round}: {json}");
        for (user, sessions) in [("ann", 2), ("zoe", 1)] {
            assert_eq!(of(&json, user)["sessions"]["shell"], sessions, "{json}");
            assert_eq!(of(&json, user)["failures"], 0, "{json}");
        }
        let samples = metrics::parse(&host.sh(&format!("cat {METRICS}")));
        assert_eq!(samples["tmux_persist_users"], "3");
        assert_eq!(samples["tmux_persist_save_failures_total{user=\"ann\",seen_by=\"user\"}"], "0");
        let forged = "tmux_persist_restored_panes_total{user=\"forger\",action=\"new\"}";
        assert_eq!(samples[forged], max.to_string());
        let run = host.persist(["status"]).ok();
        harmless(&run);
        assert!(!run.out().contains("\nFORGED"), "{}", run.out());
        let run = host.persist(["doctor"]);
        harmless(&run);
        assert!(!run.out().contains("\nFORGED"), "{}", run.out());
        // The counts go no higher than they are.
        save(&host).code(0);
    }
    assert_eq!(host.sh("ls -A /root | grep -c prom"), "1\n");
    let mode = host.sh(&format!("stat -c '%a %U' {METRICS} {STATE}/.saves.tsv"));
    assert_eq!(mode, "644 root\n600 root\n");
}

#[test]
fn a_child_that_was_killed_is_counted_by_root() {
    let Some(host) = Host::new("a_child_that_was_killed_is_counted_by_root") else { return };
    good_users(&host);
    meddler(&host, "stop");
    for _ in 0..2 {
        save(&host).failed("stop");
    }
    host.end_all_of("stop");
    let json = host.persist(["status", "--json"]).ok().json();
    let seen = of(&json, "stop");
    assert_eq!((&seen["failures"], &seen["failures_since_good"]), (&2.into(), &2.into()), "{seen}");
    assert!(seen["failure_reason"].as_str().unwrap().contains("did not answer within"), "{seen}");
    assert_eq!(
        (&seen["failures_recorded"], &seen["failures_seen_by_root"]),
        (&0.into(), &2.into())
    );
    assert_eq!((&seen["last_result"], &seen["server"]), (&"failed".into(), &"none".into()));
    assert_eq!(of(&json, "ann")["failures"], 0);
    // Nobody else can read it, and it is begun anew where it is torn.
    assert_ne!(host.as_user("ann", ["cat", &format!("{STATE}/.saves.tsv")]).code, 0);
    host.sh(&format!("echo torn >{STATE}/.saves.tsv"));
    save(&host).code(0);
    assert!(host.sh(&format!("cat {STATE}/.saves.tsv")).ends_with("# end\n"));
}

#[test]
fn root_writes_metrics_only_where_nobody_else_may() {
    let Some(host) = Host::new("root_writes_metrics_only_where_nobody_else_may") else { return };
    good_users(&host);
    host.sh("install -d -m 775 -g ann /var/lib/exporter; install -d -m 777 /tmp/open; \
             ln -s /etc/shadow /tmp/open/link.prom");
    let before = host.sh("cat /etc/shadow");
    for file in [
        "/var/lib/exporter/a.prom",
        "/home/ann/a.prom",
        "/tmp/open/link.prom",
        // The sticky bit keeps no user from making the name first.
        "/tmp/a.prom",
    ] {
        let run = host.persist(["status", "--metrics", file]).code(3);
        assert!(run.err().contains("root writes only where no other user can"), "{}", run.err());
    }
    assert_eq!(host.sh("cat /etc/shadow; find /home /var/lib/exporter -name '*.prom'"), before);
}
