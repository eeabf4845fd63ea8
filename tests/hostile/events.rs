//! Records of events that their users made up, or that are no files, in root's view of all users.

use super::output::harmless;
use super::report::{good_users, save};
use crate::support::host::{Host, STATE};
use crate::support::metrics;

const METRICS: &str = "/root/persist.prom";

#[test]
fn forged_events_print_nothing_harmful_and_count_for_nobody_else() {
    let name = "forged_events_print_nothing_harmful_and_count_for_nobody_else";
    let Some(host) = Host::new(name) else { return };
    good_users(&host);
    host.user("forger");
    host.sessions("forger", &["x"]);
    save(&host).code(0);
    host.sh_as("forger", &format!(
        "cd {STATE}/forger; printf '5\\tdeath\\ta\\\\x1b[2J\\\\nFORGED\\t3\\tclaude\\t-\\tsignal\\t{max}\\t\\\\rx\\n\
         # dropped\\tdeath\\tsignal\\t{max}\\t{max}\\n# dropped\\tdeath\"}} 1\\t-\\t1\\t1\\n\
         7\\tdeath\\tx{{user=\"ann\"}}\\t-\\t-\\t-\\t-\\t-\\t-\\n' >events.tsv; \
         printf 'done\\t{max}\\nfailed\\t{max}\\nx\\t1\\n' >notify.tsv",
        max = u64::MAX
    ));
    host.sh_as(
        "ann",
        &format!("printf '9\\tresumed\\tweb\\t-\\t-\\t-\\t-\\t-\\t-\\n' >{STATE}/ann/events.tsv"),
    );
    let run = host.persist(["events"]).ok();
    harmless(&run);
    let out = run.out();
    assert!(!out.contains("\nFORGED") && out.contains("zoe: no events"), "{out}");
    assert!(out.contains("ann: events"), "{out}");
    let run = host.persist(["events", "--json", "--user", "forger"]).ok();
    assert_eq!(run.json()["events"].as_array().unwrap().len(), 2);
    host.persist(["status", "--metrics", METRICS]).ok();
    let samples = metrics::parse(&host.sh(&format!("cat {METRICS}")));
    let of = |user: &str, kind: &str| {
        samples[&format!("tmux_persist_events_total{{user=\"{user}\",kind=\"{kind}\"}}")].clone()
    };
    assert_eq!((of("ann", "death"), of("ann", "resumed")), ("0".into(), "1".into()));
    assert!(of("forger", "death").parse::<u64>().unwrap() > 2);
    let users = samples.keys().filter(|key| key.contains("events_total{user=\"ann\""));
    assert_eq!(users.count(), 9, "a forged name is no label");
}

#[test]
fn records_that_are_huge_or_no_files_cost_their_own_users_only() {
    let name = "records_that_are_huge_or_no_files_cost_their_own_users_only";
    let Some(host) = Host::new(name) else { return };
    good_users(&host);
    let kinds = [
        ("fifo", "mkfifo events.tsv"),
        ("link", "ln -s /etc/shadow events.tsv"),
        ("huge", "truncate -s 100G events.tsv"),
        ("locked", "mkfifo events.lock; mkfifo notify.lock; mkdir notify.tsv"),
        ("zero", "ln -s /dev/zero events.tsv"),
    ];
    for (user, _) in kinds {
        host.user(user);
        host.sessions(user, &["x"]);
    }
    save(&host).code(0);
    for (user, script) in kinds {
        host.sh_as(user, &format!("cd {STATE}/{user}; {script}"));
    }
    let run = host.persist(["events"]).code(1);
    harmless(&run);
    let err = run.err();
    for user in ["fifo", "link", "zero"] {
        assert!(err.contains(&format!("error: {user}: ")), "{err}");
    }
    assert!(!err.contains("error: ann") && run.out().contains("ann: no events"), "{err}");
    assert!(!run.out().contains("root:"), "{}", run.out());
    assert!(run.took < std::time::Duration::from_secs(20), "{:?}", run.took);
    let run = host.persist(["status", "--metrics", METRICS]).ok();
    harmless(&run);
    metrics::parse(&host.sh(&format!("cat {METRICS}")));
    save(&host).code(0);
}

#[test]
fn root_follows_the_events_of_all_users_and_names_them() {
    let name = "root_follows_the_events_of_all_users_and_names_them";
    let Some(host) = Host::new(name) else { return };
    good_users(&host);
    save(&host).code(0);
    let line = |time: u64| {
        format!(
            "printf '{time}\\tdeath\\tweb\\t-\\t-\\t-\\tsignal\\t-\\t-\\n' >>{STATE}/ann/events.tsv"
        )
    };
    host.sh_as("ann", &line(5));
    // The reader ends after two lines; the second one is written while it follows.
    let script = format!(
        "persist=$(command -v persist || echo {bin}/persist)
        $persist events --follow --state-dir {STATE} --user-map {map} --config {config} |
            (read one; echo \"$one\"; setpriv --reuid=ann --regid=ann --clear-groups sh -c \"$1\"; read two; echo \"$two\")",
        bin = crate::support::host::BIN,
        map = crate::support::host::USER_MAP,
        config = crate::support::host::CONFIG,
    );
    let recent = line(4_000_000_000);
    let run = host.root(["sh", "-euc", &script, "sh", &recent]).ok();
    let lines: Vec<String> = run.out().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.contains("  ann: the agent in session 'web'")),
        "{lines:?}"
    );
}
