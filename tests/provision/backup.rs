//! `provision backup` with the real restic, on a throw-away host.

use super::apply::{KEPT, Provisioned, THREE};
use crate::documents::alerts;
use crate::support::lacks::lacks;

/// A host with users, two repositories, and something in each home.
fn host(test: &str) -> Option<Provisioned> {
    let restic = ["/usr/bin/restic", "/usr/local/bin/restic"];
    if !restic.iter().any(|path| std::path::Path::new(path).exists()) {
        lacks(test, "needs restic");
        return None;
    }
    let here = Provisioned::new(test, THREE)?;
    here.provision(&["apply"]).ok();
    here.config(
        "[provision.backup]\nrepositories = ['/srv/one', '/srv/two']\nmax_file_size = '1M'\n",
    );
    here.host.sh(
        "mount -t tmpfs -o mode=755 srv /srv; mount -t tmpfs -o mode=755 cache /var/cache
         (umask 077; echo hunter2 >/etc/terminal-lobby/backup.password)
         for user in ops reader builder; do echo $user >/home/$user/file; chown $user: /home/$user/file; done",
    );
    here.provision(&["backup", "init"]).ok();
    Some(here)
}

/// All that is in a directory: names, kinds, modes, owners, links, times, contents.
fn state(here: &Provisioned, home: &str) -> String {
    here.host.sh(&format!(
        "cd {home}; find . ! -path ./.cache ! -path './.cache/*' -printf '%p %y %m %U %G %n %T@ %l\\n' |
            sed 's/ d \\([0-9]* [0-9]* [0-9]*\\) [0-9]* / d \\1 /' | LC_ALL=C sort
         find . -type f ! -path './.cache/*' -exec sha256sum {{}} + | LC_ALL=C sort"
    ))
}

#[test]
fn a_home_comes_back_with_its_bytes_modes_owners_and_links() {
    let name = "a_home_comes_back_with_its_bytes_modes_owners_and_links";
    let Some(here) = host(name) else { return };
    let host = &here.host;
    host.sh("cd /home/ops; mkdir -m 2770 shared; mkdir -m 700 -p deep/er .cache
         printf 'a\\0b' >deep/er/bytes; printf x >deep/read-only; chmod 400 deep/read-only
         printf '#!/bin/sh' >run; chmod 755 run; ln -s /etc/shadow link; ln -s ../nowhere deep/dangling
         ln run deep/hard; mkfifo fifo; printf y >\"$(printf 'odd\\n name\\033')\"; echo z >.cache/z
         chown -hR ops: .; echo root >of-root; chmod 600 of-root; touch -d 2001-02-03 run .");
    let before = state(&here, "/home/ops");
    let run = here.provision(&["backup", "run"]).ok();
    assert!(run.out().ends_with("6 homes backed up, 0 failed.\n"), "{}", run.out());
    assert_eq!(here.provision(&["backup", "list", "--user", "ops"]).ok().out().lines().count(), 3);
    // Never over a home that holds anything.
    let run = here.provision(&["backup", "restore", "ops"]).code(3);
    assert!(run.err().contains("not empty") && run.err().contains("--to DIR"), "{}", run.err());
    assert_eq!(state(&here, "/home/ops"), before);
    here.provision(&["backup", "restore", "ops", "--to", "/srv/beside"]).ok();
    assert_eq!(state(&here, "/srv/beside"), before);
    here.provision(&["backup", "restore", "ops", "--to", "/srv/beside"]).code(3);
    // A home that is gone, and one that is empty.
    for lose in
        ["mv /home/ops /srv/lost", "rm -rf /home/ops; mkdir /home/ops; chown ops: /home/ops"]
    {
        host.sh(lose);
        here.provision(&["backup", "restore", "ops"]).ok();
        assert_eq!(state(&here, "/home/ops"), before, "{lose}");
        host.sh("test ! -e /home/ops/.cache");
    }
    // A repository that is lost: the other one has it, too.
    host.sh("rm -rf /srv/one /home/ops");
    let run = here.provision(&["backup", "restore", "ops"]).ok();
    assert!(run.err().contains("/srv/one") && run.out().contains("restored from /srv/two"));
    assert_eq!(state(&here, "/home/ops"), before);
    // Another account has the name by now.
    host.sh(
        "mv /home/reader /srv/reader; sed -i 's/^reader:x:[0-9]*:/reader:x:4444:/' /etc/passwd",
    );
    let run = here.provision(&["backup", "restore", "reader"]).code(3);
    assert!(run.err().contains("and reader has uid 4444"), "{}", run.err());
    assert_eq!(host.sh("ls -A /home").trim(), "builder\nops");
}

/// restic is root's: what a user exchanges while it runs must lead it nowhere.
#[test]
fn nothing_that_a_user_exchanges_leads_a_backup_out_of_the_home() {
    let name = "nothing_that_a_user_exchanges_leads_a_backup_out_of_the_home";
    let Some(here) = host(name) else { return };
    let host = &here.host;
    host.sh("mkdir -m 700 /srv/secrets; echo secret >/srv/secrets/key; ln -s /srv/secrets /home/ops/way
         mkdir /home/ops/mounted; mount -t tmpfs other /home/ops/mounted; echo other >/home/ops/mounted/file
         truncate -s 200G /home/ops/sparse; chown -h ops: /home/ops/sparse /home/ops/way");
    here.tool(
        "restic",
        "for last; do :; done
         if [ \"$1\" = backup ]; then
             cat \"$last/way/key\" >>/srv/leak 2>>/srv/why; cat \"$last/mounted/file\" >>/srv/leak 2>>/srv/why
             touch \"$last/new\" 2>>/srv/why
         fi
         tr '\\0' ' ' </proc/$$/cmdline >>/srv/arguments
         real \"$@\"",
    );
    here.provision(&["backup", "run", "--user", "ops", "--repository", "/srv/one"]).ok();
    assert_eq!(host.sh("cat /srv/leak"), "");
    let why = host.sh("cat /srv/why");
    for wanted in ["Too many levels of symbolic links", "No such file", "Read-only file system"] {
        assert!(why.contains(wanted), "{wanted}: {why}");
    }
    let arguments = host.sh("cat /srv/arguments");
    assert!(!arguments.contains("/srv/one") && !arguments.contains("hunter2"), "{arguments}");
    here.provision(&["backup", "restore", "ops", "--to", "/srv/beside"]).ok();
    assert_eq!(
        host.sh("readlink /srv/beside/way; ls /srv/beside").trim(),
        "/srv/secrets\nfile\nmounted\nway"
    );
    // A home that is no longer its user's, or a link, is not backed up.
    host.sh("umount /home/ops/mounted; chown reader: /home/ops; mv /home/builder /srv/b; ln -s /srv/secrets /home/builder");
    let run = here.provision(&["backup", "run", "--repository", "/srv/one"]).code(1);
    assert!(
        run.err().contains("belongs to uid") && run.err().contains("not a directory"),
        "{}",
        run.err()
    );
    assert!(run.out().ends_with("1 home backed up, 2 failed.\n"), "{}", run.out());
    // A password that others can read opens nothing.
    host.sh("chmod 644 /etc/terminal-lobby/backup.password");
    let run = here.provision(&["backup", "run", "--user", "reader"]).code(1);
    assert!(run.err().contains("others can read it"), "{}", run.err());
}

#[test]
fn what_is_broken_or_late_is_reported_and_nothing_of_it_is_restored() {
    let name = "what_is_broken_or_late_is_reported_and_nothing_of_it_is_restored";
    let Some(here) = host(name) else { return };
    let host = &here.host;
    here.provision(&["backup", "status"]).code(1);
    here.provision(&["backup", "run"]).ok();
    here.provision(&["backup", "verify"]).ok();
    host.sh("mkdir /srv/metrics");
    let status = ["backup", "status", "--metrics", "/srv/metrics/backup.prom"];
    assert!(here.provision(&status).ok().out().contains("verified 2"));
    let metrics = host.sh("cat /srv/metrics/backup.prom");
    assert!(
        metrics.contains("terminal_lobby_backup_stale{repository=\"/srv/one\",user=\"ops\"} 0\n"),
        "{metrics}"
    );
    // The alerting rules name what is there.
    let wanted = alerts::wanted_metrics("terminal_lobby_backup_");
    assert!(wanted.len() >= 2 && alerts::lacking(&wanted, &metrics).is_empty(), "{metrics}");
    // A disk that is not mounted: no repository is made there, and the other one gets its backup.
    host.sh("mv /srv/one /srv/away; mkdir /srv/one");
    let run = here.provision(&["backup", "run"]).code(1);
    assert!(run.out().ends_with("3 homes backed up, 3 failed.\n"), "{}", run.out());
    host.sh("rmdir /srv/one; mv /srv/away /srv/one");
    // Old backups.
    host.sh(&format!("sed -i 's/\"good\": [0-9]*/\"good\": 1000000000/' {KEPT}/backup.json"));
    let run = here.provision(&status).code(1);
    assert!(run.err().contains("/srv/one: ops: the last good backup is "), "{}", run.err());
    assert!(host.sh("cat /srv/metrics/backup.prom").contains("user=\"ops\"} 1\n"));
    // Data that is lost, and a restore that does not get to its end.
    host.sh("rm /srv/one/index/*; rm -rf /home/ops");
    let run = here.provision(&["backup", "verify", "--repository", "/srv/one"]).code(1);
    assert!(run.err().contains("restic check"), "{}", run.err());
    assert!(
        host.sh("cat /srv/metrics/backup.prom")
            .contains("verification_failed{repository=\"/srv/one\"} 0\n")
    );
    here.provision(&status).code(1);
    assert!(
        host.sh("cat /srv/metrics/backup.prom")
            .contains("verification_failed{repository=\"/srv/one\"} 1\n")
    );
    here.tool(
        "restic",
        "if [ \"$1\" = restore ]; then
             mkdir -p \"$4/home/ops\"; echo half >\"$4/home/ops/file\"; echo 'Fatal: no such pack' >&2; exit 1
         fi
         real \"$@\"",
    );
    let run = here.provision(&["backup", "restore", "ops", "--repository", "/srv/two"]).code(1);
    assert!(run.err().contains("no such pack"), "{}", run.err());
    assert_eq!(host.sh("ls -A /home").trim(), "builder\nreader");
    host.sh("rm /usr/local/sbin/restic");
    here.provision(&["backup", "restore", "ops", "--snapshot", "zz"]).code(1);
    here.provision(&["backup", "restore", "ops", "--repository", "/srv/two"]).ok();
    assert_eq!(host.sh("cat /home/ops/file").trim(), "ops");
}
