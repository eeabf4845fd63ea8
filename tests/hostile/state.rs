//! Users who rearrange their own state directory.

use super::report::{good_users, good_users_are_saved, root_wrote_nothing, save};
use crate::support::host::{BIN, Host, STATE};
use crate::support::wait_until;
use std::time::Duration;

const CASES: [(&str, &str); 15] = [
    ("snapdirlink", "rm -r snapshots; ln -s /etc snapshots"),
    ("snapdirfifo", "rm -r snapshots; mkfifo snapshots"),
    ("latestshadow", "ln -sf /etc/shadow latest"),
    ("latestetc", "ln -sf /etc/passwd latest"),
    ("latestfifo", "rm latest; mkfifo latest"),
    ("latestdir", "rm latest; mkdir latest"),
    ("lockfifo", "rm -f lock; mkfifo lock"),
    ("locklink", "rm -f lock; ln -s /tmp/new-lock lock"),
    ("lockdir", "rm -f lock; mkdir lock"),
    ("tombfifo", "rm -f forgotten.tsv; mkfifo forgotten.tsv"),
    ("tombhuge", "rm -f forgotten.tsv; truncate -s 1G forgotten.tsv"),
    ("snapfifo", "f=$(ls snapshots/*); rm $f; mkfifo $f"),
    ("snapdir", "f=$(ls snapshots/*); rm $f; mkdir $f"),
    ("snapmany", "seq -f snapshots/20200101T%06gZ.tsv 20000 | xargs touch"),
    ("snaphuge", "f=$(ls snapshots/*); truncate -s 5G $f"),
];

#[test]
fn a_rearranged_state_directory_harms_its_owner_at_most() {
    let Some(host) = Host::new("a_rearranged_state_directory_harms_its_owner_at_most") else {
        return;
    };
    good_users(&host);
    for (user, _) in CASES {
        host.user(user);
        host.sessions(user, &["main"]);
    }
    host.user("lockheld");
    host.sessions("lockheld", &["main"]);
    let first = save(&host);
    first.code(0);
    for (user, rearrange) in CASES {
        first.saved(user, 1);
        host.sh_as(user, &format!("cd {STATE}/{user}; {rearrange}"));
        host.sessions(user, &["more"]);
    }
    let lock = format!("{STATE}/lockheld/lock");
    host.start_as("lockheld", &["flock", &lock, "sh", "-c", "touch ~/held; exec sleep 100000"]);
    wait_until("the lock is held", || host.root(["test", "-e", "/home/lockheld/held"]).code == 0);
    host.sessions("lockheld", &["more"]);
    host.sessions("ann", &["three"]);
    host.sessions("zoe", &["four"]);

    let report = save(&host);
    report.saved("ann", 3).saved("zoe", 2).failed("lockheld").within(12);
    for (user, _) in CASES {
        if report.result(user) == "saved" {
            report.saved(user, 2);
        } else {
            report.failed(user);
        }
    }
    root_wrote_nothing(&host);
    host.sh("test ! -e /tmp/new-lock");

    for command in ["list", "show"] {
        let run = host.persist([command, "--json"]);
        assert!(run.code == 0 || run.code == 1, "{command}: {run:?}");
        assert!(run.took < Duration::from_secs(12), "{command} took {:?}", run.took);
        let said = run.out() + &run.err();
        assert!(!said.contains("root:"), "{command} shows /etc/shadow: {said}");
    }
    let list = host.persist(["list", "--user", "ann", "--json"]).ok().json();
    assert_eq!(list["snapshots"].as_array().unwrap().len(), 2, "{list}");
}

#[test]
fn a_state_directory_that_is_not_the_users_is_refused() {
    let Some(host) = Host::new("a_state_directory_that_is_not_the_users_is_refused") else {
        return;
    };
    good_users(&host);
    for user in ["rootowned", "zoeowned", "linked", "file"] {
        host.user(user);
        host.sessions(user, &["main"]);
    }
    // Only root can make these; a restored backup or a reused uid does.
    host.sh(&format!(
        "install -d -m 755 {STATE}; cd {STATE}; mkdir rootowned; \
         install -d -m 777 -o zoe zoeowned; ln -s /home/linked linked; : >file"
    ));
    let before = host.sh(&format!("cd {STATE}; ls -ld rootowned zoeowned linked file"));
    let report = save(&host);
    good_users_are_saved(&report);
    for user in ["rootowned", "zoeowned", "linked", "file"] {
        report.failed(user);
    }
    report.code(1).within(6);
    assert_eq!(host.sh(&format!("cd {STATE}; ls -ld rootowned zoeowned linked file")), before);
    assert_eq!(host.sh("ls -A /home/linked"), "");
}

/// Turns directories of the user's into links and back, as fast as it can.
const FLIPPER: &str = "
import os, sys
places = sys.argv[1:]
while True:
    for place in places:
        try:
            os.rename(place, place + '.real')
            os.symlink('/etc', place)
            open(os.environ['HOME'] + '/flipping', 'w').close()
            os.unlink(place)
            os.rename(place + '.real', place)
        except OSError:
            pass
";

#[test]
fn links_that_flip_during_the_saves_lead_nowhere() {
    let Some(host) = Host::new("links_that_flip_during_the_saves_lead_nowhere") else { return };
    good_users(&host);
    host.user("flipper");
    host.sessions("flipper", &["main"]);
    save(&host).code(0);
    host.sh_as("flipper", "mkdir -p ~/.claude/sessions ~/.claude/projects");
    host.install_bytes("flipper.py", FLIPPER.as_bytes());
    let script = format!("{BIN}/flipper.py");
    let state = format!("{STATE}/flipper/snapshots");
    let claude = ["/home/flipper/.claude/sessions", "/home/flipper/.claude"];
    let argv = ["/usr/bin/env", "python3", "-I", &script, &state, claude[0], claude[1]];
    host.start_as("flipper", &argv);
    wait_until("links flip", || host.root(["test", "-e", "/home/flipper/flipping"]).code == 0);
    for round in 0..10 {
        let name = format!("round{round}");
        host.sessions("flipper", &[&name]);
        host.sessions("zoe", &[&name]);
        save(&host).saved("zoe", round + 2).within(6);
        let run = host.persist(["list", "--json"]);
        assert!(run.code == 0 || run.code == 1, "{run:?}");
    }
    host.end_all_of("flipper");
    root_wrote_nothing(&host);
}

#[test]
fn variables_that_root_kept_of_a_user_lead_root_into_no_home() {
    let Some(host) = Host::new("variables_that_root_kept_of_a_user_lead_root_into_no_home") else {
        return;
    };
    host.user("ann");
    host.sh_as("ann", "mkdir /tmp/anns && mkdir /tmp/anns/root");
    let persist = format!("{BIN}/persist");
    let forget = ["forget", "x", "--user-map", "/none"];
    let kept = ["HOME=/home/ann", "XDG_STATE_HOME=/home/ann/state"];
    let argv = [&["env"], &kept[..], &[persist.as_str()], &forget].concat();
    host.root(argv).code(2); // nothing has such a session
    assert_eq!(host.sh("ls -A /home/ann"), "");
    assert!(host.sh("ls -A /root").contains(".local"));
    let run = host.root([&[persist.as_str()], &forget[..], &["--state-dir", "/tmp/anns"]].concat());
    assert!(run.code(1).err().contains("belongs to another user"));
}
