//! `provision offboard cut|uncut|archive|remove` on a throw-away host, with the system's own tools:
//! no systemd there (tests/boot has one).

mod archive;
mod cut;
mod fights_back;
mod killed;
mod refused;
mod shared;

use crate::support::host::Host;
use crate::support::lacks::lacks;
use crate::support::run::Run;
use std::ffi::OsStr;

const CUT: &str = "/var/lib/terminal-lobby/cut";
const SAYS_NOTHING: &str = "remove_after_days = 0\n";

/// A host with `ann`, who leaves, and `bob`, who stays.
fn host(test: &str) -> Option<Host> {
    for tool in ["/usr/sbin/usermod", "/usr/bin/gpasswd", "/usr/bin/tar", "/usr/bin/setpriv"] {
        if !std::path::Path::new(tool).exists() {
            lacks(test, tool);
            return None;
        }
    }
    let host = Host::new(test)?;
    host.install("provision", env!("CARGO_BIN_EXE_provision").as_ref());
    let (ann, bob) = (host.user("ann"), host.user("bob"));
    host.group("docker", 900, &["ann", "bob"]);
    host.group("lobby", 901, &["bob", "ann"]);
    host.group("audio", 902, &["ann"]);
    // A hash that opens nothing, and an expiry of its own.
    host.sh(
        "sed -i 's/^ann:[^:]*:19000:0:99999:7:::/ann:$y$hash:19000:0:99999:7::25000:/' /etc/shadow",
    );
    host.sh(&format!(
        "mount -t tmpfs -o mode=755 spool /var/spool
         mkdir -p /etc/t3-serve /root/archives /var/spool/cron/crontabs /var/spool/cron/atjobs
         cd /var/spool/cron
         for user in {ann} {bob}; do
             echo '* * * * * true' >crontabs/$user; chown $user crontabs/$user
             echo true >atjobs/a$user; chown $user atjobs/a$user; chmod 700 atjobs/a$user
         done
         mv crontabs/{ann} crontabs/ann; mv crontabs/{bob} crontabs/bob
         for user in ann bob; do
             echo TOKEN=x >/etc/t3-serve/$user.env; echo TOKEN=y >/etc/t3-serve/playwright-$user.env
             chmod 600 /etc/t3-serve/*.env
         done"
    ));
    configure(&host, "");
    Some(host)
}

/// Sets the table of leaving.
fn configure(host: &Host, more: &str) {
    host.sh(&format!(
        "printf '[provision.offboard]\\nt3_group = \"lobby\"\\n%s' '{more}' >/etc/terminal-lobby/config.toml"
    ));
}

/// Runs `provision offboard ARGS`.
#[track_caller]
fn offboard<I: IntoIterator<Item: AsRef<OsStr>>>(host: &Host, args: I) -> Run {
    let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
    let program = ["/opt/tl/provision", "offboard"].map(std::ffi::OsString::from);
    host.root(program.into_iter().chain(args))
}

/// Everything that a cut changes, as text: databases with their members in order, and files with
/// owner, mode and content.
fn everything(host: &Host) -> String {
    host.sh(
        "cat /etc/shadow /etc/passwd
         while IFS=: read -r name x gid members; do
             echo \"$name:$gid:$(echo $members | tr , '\\n' | sort | tr '\\n' ,)\"
         done </etc/group
         find /var/spool/cron /etc/t3-serve -type f -printf '%p %U %G %m %s %T@\\n' | sort
         find /var/spool/cron /etc/t3-serve -type f | sort | xargs cat
         find /home -maxdepth 2 -name '.terminal-lobby-frozen' -prune -o -printf '%p %U %m\\n' | sort",
    )
}

/// How many processes run with any of these as their real uid.
fn processes(host: &Host, uids: &str) -> usize {
    host.sh(&format!("ps -e -o ruid= -o stat= | awk '$1 ~ /^({uids})$/ && $2 !~ /^Z/' | wc -l"))
        .trim()
        .parse()
        .unwrap()
}

/// Waits until a process of the one who leaves runs.
fn wait_until_runs(host: &Host) {
    let uid = host.uid("ann").to_string();
    crate::support::wait_until("it runs", || processes(host, &uid) > 0);
}

/// Nobody gets in, and nothing of the user's is left to run.
#[track_caller]
fn assert_cut(host: &Host) {
    let uid = host.uid("ann");
    assert_eq!(processes(host, &uid.to_string()), 0);
    let shadow = host.sh("grep ^ann: /etc/shadow");
    assert_eq!(shadow, "ann:!$y$hash:19000:0:99999:7::1:\n");
    assert_eq!(
        host.sh("grep -E '^(docker|lobby|audio):' /etc/group").lines().collect::<Vec<_>>(),
        ["docker:x:900:bob", "lobby:x:901:bob", "audio:x:902:ann"]
    );
    let left = host.sh("find /var/spool/cron /etc/t3-serve -type f -printf '%f\\n' | sort");
    let bob = host.uid("bob");
    assert_eq!(left, format!("a{bob}\nbob\nbob.env\nplaywright-bob.env\n"));
    let away =
        host.sh(&format!("stat -c '%u %a' {CUT} {CUT}/ann.d {CUT}/ann.json; ls {CUT}/ann.d"));
    let names = format!("0-a{uid}\n0-ann\n0-ann.env\n0-playwright-ann.env\n");
    assert_eq!(away, format!("0 700\n0 700\n0 600\n{names}"));
}
