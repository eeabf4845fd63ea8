//! Hosts with many users.

use crate::support::host::Host;
use crate::support::run;
use crate::table::Table;
use std::fmt::Write;
use std::path::Path;

const FLOOR: &str = "floor: a process that starts and ends";
const FLOOR_USERS: &str = "floor: as many that become a user, 8 at once";
const PLAN: &str = "provision plan";
const APPLY: &str = "provision apply, nothing to do";
const SOON: &str = "the same, within a minute after that";
const GOAL: f64 = 2000.0;
const CLONES: usize = 3;

/// Where the clones come from, and how each user has one more besides the infrastructure and one
/// repository: three a user.
const CLONED: &str = "[provision.code]
infra_remote = \"file:///srv/infra.git\"
repo_remote = \"file:///srv/{repo}.git\"
allow_file = true
";

/// A provisioned host.
struct Hosted {
    host: Host,
    users: usize,
}

impl Hosted {
    fn new(users: usize, clones: bool) -> Option<Self> {
        let host = Host::new("the benchmark of provision")?;
        host.install("provision", Path::new(env!("CARGO_BIN_EXE_provision")));
        host.sh("echo 'UID_MIN 1000' >/etc/login.defs; mkdir /etc/skel
                 rm /etc/terminal-lobby/config.toml /etc/ttyd-user-map
                 mount -t tmpfs -o mode=755 srv /srv; mount -t tmpfs -o mode=755 none /usr/local");
        let mut roster = "users:\n".to_owned();
        for n in 0..users {
            let repos = if clones { ", repos: [app, tool]" } else { "" };
            let _ = writeln!(
                roster,
                "  user{n:03}: {{authentik_user: u{n:03}.x, k8s_user: k{n:03}, tier: power-user, \
                 code_layout: workspace{repos}}}"
            );
        }
        host.sh(&format!("cat >/etc/terminal-lobby/roster.yaml <<'END'\n{roster}END"));
        if clones {
            host.sh(&format!(
                "for repo in infra app tool; do
                     git init -q -b main /tmp/$repo; cd /tmp/$repo; echo $repo >file; git add file
                     git -c user.name=a -c user.email=a@b commit -qm one
                     git clone -q --bare /tmp/$repo /srv/$repo.git
                 done
                 printf '[safe]\\n directory = *\\n' >/etc/gitconfig
                 cat >/etc/terminal-lobby/config.toml <<'END'\n{CLONED}END"
            ));
        }
        run(&mut host.root_command(["/opt/tl/provision", "apply", "-q"])).ok();
        Some(Self { host, users })
    }

    fn measure(&self, table: &mut Table, what: &'static str, args: &[&str]) {
        let words = std::iter::once("/opt/tl/provision").chain(args.iter().copied());
        let mut command = self.host.root_command(words);
        table.time(what, || assert!(command.output().unwrap().status.success()));
    }

    fn floor(&self, table: &mut Table) {
        let mut command = self.host.root_command(["/opt/tl/provision", "--version"]);
        table.time(FLOOR, || assert!(command.output().unwrap().status.success()));
        let script = format!(
            "seq -f 'user%03g' 0 {} | xargs -P 8 -I U setpriv --reuid=U --clear-groups true",
            self.users - 1
        );
        let mut command = self.host.root_command(["sh", "-c", &script]);
        table.time(FLOOR_USERS, || assert!(command.output().unwrap().status.success()));
    }
}

/// Plans for a host of so many users that agrees with its roster.
pub(crate) fn plan(users: usize, runs: usize) -> Option<Table> {
    let hosted = Hosted::new(users, false)?;
    let mut table = Table::new(format!("provision plan, {users} users"));
    for _ in 0..runs {
        hosted.floor(&mut table);
        hosted.measure(&mut table, PLAN, &["plan", "-q"]);
    }
    Some(table)
}

/// An apply on a host of 50 users with three clones each, all of it as it must be.
pub(crate) fn nothing_to_do(runs: usize) -> Option<Table> {
    let hosted = Hosted::new(50, true)?;
    let clones = hosted.host.sh("ls -d /home/*/code/*/.git | wc -l");
    assert_eq!(clones.trim(), (hosted.users * CLONES).to_string(), "every clone is there");
    let title = format!("provision apply, {} users with {CLONES} clones each", hosted.users);
    let mut table = Table::new(title);
    for _ in 0..runs {
        hosted.floor(&mut table);
        hosted.measure(&mut table, PLAN, &["plan", "-q"]);
        hosted.host.sh("find /home -name FETCH_HEAD -exec touch -d '1 hour ago' {} +");
        hosted.measure(&mut table, APPLY, &["apply", "-q"]);
        hosted.measure(&mut table, SOON, &["apply", "-q"]);
    }
    table.goal(APPLY, table.median(APPLY), GOAL);
    Some(table)
}
