//! Who is a terminal user, and who may ask for whom.

use super::report::{Report, good_users, good_users_are_saved, save};
use crate::support::host::{Host, STATE, USER_MAP, persist_argv};

#[test]
fn an_account_that_is_missing_fails_alone() {
    let Some(host) = Host::new("an_account_that_is_missing_fails_alone") else { return };
    good_users(&host);
    host.sh(&format!("echo 'ghost@example.org=ghost' >>{USER_MAP}"));
    let report = save(&host);
    good_users_are_saved(&report);
    report.failed("ghost").code(1);
    host.sh(&format!("test ! -e {STATE}/ghost"));
}

#[test]
fn a_home_that_is_missing_harms_nobody() {
    let Some(host) = Host::new("a_home_that_is_missing_harms_nobody") else { return };
    good_users(&host);
    host.user("homeless");
    host.sessions("homeless", &["main"]);
    host.sh("rm -r /home/homeless");
    let report = save(&host);
    good_users_are_saved(&report);
    report.user("homeless");
    report.within(6);
    host.sh("test ! -e /home/homeless");
}

#[test]
fn a_bad_line_in_the_map_is_named_and_the_other_lines_count() {
    let Some(host) = Host::new("a_bad_line_in_the_map_is_named_and_the_other_lines_count") else {
        return;
    };
    good_users(&host);
    host.sh(&format!(
        "printf '%s\\n' 'no equals sign' 'x@example.org=../../etc' 'y@example.org=-rf' >>{USER_MAP}"
    ));
    let report = save(&host);
    good_users_are_saved(&report);
    report.code(1);
    let said = report.run.err() + &report.run.out();
    for line in ["3", "4", "5"] {
        assert!(said.contains(line), "line {line} is not named: {said}");
    }
    assert_eq!(host.sh(&format!("ls {STATE} | grep -v '\\.tsv$'")), "ann\nzoe\n");
}

#[test]
fn root_is_no_terminal_user() {
    let Some(host) = Host::new("root_is_no_terminal_user") else { return };
    good_users(&host);
    host.sh("tmux -f /dev/null new-session -d -s roots-own sleep 100000");
    host.sh("echo 'toor:x:0:0::/home/toor:/bin/sh' >>/etc/passwd");
    host.sh(&format!("printf '%s\\n' boss@x=root other@x=toor >>{USER_MAP}"));
    let report = save(&host);
    good_users_are_saved(&report);
    report.code(1);
    for name in ["root", "toor"] {
        host.sh(&format!("test ! -e {STATE}/{name}"));
    }
    assert!(!report.run.out().contains("roots-own"), "{}", report.run.out());
}

#[test]
fn a_user_who_is_not_in_the_map_is_a_usage_error() {
    let Some(host) = Host::new("a_user_who_is_not_in_the_map_is_a_usage_error") else { return };
    good_users(&host);
    host.account("outsider");
    for command in ["save", "restore", "list", "show"] {
        for name in ["nobody-here", "outsider", "root", "../ann", ""] {
            let run = host.persist([command, "--user", name]).code(2);
            assert!(run.err().contains("is not a terminal user"), "{}", run.err());
        }
    }
    host.sh(&format!("test ! -e {STATE}/outsider && test ! -e {STATE}/root"));
}

#[test]
fn a_user_saves_for_himself_and_for_nobody_else() {
    let Some(host) = Host::new("a_user_saves_for_himself_and_for_nobody_else") else { return };
    good_users(&host);
    good_users_are_saved(&save(&host));

    host.sessions("ann", &["four"]);
    let own = Report::of(host.as_user("ann", persist_argv(["save", "--json"])));
    own.saved("ann", 3).code(0);
    let list = host.persist(["list", "--user", "ann", "--json"]).ok().json();
    assert_eq!(list["snapshots"].as_array().unwrap().len(), 2, "one store for both: {list}");

    let before = host.sh(&format!("ls -lR {STATE}/zoe"));
    for args in [
        &["save", "--user", "zoe"][..],
        &["restore", "--user", "zoe"],
        &["show", "--user", "zoe"],
        &["list", "--user", "zoe"],
        &["forget", "three", "--user", "zoe"],
    ] {
        let run = host.as_user("ann", persist_argv(args));
        assert!(run.code == 2 || run.code == 3, "{args:?}: {run:?}");
        assert!(!run.out().contains("three"), "{args:?}: {run:?}");
    }
    assert_eq!(host.sh(&format!("ls -lR {STATE}/zoe")), before);
}
