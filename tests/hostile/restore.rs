//! Root restores everybody, and each user's sessions are that user's.

use super::report::{good_users, good_users_are_saved, save};
use crate::support::fake_server::fake_server;
use crate::support::host::Host;
use crate::support::wait_until;

/// The pids of a user's tmux server and of the processes in its panes.
fn pids(host: &Host, user: &str) -> Vec<i32> {
    let run = host.tmux(user, ["list-panes", "-a", "-F", "#{pid}\n#{pane_pid}"]).ok();
    let mut pids: Vec<i32> = run.out().lines().map(|line| line.parse().unwrap()).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Kills a user's server and what runs in it as a crash does.
fn crash(host: &Host, user: &str) {
    let all: Vec<_> = pids(host, user).iter().map(ToString::to_string).collect();
    // The server's end may end a pane's process before its turn comes.
    host.sh(&format!("kill -KILL {} || :", all.join(" ")));
    wait_until("the server is gone", || {
        host.sh(&format!("for p in {}; do test ! -d /proc/$p || echo $p; done", all.join(" ")))
            .is_empty()
    });
}

/// One field of /proc/PID/status.
fn status(host: &Host, pid: i32, field: &str) -> String {
    let text = host.sh(&format!("cat /proc/{pid}/status"));
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.unwrap_or_else(|| panic!("no {field} of {pid}"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn restored_sessions_belong_to_their_user_alone() {
    let Some(host) = Host::new("restored_sessions_belong_to_their_user_alone") else { return };
    good_users(&host);
    host.group("crew", 30001, &["ann"]);
    host.group("staff", 30002, &["ann", "zoe"]);
    good_users_are_saved(&save(&host));
    crash(&host, "ann");
    crash(&host, "zoe");

    let run = host.persist(["restore", "--json"]).code(0);
    for (user, sessions, groups) in
        [("ann", "one\ntwo\n", "30001 30002"), ("zoe", "three\n", "30002")]
    {
        let names = host.tmux(user, ["list-sessions", "-F", "#{session_name}"]).ok().out();
        assert_eq!(names, sessions, "{}", run.out());
        let uid = host.uid(user);
        for pid in pids(&host, user) {
            assert_eq!(status(&host, pid, "Uid"), format!("{uid} {uid} {uid} {uid}"));
            assert_eq!(status(&host, pid, "Gid"), format!("{uid} {uid} {uid} {uid}"));
            let mut has: Vec<_> =
                status(&host, pid, "Groups").split(' ').map(str::to_owned).collect();
            has.retain(|group| *group != uid.to_string());
            assert_eq!(has.join(" "), groups);
            assert_eq!(status(&host, pid, "NoNewPrivs"), "0", "a restored shell can sudo");
            assert_eq!(status(&host, pid, "CapEff"), "0000000000000000");
            assert_eq!(status(&host, pid, "Umask"), "0022");
            assert_eq!(status(&host, pid, "SigBlk"), "0000000000000000");
            let environment = host.sh(&format!("tr '\\0' '\\n' </proc/{pid}/environ"));
            assert!(!environment.contains("ROOTS_OWN"), "{environment}");
            assert!(environment.contains(&format!("HOME=/home/{user}\n")), "{environment}");
            assert!(environment.contains(&format!("USER={user}\n")), "{environment}");
            // tmux has pipes of its own, both ends of each; one end alone came from persist.
            let half =
                host.sh(&format!("readlink /proc/{pid}/fd/* | grep ^pipe: | sort | uniq -u"));
            assert_eq!(half, "", "inherited from persist");
        }
    }
    let again = host.persist(["restore", "--json"]).code(0);
    assert!(!again.out().contains(r#""action":"new""#), "{}", again.out());
    assert_eq!(host.tmux("ann", ["list-sessions", "-F", "#{session_name}"]).out(), "one\ntwo\n");
}

#[test]
fn a_hostile_server_keeps_nobody_elses_sessions_from_coming_back() {
    let Some(host) = Host::new("a_hostile_server_keeps_nobody_elses_sessions_from_coming_back")
    else {
        return;
    };
    good_users(&host);
    let hostile = ["stopped", "silent", "lock", "endless"];
    for user in hostile {
        host.user(user);
        host.sessions(user, &["main"]);
    }
    save(&host).code(0);
    crash(&host, "ann");
    for user in &hostile[1..] {
        crash(&host, user);
        host.sh_as(user, "rm -f /tmp/tmux-$(id -u)/default");
        fake_server(
            &host,
            user,
            &[user, "id -u >>/tmp/ran"][..if *user == "lock" { 2 } else { 1 }],
        );
    }
    let server = host.tmux("stopped", ["display-message", "-p", "#{pid}"]).ok().out();
    host.sh(&format!("kill -STOP {server}"));

    let run = host.persist(["restore", "--json"]).code(1);
    assert!(run.took < std::time::Duration::from_secs(15), "took {:?}", run.took);
    assert_eq!(host.tmux("ann", ["list-sessions", "-F", "#{session_name}"]).out(), "one\ntwo\n");
    let ran = host.sh("cat /tmp/ran 2>/dev/null || :");
    assert!(!ran.lines().any(|uid| uid == "0"), "ran as root: {ran}");
}

#[test]
fn a_forged_snapshot_runs_as_its_author() {
    let Some(host) = Host::new("a_forged_snapshot_runs_as_its_author") else { return };
    good_users(&host);
    host.user("mallory");
    host.sessions("mallory", &["main"]);
    save(&host).code(0);
    crash(&host, "mallory");
    let forge = r#"
        cd /var/lib/tmux-persist/mallory/snapshots
        evil='#(id -u >>/tmp/ran)$(id -u >>/tmp/ran);'
        sed -i "s|^main\t/home/mallory|x$evil\t/home/mallory/$evil|" *.tsv
    "#;
    host.sh_as("mallory", forge);
    let show = host.persist(["show", "--user", "mallory", "--json"]).ok().out();
    assert!(show.contains("x#(id"), "the forged row is read: {show}");
    let run = host.persist(["restore", "--user", "mallory", "--json"]);
    assert!(run.code == 0 || run.code == 1, "{run:?}");
    host.tmux("ann", ["has-session", "-t", "=one"]).ok();
    let ran = host.sh("cat /tmp/ran 2>/dev/null || :");
    assert_eq!(ran, "", "a name is a name: {}", run.out());
}
