//! What root prints, whatever users call things.

use super::report::{good_users, save};
use crate::support::Run;
use crate::support::fake_server::fake_server;
use crate::support::host::Host;

/// Asserts that nothing printed can steer a terminal or forge a line of a log.
#[track_caller]
pub(super) fn harmless(run: &Run) {
    for bytes in [&run.stdout, &run.stderr] {
        let text = String::from_utf8(bytes.clone()).expect("what is printed is UTF-8");
        let turns = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || turns(c));
        assert_eq!(bad, None, "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("FORGED")), "{text}");
    }
}

#[test]
fn no_name_or_path_of_a_user_reaches_a_terminal_raw() {
    let Some(host) = Host::new("no_name_or_path_of_a_user_reaches_a_terminal_raw") else { return };
    good_users(&host);
    host.user("mallory");
    let make = r#"
        cwd=$(printf '/tmp/a\033]0;owned\007\nFORGED line\ttab\302\233c1\377.')
        mkdir -p "${cwd%.}"
        cd "${cwd%.}"
        new() { tmux -u -f /dev/null new-session -d -s "$1" -n "$2" -- sleep 100000; }
        new "$(printf 'esc\033[31m\nFORGED name')" "$(printf 'win\033c\tx')"
        new "$(printf 'bad\377utf\302\2331mc1')" plain
        new "$(printf 'right\342\200\256to left')" '##(touch /tmp/ran)'
        tmux -u select-pane -T "$(printf 'title\302\2331m')"
    "#;
    host.sh_as("mallory", make);
    host.user("liar");
    fake_server(&host, "liar", &["lie", "\u{1b}[2J\nFORGED answer\n\u{9b}1m\r"]);

    let report = save(&host);
    harmless(&report.run);
    report.code(1).failed("liar");
    let notes = report.user("mallory")["notes"].to_string();
    assert_eq!(report.result("mallory"), "saved", "{notes}");
    assert_eq!(report.user("mallory")["sessions"], 3, "{notes}");
    host.tmux("mallory", ["new-session", "-d", "-s", "more", "--", "sleep", "100000"]).ok();
    for args in [
        &["save", "-v"][..],
        &["save"],
        &["list"],
        &["list", "--json"],
        &["show", "--user", "mallory"],
        &["show", "--user", "mallory", "--json"],
        &["show", "--user", "mallory", "\u{1b}[31m\nFORGED id"],
        &["restore", "--dry-run"],
        &["restore", "--dry-run", "--json"],
        &["restore", "--user", "mallory", "\u{1b}[31m\nFORGED session"],
        &["save", "--user", "\u{1b}[31m\nFORGED user"],
        &["history", "--user", "mallory"],
        &["history", "--user", "mallory", "--json"],
        &["diff", "--user", "mallory", "latest", "live"],
        &["restore", "--user", "mallory", "right\u{202e}to left"],
        &["forget", "--user", "mallory", "right\u{202e}to left"],
        &["forget", "--user", "mallory", "no\u{2066}such\u{200b}session"],
        &["events", "--user", "mallory"],
        &["status", "mallory"],
    ] {
        harmless(&host.persist(args));
    }
    host.sh("test ! -e /tmp/ran");
}

#[test]
fn what_a_forged_snapshot_says_is_printed_escaped() {
    let Some(host) = Host::new("what_a_forged_snapshot_says_is_printed_escaped") else { return };
    good_users(&host);
    host.user("mallory");
    host.sessions("mallory", &["main"]);
    save(&host).code(0);
    let forge = r#"
        cd /var/lib/tmux-persist/mallory/snapshots
        f=$(ls)
        { printf 'mark\033[31m\t/tmp\t-\n'; printf '\033]0;x\007FORGED'; } >"$f"
        printf 'a\033[31mb\r\t/tmp\302\2331m\t-\n# end 1\n' >20991231T235959Z.tsv
        n=$(printf '20991231T235958Z\033[31m\nFORGED.tsv')
        cp "$f" "$n" 2>/dev/null || :
    "#;
    host.sh_as("mallory", forge);
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["show", "--user", "mallory"],
        &["show", "--user", "mallory", "20991231T235959Z", "--json"],
        &["restore", "--dry-run", "--user", "mallory"],
        &["save", "-v"],
    ] {
        harmless(&host.persist(args));
    }
}
