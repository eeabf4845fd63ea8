//! Users who lay hands on the process that became them: it costs that user, and nobody else.

use super::apply::{KEPT, Provisioned};
use crate::support::lacks::lacks;
use crate::support::wait_until;

const ROSTER: &str = "users:
  mallory: {authentik_user: m, k8s_user: m, tier: power-user}
  zoe: {authentik_user: z, k8s_user: z, tier: power-user}
";

/// Traces each of the user's workers and never asks for its status; with `holdexit` it stops there, too,
/// as it ends.
const MEDDLER: &str = r#"
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
PTRACE_SEIZE, TRACE_EXIT = 0x4206, 0x40
how = sys.argv[1]
done = set()
open("/tmp/ready", "w").close()
while True:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if pid in done or not file.read().endswith(b"provision\0worker\0"):
                    continue
            if os.stat(f"/proc/{pid}").st_uid != os.getuid():
                continue
            options = TRACE_EXIT if how == "holdexit" else 0
            if libc.ptrace(PTRACE_SEIZE, int(pid), 0, options):
                continue
            done.add(pid)
            open("/tmp/met", "w").close()
        except OSError:
            pass
"#;

/// A host whose users have clones to make, and mallory meddles.
fn meddled(test: &str, how: &str) -> Option<Provisioned> {
    if !std::path::Path::new("/usr/bin/python3").exists() {
        lacks(test, "python3");
        return None;
    }
    let here = Provisioned::new(test, ROSTER)?;
    for user in ["mallory", "zoe"] {
        here.host.user(user);
    }
    here.host.sh("rm /etc/ttyd-user-map; mount -t tmpfs -o mode=755 srv /srv; git init -q --bare /srv/infra.git
         printf '[safe]\\n directory = *\\n' >/etc/gitconfig");
    here.config(
        "[provision.code]\ninfra_remote = \"file:///srv/infra.git\"\nallow_file = true\nclone_seconds = 3\nfreshen_seconds = 3\n",
    );
    here.host.install_bytes("meddler.py", MEDDLER.as_bytes());
    let meddler = ["/usr/bin/env", "python3", "-I", "/opt/tl/meddler.py", how];
    here.host.start_as("mallory", &meddler);
    wait_until("the meddler is at work", || here.host.root(["test", "-e", "/tmp/ready"]).code == 0);
    Some(here)
}

/// Applies, and asserts that it was meddled with, ended in time, and served the other user; gives the
/// receipt.
fn applied(here: &Provisioned, test: &str, seconds: u64) -> Option<String> {
    let begin = std::time::Instant::now();
    let run = here.host.patient(["/opt/tl/provision", "apply"]);
    assert!([0, 1].contains(&run.code), "{}", run.err());
    let took = begin.elapsed();
    if here.host.root(["test", "-e", "/tmp/met"]).code != 0 {
        lacks(test, "a process cannot trace another of its user's");
        return None;
    }
    let map = here.host.sh("cat /etc/ttyd-user-map");
    assert!(map.contains("z=zoe\n"), "{map}");
    here.host.sh("test -d /home/zoe/code/.git");
    assert!(took < std::time::Duration::from_secs(seconds), "{took:?}");
    Some(here.host.sh(&format!("cat {KEPT}/receipts/*.json")))
}

/// Where the tracer came too late for the first worker, a signal stops the next one for it.
fn is_told(receipt: &str) -> bool {
    ["withholds its exit status", "did not answer within"].iter().any(|why| receipt.contains(why))
}

#[test]
fn who_traces_the_worker_and_keeps_its_end_does_not_hold_the_run_up() {
    let test = "who_traces_the_worker_and_keeps_its_end_does_not_hold_the_run_up";
    let Some(here) = meddled(test, "hold") else { return };
    let Some(receipt) = applied(&here, test, 60) else { return };
    assert!(is_told(&receipt), "{receipt}");
}

#[test]
fn a_worker_that_its_tracer_stops_as_it_ends_costs_its_deadline() {
    let test = "a_worker_that_its_tracer_stops_as_it_ends_costs_its_deadline";
    let Some(here) = meddled(test, "holdexit") else { return };
    let Some(receipt) = applied(&here, test, 60) else { return };
    assert!(is_told(&receipt), "{receipt}");
}

#[test]
fn a_worker_has_no_key_of_roots_and_leaves_nothing_running() {
    let test = "a_worker_has_no_key_of_roots_and_leaves_nothing_running";
    let Some(here) = Provisioned::new(test, ROSTER) else { return };
    here.host.user("mallory");
    here.host.user("zoe");
    // What the users' git runs is theirs to say.
    here.host.sh("mount -t tmpfs -o mode=755 srv /srv; git init -q -b main /srv/work; cd /srv/work
         echo a >a; git add a; git -c user.name=a -c user.email=a@b commit -qm one
         git clone -q --bare /srv/work /srv/infra.git
         printf '[safe]\\n directory = *\\n[uploadpack]\\n packObjectsHook = /opt/tl/hook\\n' >/etc/gitconfig
         chmod 1777 /tmp");
    here.host.install_bytes(
        "hook",
        b"#!/bin/sh\ngrep -c roots-own-key /proc/keys >/tmp/keys-$(id -un)
          setsid sh -c 'setsid sleep 1000 & sleep 1000' </dev/null >/dev/null 2>&1 &
          exec \"$@\"\n",
    );
    here.config("[provision.code]\ninfra_remote = \"file:///srv/infra.git\"\nallow_file = true\n");
    here.host.install_bytes("with_key.py", WITH_KEY.as_bytes());
    let argv =
        ["/usr/bin/env", "python3", "-I", "/opt/tl/with_key.py", "/opt/tl/provision", "apply"];
    let run = here.host.root(argv);
    if run.code == 77 {
        lacks(test, "no keyrings");
        return;
    }
    run.ok();
    assert_eq!(here.host.sh("cat /tmp/roots-view").trim(), "1", "root has the key");
    assert_eq!(here.host.sh("cat /tmp/keys-mallory").trim(), "0");
    let left = here.host.sh("ps -e -o user= -o args= | grep -E '^(mallory|zoe)' || :");
    assert_eq!(left, "", "it left its session, and lives on among root's");
}

/// Runs a command in a session keyring with a key in it.
const WITH_KEY: &str = r#"
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
JOIN_SESSION_KEYRING, SESSION_KEYRING = 1, -3
if libc.syscall(250, JOIN_SESSION_KEYRING, None) < 0:
    sys.exit(77)
if libc.syscall(248, b"user", b"roots-own-key", b"secret", 6, SESSION_KEYRING) < 0:
    sys.exit(77)
with open("/proc/keys") as keys, open("/tmp/roots-view", "w") as view:
    view.write(str(sum("roots-own-key" in line for line in keys)))
os.execv(sys.argv[1], sys.argv[1:])
"#;
