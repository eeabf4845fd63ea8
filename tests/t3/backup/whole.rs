//! `provision t3 backup` on a throw-away host with accounts of its own.

use super::super::instance::STAND_IN;
use crate::support::host::Host;
use crate::support::run::Run;
use std::path::Path;

/// A host whose users have an instance's data each.
pub(in crate::t3) struct Served {
    pub(in crate::t3) host: Host,
}

impl Served {
    pub(in crate::t3) fn new(test: &str, users: &[&str]) -> Option<Self> {
        let host = Host::new(test)?;
        host.install("provision", Path::new(env!("CARGO_BIN_EXE_provision")));
        host.install("t3", Path::new(STAND_IN));
        host.sh(
            "mkdir -p /var/lib/t3 /etc/t3-serve; mount -t tmpfs -o mode=755 backups /var/backups",
        );
        let rows: Vec<String> = users
            .iter()
            .enumerate()
            .map(|(at, user)| {
                host.user(user);
                format!("\"{user}\": {{\"os_user\": \"{user}\", \"port\": {}}}", 3773 + at)
            })
            .collect();
        host.sh(&format!("echo '{{{}}}' >/etc/t3-serve/dispatch.json", rows.join(", ")));
        for user in users {
            host.sh_as(
                user,
                "umask 077; /opt/tl/t3 auth pairing create --base-dir ~/.t3 >/dev/null",
            );
        }
        Some(Self { host })
    }

    /// Runs `provision t3 ARGS` as root.
    #[track_caller]
    pub(in crate::t3) fn t3(&self, args: &[&str]) -> Run {
        self.host.root(["/opt/tl/provision", "t3"].iter().chain(args))
    }
}

#[test]
fn each_user_has_backups_of_their_own_and_a_failure_keeps_no_other_from_theirs() {
    let name = "each_user_has_backups_of_their_own_and_a_failure_keeps_no_other_from_theirs";
    let Some(here) = Served::new(name, &["ann", "bob", "cem"]) else { return };
    let host = &here.host;
    host.sh("rm -r /home/cem/.t3");
    let run = here.t3(&["backup"]).ok();
    assert_eq!(run.out(), "2 instances backed up, 0 failed.\n");
    assert_eq!(host.sh("stat -c '%a %U' /var/backups/t3").trim(), "711 root");
    assert_eq!(host.sh("stat -c '%a %U' /var/backups/t3/ann").trim(), "700 ann");
    let odd = "find /var/backups/t3/ann -type f ! -perm 600 -o -type d ! -perm 700 -o ! -user ann";
    assert_eq!(host.sh(odd), "");
    host.as_user("bob", ["ls", "/var/backups/t3/ann"]).code(2);
    host.as_user("bob", ["ls", "/var/backups/t3"]).code(2);
    assert_eq!(
        here.t3(&["backups", "--json"]).ok().out().matches("\"as_recorded\":true").count(),
        2
    );
    // What the user changes in their own backup is seen.
    host.sh_as("ann", "cd /var/backups/t3/ann/*; echo ' ' >>manifest.json");
    let run = here.t3(&["backups", "ann"]).ok();
    assert!(run.out().contains("changed since it was made"), "{}", run.out());
    // Nothing listens here: each instance is an error, and the rest is said all the same.
    let run = here.t3(&["status", "--json", "--metrics", "/run/t3.prom"]).code(1);
    assert!(
        run.out().contains("\"healthy\":false") && run.out().contains("\"last_backup\":{\"id\""),
        "{}",
        run.out()
    );
    let wanted = crate::documents::alerts::wanted_metrics("terminal_lobby_t3_backup_");
    assert!(wanted.len() >= 4);
    assert_eq!(crate::documents::alerts::lacking(&wanted, &host.sh("cat /run/t3.prom")), [""; 0]);
    // A directory that leads elsewhere, or is another's, is not written to.
    host.sh("mv /var/backups/t3/ann /srv-ann 2>/dev/null || mv /var/backups/t3/ann /tmp/ann
             ln -s /home/bob /var/backups/t3/ann");
    let run = here.t3(&["backup", "--json"]).code(1);
    assert!(
        run.out().contains("not a directory") && run.out().contains("\"user\":\"bob\""),
        "{}",
        run.out()
    );
    assert_eq!(host.sh("ls -A /home/bob").trim(), ".t3");
    here.t3(&["backup", "dan"]).code(2);
    host.as_user("bob", ["/opt/tl/provision", "t3", "backup"]).code(3);
}

#[test]
fn a_full_disk_fails_a_backup_and_keeps_the_older_ones() {
    let name = "a_full_disk_fails_a_backup_and_keeps_the_older_ones";
    let Some(here) = Served::new(name, &["ann", "bob"]) else { return };
    let host = &here.host;
    host.sh("mount -t tmpfs -o mode=755,size=8m host /var/backups
             printf '[backup]\\nkeep_free_bytes = 0\\n' >/etc/terminal-lobby/t3.toml");
    here.t3(&["backup"]).ok();
    let kept =
        || host.sh("cd /var/backups/t3; sha256sum */*/manifest.json */*/userdata/state.sqlite");
    let before = kept();
    assert_eq!(before.lines().count(), 4, "{before}");
    host.sh("cat /dev/zero >/var/backups/fill 2>/dev/null || :");
    let run = here.t3(&["backup"]).code(1);
    for user in ["ann", "bob"] {
        assert!(run.err().contains(&format!("{user}: ")), "{}", run.err());
    }
    assert!(run.err().contains("0 MiB are free"), "{}", run.err());
    assert_eq!(kept(), before);
    host.sh("rm /var/backups/fill");
    here.t3(&["backup"]).ok();
    assert_eq!(kept().lines().count(), 8);
    assert_eq!(
        host.sh("cd /var/backups/t3; ls -d */.??* 2>/dev/null || :"),
        "",
        "nothing else is left"
    );
}
