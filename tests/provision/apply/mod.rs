//! `provision apply` on a throw-away host: real accounts, groups and files.

mod clones;
mod configured;
mod homes;
mod killed;
mod lasting;
mod membership;
mod numbers;
mod refused;
mod repository;
mod second_remote;
mod snapshot;
mod staged;
mod transports;

use crate::support::host::Host;
use crate::support::run::Run;
use std::path::Path;

/// Three users, as the roster of the documentation has them.
pub(crate) const THREE: &str = "users:
  ops:     {authentik_user: ops.lead,  k8s_user: ops,  tier: admin}
  reader:  {authentik_user: reader.ro, k8s_user: ro,   tier: power-user}
  builder: {authentik_user: builder42, k8s_user: bld,  tier: namespace-owner, namespaces: [builds],
            code_layout: workspace, repos: [webapp], parked: false}
";
/// Where the suite keeps what was applied, inside.
pub(crate) const KEPT: &str = "/var/lib/terminal-lobby";

/// A host that can be provisioned.
pub(crate) struct Provisioned {
    pub(crate) host: Host,
}

impl Provisioned {
    /// A host with the groups of admins and a roster, or `None` with what the machine lacks.
    pub(crate) fn new(test: &str, roster: &str) -> Option<Self> {
        let host = Host::new(test)?;
        host.install("provision", Path::new(env!("CARGO_BIN_EXE_provision")));
        host.group("sudo", 27, &[]);
        host.group("docker", 998, &[]);
        host.group("code-shared", 997, &[]);
        host.sh(
            "printf '%s\\n' 'UID_MIN 1000' 'UID_MAX 60000' 'USERGROUPS_ENAB yes' >/etc/login.defs
                 mkdir /etc/skel /etc/default; echo 'skel' >/etc/skel/.profile
                 mkdir -p /etc/systemd/system
                 mount -t tmpfs -o mode=755 tools /usr/local",
        );
        host.sh("rm -f /etc/terminal-lobby/config.toml /etc/ttyd-user-map");
        let made = Self { host };
        made.roster(roster);
        Some(made)
    }

    /// Puts a roster in place.
    pub(crate) fn roster(&self, text: &str) {
        self.host.sh(&format!("cat >/etc/terminal-lobby/roster.yaml <<'END'\n{text}END"));
    }

    /// Puts a configuration in place.
    pub(crate) fn config(&self, text: &str) {
        self.host.sh(&format!("cat >/etc/terminal-lobby/config.toml <<'END'\n{text}END"));
    }

    /// Runs `provision ARGS` as root.
    #[track_caller]
    pub(crate) fn provision(&self, args: &[&str]) -> Run {
        self.host.root(["/opt/tl/provision"].iter().chain(args))
    }

    /// Every file that a run could change, with inode and times; homes as well.
    pub(crate) fn files(&self) -> String {
        self.host.sh(
            "find /etc /home /var/lib /usr/local -printf '%p %y %m %u %g %i %s %T@ %C@ %l\\n' | sort",
        )
    }

    /// A tool of the host, in front of the real one: a script that may run `real \"$@\"`.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        self.host.sh(&format!(
            "mkdir -p /usr/local/sbin
             real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v {name})
             cat >/usr/local/sbin/{name} <<END
#!/bin/sh
real() {{ $real \"\\$@\"; }}
END
             cat >>/usr/local/sbin/{name} <<'END'\n{script}\nEND
             chmod 755 /usr/local/sbin/{name}"
        ));
    }
}

#[test]
fn an_empty_host_comes_to_three_users_and_a_second_run_writes_nothing() {
    let name = "an_empty_host_comes_to_three_users_and_a_second_run_writes_nothing";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    let run = here.provision(&["apply"]).ok();
    let last = "Applied: 15 added, 0 repaired, 0 cut, 0 removed, 0 refused, 0 failed.\n";
    assert!(run.out().ends_with(last), "{}", run.out());
    let host = &here.host;
    assert_eq!(
        host.sh("cat /etc/ttyd-user-map /etc/ttyd-admins | grep -v '^#'"),
        "builder42=builder\nops.lead=ops\nreader.ro=reader\nops\n"
    );
    assert_eq!(host.sh("id -nG ops").trim(), "ops sudo docker code-shared");
    assert_eq!(host.sh("id -nG reader").trim(), "reader");
    for user in ["ops", "reader", "builder"] {
        assert_eq!(host.sh(&format!("stat -c '%a %U' /home/{user}")).trim(), format!("700 {user}"));
        let shadow = host.sh(&format!("grep ^{user}: /etc/shadow"));
        assert!(shadow.starts_with(&format!("{user}:!")), "{shadow}");
        assert_eq!(host.sh(&format!("cat /home/{user}/.profile")), "skel\n");
    }
    assert_eq!(host.sh("stat -c '%a %U' /etc/t3-serve/ops.env").trim(), "600 root");
    assert_eq!(
        host.sh("cat /etc/t3-serve/ops.env /etc/t3-serve/playwright-ops.env"),
        "T3_PORT=3774\nPLAYWRIGHT_PORT=8932\n"
    );
    let before = here.files();
    for more in [&["apply"][..], &["apply", "--json"], &["apply", "--user", "ops"]] {
        let run = here.provision(more).ok();
        assert!(run.out().contains("0 added, 0 repaired") || run.out().contains("\"added\":0"));
    }
    assert_eq!(here.files(), before, "a run with nothing to do wrote something");
}

#[test]
fn what_was_made_by_hand_stays_but_for_what_the_plan_says() {
    let name = "what_was_made_by_hand_stays_but_for_what_the_plan_says";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.host.user("reader");
    here.host.group("video", 44, &["reader"]);
    here.host.sh(
        "echo 'theirs' >/home/reader/.bashrc; chmod 755 /home/reader; chown -R reader /home/reader
         mkdir -m 755 /etc/t3-serve
         printf 'SECRET=hunter2\\nT3_PORT=4001\\n# by hand\\n' >/etc/t3-serve/reader.env
         chmod 644 /etc/t3-serve/reader.env
         echo 'reader.ro=reader' >/etc/ttyd-user-map",
    );
    let homes = here.host.sh("find /home/reader -printf '%p %m %u %i %T@ %C@\\n'");
    let row = here.host.sh("grep ^reader: /etc/passwd /etc/shadow");
    let run = here.provision(&["apply"]).ok();
    assert!(
        !run.out().contains("hunter2") && run.out().contains("reader.env mode"),
        "{}",
        run.out()
    );
    assert_eq!(here.host.sh("find /home/reader -printf '%p %m %u %i %T@ %C@\\n'"), homes);
    assert_eq!(here.host.sh("grep ^reader: /etc/passwd /etc/shadow"), row);
    assert!(here.host.sh("id -nG reader").contains("video"));
    assert_eq!(
        here.host.sh("stat -c %a /etc/t3-serve/reader.env; cat /etc/t3-serve/reader.env"),
        "600\nSECRET=hunter2\nT3_PORT=4001\n# by hand\n"
    );
    let dispatch = here.host.sh("cat /etc/t3-serve/dispatch.json");
    assert!(dispatch.contains("4001"), "a port of before is kept: {dispatch}");
    assert!(
        !here
            .host
            .sh(&format!("cat -- {KEPT}/journal.jsonl {KEPT}/receipts/*"))
            .contains("hunter2")
    );
}

#[test]
fn one_users_failure_is_that_users() {
    let Some(here) = Provisioned::new("one_users_failure_is_that_users", THREE) else { return };
    here.tool(
        "useradd",
        "for arg; do last=$arg; done\n\
        if [ \"$last\" = builder ]; then echo 'no room \u{1b}[2J' >&2; exit 12; fi\nreal \"$@\"",
    );
    let run = here.provision(&["apply"]).code(1);
    let why = "builder: account builder: useradd exited with 12: no room \\x1b[2J";
    assert!(run.err().contains(why), "{}", run.err());
    assert!(
        run.out().contains("builder: /etc/t3-serve/builder.env T3_PORT  skipped"),
        "{}",
        run.out()
    );
    let map = here.host.sh("grep -v '^#' /etc/ttyd-user-map");
    assert_eq!(map, "ops.lead=ops\nreader.ro=reader\n");
    assert!(here.host.sh("id -nG ops").contains("docker"));
    // Tried again by the next run.
    here.host.sh("rm /usr/local/sbin/useradd");
    here.provision(&["apply"]).ok();
    assert!(here.host.sh("cat /etc/ttyd-user-map").contains("builder42=builder"));
    assert_eq!(
        here.provision(&["plan", "--detailed-exitcode"]).out().lines().last().unwrap(),
        "Plan: 0 to add, 0 to repair, 0 to cut, 0 to remove, 0 refused."
    );
}

#[test]
fn lesson_30_a_file_that_nobody_expected_ends_nothing() {
    let name = "lesson_30_a_file_that_nobody_expected_ends_nothing";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.host.sh("mkdir -m 755 /etc/t3-serve /etc/t3-serve/odd.env; mkfifo /etc/t3-serve/pipe.env
         ln -s /etc/shadow /etc/t3-serve/reader.env; : >'/etc/t3-serve/a b.env'
         head -c 100 /dev/urandom >/etc/t3-serve/noise.env");
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("1 refused, 0 failed"), "{}", run.out());
    let refused = "! refused  reader: /etc/t3-serve/reader.env T3_PORT";
    assert!(run.out().contains(refused), "what is refused is named: {}", run.out());
    let quiet = here.provision(&["apply", "--quiet"]).ok();
    let warned = "warning: reader: /etc/t3-serve/reader.env T3_PORT: refused: ";
    assert!(quiet.err().contains(warned) && quiet.out().is_empty(), "{}", quiet.err());
    let map = here.host.sh("grep -v '^#' /etc/ttyd-user-map");
    assert_eq!(map, "builder42=builder\nops.lead=ops\n", "whose port is unsettled is in no map");
    assert_eq!(here.host.sh("readlink /etc/t3-serve/reader.env").trim(), "/etc/shadow");
}
