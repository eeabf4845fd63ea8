//! Users whose tmux socket, or its directory, is not what it should be.

use super::report::{good_users, good_users_are_saved, root_wrote_nothing, save};
use crate::support::host::Host;

#[test]
fn a_socket_that_is_something_else_is_refused_and_left_as_it_is() {
    let Some(host) = Host::new("a_socket_that_is_something_else_is_refused_and_left_as_it_is")
    else {
        return;
    };
    good_users(&host);
    host.sh("tmux -f /dev/null new-session -d -s roots-own sleep 100000");
    let cases = [
        ("toroot", "ln -s /tmp/tmux-0/default default"),
        ("toann", "ln -s /tmp/tmux-20001/default default"),
        ("tohome", "ln -s ~/elsewhere default"),
        ("regular", "echo precious >default"),
        ("fifo", "mkfifo default"),
        ("directory", "mkdir default"),
    ];
    for (user, make) in cases {
        host.user(user);
        host.sh_as(user, &format!("umask 077; d=/tmp/tmux-$(id -u); mkdir $d; cd $d; {make}"));
    }
    // Even a directory that every user may search does not make ann's server theirs.
    host.sh_as("ann", "chmod 711 /tmp/tmux-20001; chmod 666 /tmp/tmux-20001/default");
    let before = host.sh("cd /tmp; find tmux-* -printf '%p %y %u %l\\n' | sort");

    let report = save(&host);
    report.code(1).within(8).saved("zoe", 1);
    for (user, _) in cases {
        report.failed(user);
    }
    assert!(!report.run.out().contains("roots-own"), "{}", report.run.out());
    assert_eq!(host.sh("cd /tmp; find tmux-* -printf '%p %y %u %l\\n' | sort"), before);
    let uid = host.uid("regular");
    assert_eq!(host.sh(&format!("cat /tmp/tmux-{uid}/default")), "precious\n");
    root_wrote_nothing_of_persists(&host);
}

#[test]
fn a_socket_directory_of_somebody_else_is_refused() {
    let Some(host) = Host::new("a_socket_directory_of_somebody_else_is_refused") else { return };
    good_users(&host);
    // The victim has nothing; the attacker offers a server in the place where one is looked for.
    for (victim, attacker, make) in [
        ("linked", "linker", "mkdir /tmp/mine; ln -s /tmp/mine $d"),
        ("squatted", "squatter", "mkdir $d; ln -s $d /tmp/squat"),
        ("open", "opener", "mkdir $d; chmod 777 $d"),
    ] {
        let uid = host.user(victim);
        host.user(attacker);
        host.sh_as(attacker, &format!("umask 0; d=/tmp/tmux-{uid}; {make}"));
        let socket = format!("/tmp/tmux-{uid}/default");
        let args = ["-S", &socket, "new-session", "-d", "-s", "bait", "--", "sleep", "100000"];
        host.tmux(attacker, args).ok();
        host.sh(&format!("chmod 777 {socket}"));
    }
    let report = save(&host);
    good_users_are_saved(&report);
    for victim in ["linked", "squatted", "open"] {
        report.failed(victim);
    }
    report.code(1).within(8);
    assert!(!report.run.out().contains("bait"), "{}", report.run.out());
    root_wrote_nothing(&host);
}

/// As [`root_wrote_nothing`], where root has a tmux server of its own.
#[track_caller]
fn root_wrote_nothing_of_persists(host: &Host) {
    host.sh("tmux kill-server; rm -r /tmp/tmux-0");
    root_wrote_nothing(host);
}
