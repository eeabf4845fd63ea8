//! The child that saves a user is a process of that user's, who may do anything to it.

use super::output::harmless;
use super::report::{Report, good_users, good_users_are_saved, nothing_is_left, save};
use crate::support::fake_server::fake_server;
use crate::support::host::{BIN, Host, USER_MAP};
use crate::support::lacks::lacks;
use crate::support::wait_until;

/// Finds the user's own persist children, again and again, and does one thing to each.
const MEDDLER: &str = r#"
import ctypes, os, signal, sys

libc = ctypes.CDLL(None)
PIDFD_GETFD = 438

FORGED = (b'{"user":"ann","result":"saved","snapshot":"\\u001b[31m","sessions":99,"panes":99,'
          b'"notes":["\\u001b]0;x\\u0007\\nFORGED"],"error":null}\n\x1b[31m\nFORGED\n')
done = set()
open(os.environ["HOME"] + "/ready", "w").close()
while True:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                cmdline = file.read()
            with open(f"/proc/{pid}/status") as file:
                uid = int(file.read().split("\nUid:")[1].split()[0])
            if pid in done or uid != os.getuid() or b"persist" not in cmdline:
                continue
            os.kill(int(pid), signal.SIGKILL if sys.argv[1] == "kill" else signal.SIGSTOP)
            done.add(pid)
            open(os.environ["HOME"] + "/met", "w").close()
            if sys.argv[1] == "stop":
                continue
            descriptor = 2 if sys.argv[1] == "flooderr" else 1
            # Root's pipe cannot be opened through /proc, but it can be had from its holder.
            pidfd = os.pidfd_open(int(pid))
            pipe = libc.syscall(PIDFD_GETFD, pidfd, descriptor, 0)
            if pipe < 0:
                # Between becoming the user and exec the kernel refuses: again when it has gone on.
                done.discard(pid)
                os.kill(int(pid), signal.SIGCONT)
                continue
            open(os.environ["HOME"] + "/got", "w").close()
            with open(pipe, "wb", buffering=0) as pipe:
                while True:
                    pipe.write(FORGED if sys.argv[1] == "forge" else b"A" * 65536)
                    if sys.argv[1] == "forge":
                        break
            os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass
"#;

/// Makes a user who meddles in this way, and waits until the meddler is at work.
pub(super) fn meddler(host: &Host, how: &str) {
    host.user(how);
    // A server that never answers leaves the meddler all the time there is.
    fake_server(host, how, &["silent"]);
    host.install_bytes("meddler.py", MEDDLER.as_bytes());
    host.start_as(how, &["/usr/bin/env", "python3", "-I", &format!("{BIN}/meddler.py"), how]);
    let ready = format!("/home/{how}/ready");
    wait_until("the meddler is at work", || host.root(["test", "-e", &ready]).code == 0);
}

/// Saves, and asserts that the meddler met its child, failed for it, and harmed nobody else.
#[track_caller]
fn meddling_harms_the_meddler(host: &Host, how: &str) -> Report {
    let report = save(host);
    host.sh(&format!("test -e /home/{how}/met"));
    let reached = host.root(["test", "-e", &format!("/home/{how}/got")]).code == 0;
    if !matches!(how, "stop" | "kill") && !reached {
        lacks(how, "a process cannot take the descriptors of another of its user's");
    }
    good_users_are_saved(&report);
    report.failed(how).code(1).within(6);
    harmless(&report.run);
    nothing_is_left(host);
    report
}

#[test]
fn a_user_who_stops_his_child_fails_by_the_deadline() {
    let Some(host) = Host::new("a_user_who_stops_his_child_fails_by_the_deadline") else { return };
    good_users(&host);
    meddler(&host, "stop");
    meddling_harms_the_meddler(&host, "stop");
}

#[test]
fn a_user_who_kills_his_child_fails() {
    let Some(host) = Host::new("a_user_who_kills_his_child_fails") else { return };
    good_users(&host);
    meddler(&host, "kill");
    meddling_harms_the_meddler(&host, "kill");
}

#[test]
fn a_forged_report_speaks_for_nobody_else() {
    let Some(host) = Host::new("a_forged_report_speaks_for_nobody_else") else { return };
    good_users(&host);
    meddler(&host, "forge");
    let report = meddling_harms_the_meddler(&host, "forge");
    assert_eq!(report.user("forge")["sessions"], 0);
}

#[test]
fn an_endless_report_is_cut_short() {
    let Some(host) = Host::new("an_endless_report_is_cut_short") else { return };
    good_users(&host);
    for how in ["flood", "flooderr"] {
        meddler(&host, how);
        let report = meddling_harms_the_meddler(&host, how);
        let size = report.run.stdout.len() + report.run.stderr.len();
        assert!(size < 64 * 1024, "{how}: {size} bytes");
        host.end_all_of(how);
        host.sh(&format!("sed -i /={how}$/d {USER_MAP}"));
        host.sh("rm -r /var/lib/tmux-persist");
    }
}
