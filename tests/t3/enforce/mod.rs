//! The enforcer on a host of its own: versions of the stand-in side by side, instances as processes of their users, and
//! a stand-in for systemctl that starts and stops them.

mod changes;
mod failures;
mod killed;
mod refused;

use crate::support::Run;
use crate::support::host::{BIN, Host};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::t3::instance::{Cookie, Instance};

const SYSTEMCTL: &str = "/usr/local/sbin/systemctl";
const OLD: &str = "0.0.24";
const NEW: &str = "0.0.26";
const NEWEST: &str = "0.0.34";
/// The highest migrations of the stand-in.
const LEVELS: [(&str, i64); 3] = [(OLD, 30), (NEW, 32), (NEWEST, 41)];

/// Such a host, with users whose instances run.
pub(super) struct T3Host {
    pub(super) host: Host,
    users: Vec<(String, u16)>,
}

impl T3Host {
    /// A host whose users run a version, or none if the machine lacks something.
    pub(super) fn new(test: &str, users: &[&str], version: &str) -> Option<Self> {
        let host = Host::new(&format!("t3::enforce::{test}"))?;
        host.install("provision", Path::new(env!("CARGO_BIN_EXE_provision")));
        let here = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/t3").join(name);
        host.install("systemctl", &here("stand-in-systemctl"));
        host.install("stand-in-t3", &here("stand-in-t3"));
        // What a package manager does: `lay DIR VERSION`.
        host.install_bytes(
            "lay",
            format!(
                "#!/bin/sh\nset -eu\nmkdir -p \"$1/bin\" \"$1/lib\"\ncp {BIN}/stand-in-t3 \"$1/lib/t3\"\n\
                 printf %s \"$2\" >\"$1/lib/stand-in-version\"\nln -s ../lib/t3 \"$1/bin/t3\"\n"
            )
            .as_bytes(),
        );
        host.account("t3-trial");
        host.sh(&format!(
            "mkdir -p /run/systemd/system /etc/t3-serve /opt/t3/versions\n\
             mount -t tmpfs -o mode=755 host /usr/local/sbin\n\
             mount -t tmpfs -o mode=755 host /var/backups\n\
             cp {BIN}/systemctl {SYSTEMCTL}\n\
             {BIN}/lay /opt/t3/versions/{version} {version}\n\
             echo {version} >/opt/t3/versions/{version}/.install-complete\n\
             ln -s versions/{version} /opt/t3/current"
        ));
        let mut new = Self { host, users: Vec::new() };
        for user in users {
            new.user(user);
        }
        new.settings("");
        Some(new)
    }

    /// Adds a user, whose instance runs.
    fn user(&mut self, user: &str) {
        self.host.user(user);
        // Free now: another test that takes it meanwhile is noticed by the checks of its owner.
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        self.users.push((user.to_owned(), port));
        let row = |(user, port): &(String, u16)| {
            format!(r#""{user}@example.org": {{"os_user": "{user}", "port": {port}}}"#)
        };
        let rows: Vec<_> = self.users.iter().map(row).collect();
        self.host.sh(&format!(
            "umask 077; echo T3_PORT={port} >/etc/t3-serve/{user}.env; umask 022\n\
             echo '{{{}}}' >/etc/t3-serve/dispatch.json",
            rows.join(", ")
        ));
        self.systemctl("start", user);
        self.wait(user);
    }

    pub(super) fn port(&self, user: &str) -> u16 {
        self.users.iter().find(|(name, _)| name == user).unwrap().1
    }

    fn instance(&self, user: &str) -> Instance {
        Instance::on(self.port(user), Duration::from_secs(20))
    }

    fn wait(&self, user: &str) {
        let instance = self.instance(user);
        crate::support::wait_until("the instance answers", || instance.session(&[]).is_ok());
    }

    pub(super) fn systemctl(&self, verb: &str, user: &str) {
        self.host.sh(&format!("{SYSTEMCTL} {verb} t3-serve@{user}.service"));
    }

    /// Writes `[enforce]`: the stand-in for a package manager, and these lines.
    pub(super) fn settings(&self, lines: &str) {
        let text = format!(
            "[enforce]\ninstall = [\"{BIN}/lay\", \"{{dir}}\", \"{{version}}\"]\n\
             start_seconds = 20\nstep_seconds = 10\n{lines}\n"
        );
        self.host.sh(&format!("cat >/etc/terminal-lobby/t3.toml <<'END'\n{text}END"));
    }

    /// `[enforce]` with a version that may end sessions.
    pub(super) fn pin(&self, version: &str) {
        self.settings(&format!("version = \"{version}\"\nallow_ended_sessions = true"));
    }

    /// What an instance does wrong.
    pub(super) fn faults(&self, user: &str, faults: &str) {
        self.host.sh_as(user, &format!("cat >~/.t3/stand-in.json <<'END'\n{faults}\nEND"));
    }

    pub(super) fn enforce(&self, args: &[&str]) -> Run {
        let words = [&["/opt/tl/provision", "t3", "enforce", "--json"], args].concat();
        self.host.patient(words)
    }

    /// The version that an instance says it is.
    pub(super) fn live(&self, user: &str) -> String {
        self.instance(user).version().unwrap()
    }

    /// The version that a user's link names, and that of new instances.
    pub(super) fn chosen(&self, user: &str) -> String {
        let link = self.host.sh(&format!("readlink /opt/t3/users/{user}"));
        link.trim().trim_start_matches("../versions/").to_owned()
    }

    pub(super) fn current(&self) -> String {
        self.host.sh("readlink /opt/t3/current").trim().trim_start_matches("versions/").to_owned()
    }

    /// Logs in as a browser does, by the instance's own program.
    pub(super) fn log_in(&self, user: &str) -> Cookie {
        let program = format!("/opt/t3/users/{user}/bin/t3");
        self.log_in_by(user, &program).unwrap()
    }

    pub(super) fn log_in_by(
        &self,
        user: &str,
        program: &str,
    ) -> Result<Cookie, terminal_lobby::t3::instance::InstanceError> {
        let base = format!("/home/{user}/.t3");
        let args = ["auth", "pairing", "create", "--ttl", "5m", "--json", "--base-dir", &base];
        let made = self.host.as_user(user, [&[program], &args[..]].concat()).ok().json();
        self.instance(user).exchange(made["credential"].as_str().unwrap())
    }

    pub(super) fn is_session(&self, user: &str, cookie: &Cookie) -> bool {
        let session = self.instance(user).session(std::slice::from_ref(cookie));
        session.is_ok_and(|session| session.authenticated)
    }

    /// The highest migration of a user's database.
    pub(super) fn level(&self, user: &str) -> i64 {
        let script = format!(
            "import sqlite3; print(sqlite3.connect('/home/{user}/.t3/userdata/state.sqlite')\
             .execute('select max(migration_id) from effect_sql_migrations').fetchone()[0])"
        );
        let out = self.host.as_user(user, ["/usr/bin/python3", "-c", &script]).ok().out();
        out.trim().parse().unwrap()
    }

    /// Adds a session of an agent that was last changed so many seconds ago, with or without an active turn.
    pub(super) fn agent(&self, user: &str, seconds_ago: i64, turn: &str) {
        let script = format!(
            "import sqlite3, time; d = sqlite3.connect('/home/{user}/.t3/userdata/state.sqlite', timeout=20); \
             d.execute('insert or replace into projection_thread_sessions values (?,?,?)', ('thread', '{turn}' or None, \
             time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time.time() - {seconds_ago})) + '.000Z')); d.commit()"
        );
        self.host.as_user(user, ["/usr/bin/python3", "-c", &script]).ok();
    }

    /// The record of the enforcer.
    pub(super) fn state(&self) -> serde_json::Value {
        serde_json::from_str(&self.host.read("/var/lib/t3/state.json")).unwrap()
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.host.sh("test -e /etc/t3-serve/freeze && echo yes || :") == "yes\n"
    }

    /// Nothing of a trial is left: no process, no file.
    pub(super) fn assert_no_trial(&self) {
        let uid = self.host.uid("t3-trial");
        let left = self.host.sh(&format!(
            "ls -A /var/lib/t3-trial 2>/dev/null || :\nfind /proc -maxdepth 1 -uid {uid} 2>/dev/null || :"
        ));
        assert_eq!(left, "");
    }

    /// The instance runs a version, with data that it knows, and a browser can use it.
    pub(super) fn assert_works(&self, user: &str, version: &str) {
        self.wait(user);
        assert_eq!(self.live(user), version, "{user}");
        assert_eq!(self.chosen(user), version, "{user}");
        let known = LEVELS.iter().find(|(name, _)| *name == version).unwrap().1;
        assert_eq!(self.level(user), known, "{user}");
        let cookie = self.log_in(user);
        self.instance(user).ping(&cookie).unwrap();
    }
}
