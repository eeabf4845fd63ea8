//! What the older suite kept of its users, in the forms that it has on hosts: a single manifest, a series with a
//! link to the newest, backups, records of closed sessions; and user maps as people write them.

use crate::support::host::{Host, STATE, USER_MAP};
use serde_json::Value;

/// A host with a user and the older suite's files, as a script in the state directory makes them; imported.
fn imported(test: &str, script: &str) -> Option<(Host, String)> {
    let host = Host::new(test)?;
    host.user("ann");
    host.sh(&format!("mkdir -p {STATE}; cd {STATE}; {script}"));
    let run = host.persist(["import"]).ok();
    let said = run.out() + &run.err();
    Some((host, said))
}

/// The sessions that a restore makes.
fn restored(host: &Host) -> Vec<String> {
    host.persist(["restore"]).ok();
    let run = host.tmux("ann", ["list-sessions", "-F", "#{session_name}"]);
    let mut names: Vec<String> = run.out().lines().map(str::to_owned).collect();
    names.sort();
    names
}

fn ids(host: &Host) -> Vec<String> {
    let list = host.sh(&format!("ls {STATE}/ann/snapshots"));
    list.lines().map(str::to_owned).collect()
}

/// Where the documented link leads, and whether something is there.
fn link(host: &Host) -> String {
    host.sh(&format!(
        "cd {STATE}; readlink ann.tsv; test -s ann.tsv && echo whole || echo dangling"
    ))
}

#[track_caller]
fn state_check(host: &Host, code: i32) -> Vec<(String, Value)> {
    let json = host.persist(["doctor", "--json"]).code(code).json();
    let checks = json["checks"].as_array().unwrap().iter();
    let of_state = checks.filter(|check| check["name"] == "state");
    of_state
        .map(|check| (check["what"].as_str().unwrap().to_owned(), check["state"].clone()))
        .collect()
}

const SERIES: &str = "mkdir -p snapshots/ann; for n in 1 2; do \
    printf 's%s\\t/\\t-\\n' $n >snapshots/ann/2026112${n}T120000.tsv; done; \
    ln -s snapshots/ann/20261122T120000.tsv ann.tsv";

#[test]
fn a_session_that_the_older_suite_recorded_as_closed_stays_closed() {
    let test = "a_session_that_the_older_suite_recorded_as_closed_stays_closed";
    let script = "printf 'open\\t/\\t-\\ndone\\t/\\t-\\nback\\t/\\t-\\n' >ann.tsv; \
        touch -d '2026-11-20 12:00 UTC' ann.tsv; at() { date -d \"$1 UTC\" +%s; }; \
        printf 'done\\t%s\\nback\\t%s.5\\nbad line\\n' $(at '2026-11-20 13:00') \
            $(at '2026-11-19 13:00') >ann.forgotten.tsv";
    let Some((host, said)) = imported(test, script) else { return };
    assert!(
        said.contains("ann: 1 snapshot of the older suite imported, 2 sessions recorded as closed"),
        "{said}"
    );
    assert!(said.contains("not imported: ann.forgotten.tsv: line 3"), "{said}");
    assert_eq!(restored(&host), ["back", "open"], "closed before the snapshot is not closed");
    let kept = host.sh(&format!("cd {STATE}; ls .predecessor; stat -c %U ann/forgotten.tsv"));
    assert_eq!(kept, "ann.forgotten.tsv\nann.imported\nann.tsv\nann\n");
}

#[test]
fn records_of_closed_sessions_are_imported_without_any_manifest_and_once() {
    let test = "records_of_closed_sessions_are_imported_without_any_manifest_and_once";
    let Some((host, said)) = imported(test, "printf 'x\\t1795185823\\n' >ann.forgotten.tsv") else {
        return;
    };
    assert!(said.contains("1 session recorded as closed"), "{said}");
    let before = host.sh(&format!("cat {STATE}/ann/forgotten.tsv"));
    // As an import that was interrupted before it was recorded.
    host.sh(&format!("rm {STATE}/.predecessor/ann.imported"));
    host.persist(["import"]).ok();
    assert_eq!(host.sh(&format!("cat {STATE}/ann/forgotten.tsv")), before);
}

#[test]
fn the_link_of_a_series_is_replaced_by_our_own() {
    let test = "the_link_of_a_series_is_replaced_by_our_own";
    let Some((host, said)) = imported(test, SERIES) else { return };
    assert!(said.contains("2 snapshots of the older suite imported"), "{said}");
    assert_eq!(link(&host), "ann/latest\nwhole\n");
    assert!(state_check(&host, 0).iter().all(|(_, state)| state == "ok"));
    assert_eq!(restored(&host), ["s2"]);
}

#[test]
fn an_absolute_link_into_a_series_is_replaced_too() {
    let test = "an_absolute_link_into_a_series_is_replaced_too";
    let script = SERIES.replace("ln -s snapshots", &format!("ln -s {STATE}/snapshots"));
    let Some((host, _)) = imported(test, &script) else { return };
    assert_eq!(link(&host), "ann/latest\nwhole\n");
}

#[test]
fn a_link_that_leads_nowhere_is_named_by_doctor_and_fixed_by_the_next_save() {
    let test = "a_link_that_leads_nowhere_is_named_by_doctor_and_fixed_by_the_next_save";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one"]);
    host.persist(["save"]).ok();
    // As an earlier version's import left it.
    let wrong = [
        "ln -sfn snapshots/ann/20261122T120000.tsv ann.tsv",
        "rm ann/latest",
        "ln -sfn snapshots/20200101T000000Z.tsv ann/latest",
        "rm ann.tsv",
    ];
    for script in wrong {
        host.sh(&format!("cd {STATE}; {script}"));
        let checks = state_check(&host, 1);
        let named = checks.iter().any(|(what, state)| {
            state == "fault" && what.starts_with(&format!("{STATE}/ann.tsv leads nowhere"))
        });
        assert!(named, "{script}: {checks:?}");
        host.persist(["save"]).ok();
        assert_eq!(link(&host), "ann/latest\nwhole\n", "{script}");
        assert!(state_check(&host, 0).iter().all(|(_, state)| state == "ok"), "{script}");
    }
}

#[test]
fn a_link_to_an_older_snapshot_is_named_and_fixed() {
    let test = "a_link_to_an_older_snapshot_is_named_and_fixed";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["one"]);
    host.persist(["save"]).ok();
    host.sessions("ann", &["two"]);
    host.persist(["save"]).ok();
    let newest = host.sh(&format!("basename $(readlink {STATE}/ann/latest)"));
    let first = ids(&host).into_iter().find(|id| *id != newest.trim()).unwrap();
    host.sh(&format!("ln -sfn snapshots/{first} {STATE}/ann/latest"));
    let checks = state_check(&host, 1);
    assert!(
        checks.iter().any(|(what, _)| what.contains("does not lead to the newest")),
        "{checks:?}"
    );
    host.persist(["save"]).ok();
    state_check(&host, 0);
}

#[test]
fn the_time_of_a_manifest_is_the_one_in_its_name_whatever_the_copy_has() {
    let test = "the_time_of_a_manifest_is_the_one_in_its_name_whatever_the_copy_has";
    let script = "mkdir -p snapshots/ann; cd snapshots/ann
        for name in 20261119T120000 20261120-120000 20261121120000 2026-11-22T12:00:00Z; do
            printf '%s\\t/\\t-\\n' $name >$name.tsv; done
        touch -d '2026-11-27 12:00 UTC' *.tsv; touch 20261119T120000.tsv";
    let Some((host, said)) = imported(test, script) else { return };
    assert!(said.contains("4 snapshots"), "{said}");
    assert_eq!(
        ids(&host),
        [
            "20261119T120000Z.tsv",
            "20261120T120000Z.tsv",
            "20261121T120000Z.tsv",
            "20261122T120000Z.tsv"
        ]
    );
}

#[test]
fn a_copy_of_a_series_snapshot_beside_it_is_not_newer_than_the_series() {
    let test = "a_copy_of_a_series_snapshot_beside_it_is_not_newer_than_the_series";
    // From a backup: the copy of the first has today's time.
    let script = SERIES
        .replace("ln -s snapshots/ann/20261122T120000.tsv", "cp snapshots/ann/20261121T120000.tsv");
    let Some((host, said)) = imported(test, &script) else { return };
    assert!(said.contains("2 snapshots"), "{said}");
    assert_eq!(ids(&host), ["20261121T120000Z.tsv", "20261122T120000Z.tsv"]);
    assert_eq!(link(&host), "ann/latest\nwhole\n");
}

#[test]
fn what_was_saved_since_stays_the_newest() {
    let test = "what_was_saved_since_stays_the_newest";
    let Some(host) = Host::new(test) else { return };
    host.user("ann");
    host.sessions("ann", &["now"]);
    host.persist(["save"]).ok();
    host.sh(&format!("cd {STATE}; rm ann.tsv; {SERIES}; ln -sfn ann/latest ann.tsv"));
    host.persist(["import"]).ok();
    assert_eq!(ids(&host).len(), 3);
    assert_eq!(host.sh(&format!("grep -v '^#' {STATE}/ann.tsv | cut -f 1")), "now\n");
}

#[test]
fn a_user_map_with_comments_and_blanks_loses_nobodys_save() {
    let test = "a_user_map_with_comments_and_blanks_loses_nobodys_save";
    let Some(host) = Host::new(test) else { return };
    for user in ["ann", "bob", "cleo"] {
        host.user(user);
        host.sessions(user, &["work"]);
    }
    host.sh(&format!(
        "printf 'a@x=ann # on leave\\n# bob=bob\\nb@x = bob\\nc@x=cleo : /srv\\t# team c\\n' >{USER_MAP}"
    ));
    let run = host.persist(["save", "--all-users"]).ok();
    assert!(run.out().contains("3 users saved"), "{}{}", run.out(), run.err());
    let json = host.persist(["doctor", "--json"]).ok().json();
    assert_eq!(json["faults"], 0, "{json}");
    // What cannot be read is named, and the others are saved.
    host.sh(&format!("echo 'd@x=dora the explorer' >>{USER_MAP}"));
    let run = host.persist(["save", "--all-users"]).code(1);
    assert!(run.err().contains("ttyd-user-map:5: not a user name"), "{}", run.err());
    assert!(run.out().contains("3 unchanged"), "{}", run.out());
}
