//! What `persist save --json` said, user by user.

use crate::support::Run;
use crate::support::host::Host;
use crate::support::wait_until;
use serde_json::Value;
use std::time::Duration;

/// The report of one `persist save` for all users.
pub(super) struct Report {
    pub(super) run: Run,
    json: Value,
}

/// Saves all users as root.
#[track_caller]
pub(super) fn save(host: &Host) -> Report {
    Report::of(host.persist(["save", "--json"]))
}

impl Report {
    /// Reads the report of a save that ran.
    #[track_caller]
    pub(super) fn of(run: Run) -> Self {
        Self { json: run.json(), run }
    }

    /// One user's entry.
    #[track_caller]
    pub(super) fn user(&self, name: &str) -> &Value {
        let users = self.json["users"].as_array().unwrap();
        let mut found = users.iter().filter(|entry| entry["user"] == name);
        let entry = found.next().unwrap_or_else(|| panic!("no {name} in {}", self.json));
        assert!(found.next().is_none(), "{name} twice in {}", self.json);
        entry
    }

    /// The result of one user.
    #[track_caller]
    pub(super) fn result(&self, name: &str) -> &str {
        self.user(name)["result"].as_str().unwrap()
    }

    /// Asserts that the user is saved, with this many sessions of one pane each.
    #[track_caller]
    pub(super) fn saved(&self, name: &str, sessions: u64) -> &Self {
        let entry = self.user(name);
        assert_eq!(entry["result"], "saved", "{entry}");
        assert_eq!(entry["sessions"], sessions, "{entry}");
        assert_eq!(entry["panes"], sessions, "{entry}");
        assert!(entry["error"].is_null(), "{entry}");
        self
    }

    /// Asserts that the user's save failed, with an error that says why.
    #[track_caller]
    pub(super) fn failed(&self, name: &str) -> &Self {
        let entry = self.user(name);
        assert_eq!(entry["result"], "failed", "{entry}");
        assert!(entry["error"].as_str().is_some_and(|error| !error.is_empty()), "{entry}");
        assert!(entry["snapshot"].is_null(), "{entry}");
        self
    }

    /// Asserts that the report does not pass over the user's trouble: it failed, or has a note.
    #[track_caller]
    pub(super) fn spoken(&self, name: &str) -> &Self {
        let entry = self.user(name);
        let notes = entry["notes"].as_array().unwrap();
        assert!(entry["result"] == "failed" || !notes.is_empty(), "{entry}");
        self
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(super) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.run.code, code, "{}\n{}", self.json, self.run.err());
        self
    }

    /// Asserts that the whole save took no longer than this.
    #[track_caller]
    pub(super) fn within(&self, seconds: u64) -> &Self {
        assert!(self.run.took < Duration::from_secs(seconds), "took {:?}", self.run.took);
        self
    }
}

/// Two users with nothing wrong, before and after the hostile ones in the map's order.
pub(super) fn good_users(host: &Host) {
    host.user("ann");
    host.sessions("ann", &["one", "two"]);
    host.user("zoe");
    host.sessions("zoe", &["three"]);
}

/// Asserts that [`good_users`] are saved whole.
#[track_caller]
pub(super) fn good_users_are_saved(report: &Report) {
    report.saved("ann", 2).saved("zoe", 1);
}

/// Asserts that no process of a save outlives it: no persist, no client of a tmux server.
#[track_caller]
pub(super) fn nothing_is_left(host: &Host) {
    let names = "for name in /proc/[0-9]*/comm; do cat $name 2>/dev/null || :; done";
    wait_until("no process of the save is left", || {
        let names = host.sh(names);
        !names.lines().any(|name| name == "persist" || name == "tmux: client")
    });
}

/// Asserts that root made nothing in a place that users can write, and nothing in /etc.
#[track_caller]
pub(super) fn root_wrote_nothing(host: &Host) {
    let roots = "find /tmp /home /dev/shm /var/tmp -mindepth 1 ! -path '/home/*/*' -uid 0; \
        find /home -mindepth 2 -uid 0; \
        find /var/lib/tmux-persist -mindepth 2 -uid 0 2>/dev/null || :; \
        find /etc -mindepth 1 -newer /opt/tl/start-claude ! -name passwd ! -name group \
            ! -name shadow ! -name ttyd-user-map";
    assert_eq!(host.sh(roots), "");
}
