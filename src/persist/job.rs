//! One piece of work for one user, as root hands it to the process that became that user; and
//! the world that process works in.

use super::capture::extras::Keep;
use super::commands::hook_event::{HookCall, hooked};
use super::commands::hook_install::{self, Wire};
use super::commands::{
    conversation, diff, doctor, ended, forget, history, import, list, show, status,
};
use super::restore::budget::{Mode, Settings};
use super::save::{self, coalesce};
use super::{Report, restore};
use crate::snapshot::retention::Rules;
use crate::snapshot::{Activity, Store};
use crate::sys::process::watch::Watched;
use crate::sys::{Account, FileError, accounts, clock};
use crate::tmux::{Hooks, Server, Socket};
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// What to do. Names that a user chose are in the snapshot file's escapes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Take a snapshot.
    Save,
    /// Take one because something changed, unless another is about to.
    SaveSoon,
    /// Bring sessions back.
    Restore {
        /// Only these; every one that is not closed when empty.
        sessions: Vec<String>,
        /// Snapshot id or file; the newest sound one when absent.
        from: Option<String>,
        /// Only say what would be done.
        dry_run: bool,
        /// Which agents start by themselves; as configured when absent.
        mode: Option<Mode>,
    },
    /// Show what a restore would do.
    Show {
        /// Snapshot id or file.
        snapshot: Option<String>,
        /// Which agents would start by themselves; as configured when absent.
        mode: Option<Mode>,
    },
    /// List the snapshots.
    List,
    /// Say how saving goes.
    Status,
    /// Say what is wrong.
    Doctor {
        /// Where the host's files are: `/`.
        root: PathBuf,
    },
    /// Record that sessions were closed on purpose.
    Forget {
        /// Which.
        sessions: Vec<String>,
        /// Why.
        reason: String,
        /// Whether to end those that are live.
        kill: bool,
    },
    /// Tell every conversation that was ever seen.
    History {
        /// Not only the last ones.
        all: bool,
    },
    /// Compare two snapshots: ids, files, `latest` or `live`.
    Diff {
        /// The first.
        from: String,
        /// The second.
        to: String,
    },
    /// Say what is on disk of a conversation.
    Conversation {
        /// Its id.
        id: String,
        /// Its agent; whichever has it when absent.
        agent: Option<String>,
    },
    /// Record how an agent ended.
    Ended(Ended),
    /// Take over the manifests that come on standard input.
    Import,
    /// Take in what an agent told its hook.
    Hooked(HookCall),
    /// Tell agents to call our hook, or no more.
    Wire(Wire),
}

/// How an agent ended, as its launcher saw it. Text is in the snapshot file's escapes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Its conversation, when the one who saw it knows.
    pub conversation: Option<String>,
    /// The pane it was in: its server's pid, and its number there. What the newest snapshot knows
    /// to have run there ended, too.
    pub pane: Option<(i32, u32)>,
    /// Its name.
    pub agent: String,
    /// The tmux session it was in; empty when unknown.
    pub session: String,
    /// Whether on purpose.
    pub closed: bool,
    /// What was seen.
    pub reason: String,
}

/// A request with all that the worker needs to know of the site.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What to do.
    pub request: Request,
    /// The state directory of the site; the user's own is below it.
    pub state_dir: PathBuf,
    /// Whether the user's own directory may be made here: where nobody else makes it.
    pub may_create: bool,
    /// Whether a tmux server may be started from here, where none runs.
    pub may_start_server: bool,
    /// tmux's `-L`.
    pub socket: String,
    /// tmux's `TMUX_TMPDIR`, for a caller that has one.
    pub tmpdir: Option<PathBuf>,
    /// How long one answer of tmux may take.
    pub tmux_deadline: Duration,
    /// How long to wait for another save or restore to finish.
    pub lock_wait: Duration,
    /// For how long what is lost is carried forward.
    pub lost_window: Duration,
    /// Which snapshots are kept.
    pub retention: Rules,
    /// What is kept besides.
    pub keep: Keep,
    /// Whether the user's server is to tell of changes.
    pub save_on_change: bool,
    /// The configuration file that a caller named.
    pub config: Option<PathBuf>,
    /// What the site says about restoring agents.
    pub restore: Settings,
}

/// What one user's work needs: all of it that user's own.
#[derive(Debug, Clone)]
pub struct World {
    /// The user.
    pub account: Account,
    /// The present.
    pub now: clock::Epoch,
    /// The user's tmux server.
    pub server: Server,
    /// What the server is to run on changes, if anything.
    pub hooks: Option<Hooks>,
    /// Our launcher, which starts agents in panes.
    pub launcher: Option<PathBuf>,
    state_dir: PathBuf,
    may_create: bool,
    /// How long to wait for another save or restore to finish.
    pub lock_wait: Duration,
    /// For how long what is lost is carried forward.
    pub lost_window: Duration,
    /// Which snapshots are kept.
    pub retention: Rules,
    /// What is kept besides.
    pub keep: Keep,
    /// What the site says about restoring agents.
    pub restore: Settings,
}

impl Job {
    /// Does the work as the user this process is.
    pub fn perform(self) -> Report {
        let account = match accounts::current() {
            Ok(account) => as_the_environment_says(account),
            Err(error) => return Report::failed(&self.request, error.to_string()),
        };
        let world = World {
            hooks: coalesce::hooks(&self),
            account,
            now: clock::now(),
            server: Server {
                socket: Socket::named(&self.socket, self.tmpdir.as_deref()),
                deadline: self.tmux_deadline,
                may_start: self.may_start_server,
            },
            launcher: beside_ourselves(crate::agent::launcher::PROGRAM),
            state_dir: self.state_dir,
            may_create: self.may_create,
            lock_wait: self.lock_wait,
            lost_window: self.lost_window,
            retention: self.retention,
            keep: self.keep,
            restore: self.restore,
        };
        match &self.request {
            Request::Save => save::save(&world),
            Request::SaveSoon => save::save_soon(&world),
            Request::Restore { sessions, from, dry_run, mode } => {
                restore::restore(&world, sessions, from.as_deref(), *mode, *dry_run)
            }
            Request::Show { snapshot, mode } => show::show(&world, snapshot.as_deref(), *mode),
            Request::List => list::list(&world),
            Request::Forget { sessions, reason, kill } => {
                forget::forget(&world, sessions, reason, *kill)
            }
            Request::Status => status::status(&world),
            Request::History { all } => history::history(&world, *all),
            Request::Diff { from, to } => diff::diff(&world, from, to),
            Request::Doctor { root } => doctor::doctor(&world, root),
            Request::Conversation { id, agent } => {
                conversation::conversation(&world, id, agent.as_deref())
            }
            Request::Ended(ended) => ended::ended(&world, ended),
            Request::Import => import::import(&world),
            Request::Hooked(call) => hooked(&world, call),
            Request::Wire(wire) => hook_install::wire(&world, wire),
        }
    }
}

impl Job {
    /// Holds the caller's tmux server, if one runs, so that its end can be waited for.
    pub fn watch_server(&self) -> std::io::Result<Option<Watched>> {
        let socket = Socket::named(&self.socket, self.tmpdir.as_deref());
        socket.server_pid().map_or(Ok(None), Watched::new)
    }
}

impl World {
    /// Where the user's state is, or would be.
    pub fn own_dir(&self) -> PathBuf {
        self.state_dir.join(&self.account.name)
    }

    /// The user's store for reading, if there is one.
    pub fn store(&self) -> Result<Option<Store>, FileError> {
        Store::open(&self.own_dir())
    }

    /// Records what was done, where there is a store at all; trouble is named in `notes`.
    pub fn record(&self, notes: &mut Vec<String>, change: impl FnOnce(&mut Activity)) {
        match Store::open_for_hints(&self.own_dir()) {
            Ok(Some(store)) => store.record(notes, change),
            Ok(None) => {}
            Err(error) => notes.push(format!("not recorded: {error}")),
        }
    }

    /// Where a restore leaves what the panes it makes need to know.
    pub fn restored(&self) -> PathBuf {
        self.state_dir.join(&self.account.name).join(crate::snapshot::store::RESTORED)
    }

    /// The user's store for writing.
    pub fn writable_store(&self) -> Result<Store, FileError> {
        if self.may_create {
            return Store::create(&self.state_dir, &self.account.name);
        }
        let dir = self.own_dir();
        self.store()?.ok_or_else(|| FileError::refused("opening", dir, "root has not made it yet"))
    }
}

/// The agents and tmux go by `$HOME` and `$SHELL`, so for the caller's own work we do, too. Not by
/// a home of somebody else's: that is what root has after some ways of becoming root.
fn as_the_environment_says(account: Account) -> Account {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = |home: &PathBuf| home.metadata().is_ok_and(|meta| meta.uid() == account.uid.as_raw());
    let home = absolute("HOME").filter(own).unwrap_or(account.home);
    let shell = absolute("SHELL").unwrap_or(account.shell);
    Account { home, shell, ..account }
}

/// A program of ours that is installed beside the running one.
fn beside_ourselves(program: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(program);
    let mode = beside.metadata().ok().filter(std::fs::Metadata::is_file)?.mode();
    (mode & 0o111 != 0).then_some(beside)
}
