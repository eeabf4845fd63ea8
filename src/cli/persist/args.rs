//! The command line of `persist`, and its resolution into work.

use super::hook;
use crate::cli::exit::Failure;
use crate::persist::restore::mode::Mode;
use crate::persist::{Ended, Request};
use crate::supervisor::config::Overrides;
use crate::supervisor::targets::Target;
use crate::supervisor::worker::Task;
use crate::text::escape;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// Saves and restores tmux sessions with the agent conversations in them.
///
/// As root, with a user map, every terminal user is meant unless --user names some; otherwise the
/// caller alone, with no configuration needed.
#[derive(Debug, Parser)]
#[command(name = "persist", version, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Where snapshots are kept
    #[arg(long, global = true, value_name = "DIR", help_heading = "Common options")]
    pub state_dir: Option<PathBuf>,
    /// The map of terminal users, a line each: identity=user
    #[arg(long, global = true, value_name = "FILE", help_heading = "Common options")]
    pub user_map: Option<PathBuf>,
    /// The tmux socket, as tmux's -L
    #[arg(long, global = true, value_name = "NAME", help_heading = "Common options")]
    pub socket: Option<String>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Common options")]
    pub config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, global = true, help_heading = "Common options")]
    pub json: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Common options"
    )]
    pub color: clap::ColorChoice,
    /// Print the steps on standard error; -vv prints what they depend on
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Common options")]
    pub verbose: u8,
    /// Print only warnings and errors
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take a snapshot of the live sessions
    ///
    /// Writes only when something changed, and never an empty snapshot. Exits 1 when any user
    /// could not be saved; the others are saved all the same.
    Save {
        /// Save this terminal user; may be repeated
        #[arg(long = "user", value_name = "NAME")]
        users: Vec<String>,
        /// Save every terminal user and nobody else, as the timer does: without a map, nobody
        #[arg(long, conflicts_with = "users")]
        all_users: bool,
        /// Save the caller's own, at most once a second, because something changed
        ///
        /// Leaves at once when another process is about to save, since that one sees the change.
        /// tmux's hooks, the agents' hooks and the launcher call it.
        #[arg(long, conflicts_with = "users")]
        coalesce: bool,
        /// Wait so many seconds first
        #[arg(long, value_name = "SECONDS", requires = "coalesce", value_parser = clap::value_parser!(u64).range(..=60))]
        after: Option<u64>,
    },
    /// Bring sessions back
    ///
    /// Makes every session of the newest sound snapshot that is not live and was not closed on
    /// purpose, and resumes the agent of each pane on its own conversation. An agent that is gone
    /// from a live session is resumed in its pane if a shell waits there, else in a session of
    /// another name. Doing it again does nothing.
    Restore {
        /// Only these sessions, or agents by the beginning of their conversations' ids, even when
        /// they were closed on purpose
        #[arg(value_name = "SESSION|UUID")]
        sessions: Vec<OsString>,
        /// Restore for this terminal user; may be repeated
        #[arg(long = "user", value_name = "NAME")]
        users: Vec<String>,
        /// From this snapshot: an id of `persist list`, or a file when it holds a slash
        #[arg(long, value_name = "SNAPSHOT")]
        from: Option<String>,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Which agents start by themselves; the others wait for Enter in their panes
        ///
        /// eager: all; lazy: none; auto: as many as half of the free memory allows, those used
        /// last before others, but none that waited when it was saved. Else as configured.
        #[arg(long, value_name = "MODE", value_parser = ["eager", "lazy", "auto"])]
        mode: Option<String>,
    },
    /// Show what a restore would do
    Show {
        /// An id of `persist list`, or a file when it holds a slash; the newest sound one if none
        #[arg(value_name = "SNAPSHOT")]
        snapshot: Option<String>,
        /// Which agents would start by themselves: eager, lazy, auto; as configured if none
        #[arg(long, value_name = "MODE", value_parser = ["eager", "lazy", "auto"])]
        mode: Option<String>,
        /// Show it for this terminal user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// List the snapshots, newest first
    List {
        /// List those of this terminal user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Say how saving goes
    ///
    /// For each user: when a save was last good, what the newest snapshot holds, what failed.
    /// Exits 1 when a tmux server has been running for longer than --max-age without a good save;
    /// a user without one has nothing to save. Reads only.
    Status {
        /// Of this terminal user; may be repeated
        #[arg(long = "user", value_name = "NAME")]
        users: Vec<String>,
        /// Also write Prometheus metrics, as the node exporter's textfile collector reads them
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        /// How old the last good save may be; 15, or what the configuration says
        #[arg(long, value_name = "MINUTES")]
        max_age: Option<u32>,
    },
    /// List every conversation that was ever seen, the last ones first
    ///
    /// With where and when it was seen, and its state: live, suspended or lost in the newest
    /// snapshot, closed on purpose, or gone. Then the sessions that were closed on purpose, when
    /// and why. Conversations stay in the history when their snapshots are long deleted.
    History {
        /// Of this terminal user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// All of them, not only the last 50
        #[arg(long)]
        all: bool,
    },
    /// Show what differs between two snapshots
    ///
    /// Sessions and panes that were added (+), removed (-) or changed (~). A snapshot is an id of
    /// `persist list`, a file when it holds a slash, `latest`, or `live` for the present.
    Diff {
        /// The first
        #[arg(value_name = "FROM", default_value = "latest")]
        from: String,
        /// The second
        #[arg(value_name = "TO", default_value = "live")]
        to: String,
        /// Of this terminal user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Exit 2 when there are differences, 1 for any error
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Say what is wrong with the installation, and what mends it
    ///
    /// Looks at tmux, the configuration, the map, the state, the units and each user's own world.
    /// Exits 1 on any fault; a warning is none. Changes nothing.
    Doctor {
        /// Look at this terminal user; may be repeated
        #[arg(long = "user", value_name = "NAME")]
        users: Vec<String>,
        /// Where the host's files are
        #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
        root: PathBuf,
    },
    /// Record that sessions or agents were closed on purpose
    ///
    /// They are not restored from snapshots older than this, unless they are named.
    Forget {
        /// Which sessions, or the beginning of a conversation's id
        #[arg(value_name = "SESSION|UUID", required = true)]
        sessions: Vec<OsString>,
        /// End those sessions that are live
        #[arg(long)]
        kill: bool,
        /// Of this terminal user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Say where a conversation is and what it is about
    Conversation {
        /// Its id
        #[arg(value_name = "UUID")]
        id: String,
        /// Its agent; whichever has it if none
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
    },
    /// Record how an agent ended
    ///
    /// The launcher does, when it sees it. A conversation that was closed is not resumed from
    /// snapshots older than this; one that was lost is.
    Ended {
        /// Its conversation; the one of the caller's pane in the newest snapshot if none
        #[arg(value_name = "UUID")]
        conversation: Option<String>,
        /// On purpose or not
        #[arg(long, value_name = "HOW", value_parser = ["closed", "lost"])]
        how: String,
        /// The agent's name
        #[arg(long, value_name = "NAME", default_value = "claude")]
        agent: String,
        /// The tmux session it was in
        #[arg(long, value_name = "SESSION", default_value = "")]
        session: OsString,
        /// What was seen
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Bring back every terminal user's sessions when the host comes up
    ///
    /// For tmux-persist-restore.service, as root. Waits for each user's home, then starts
    /// tmux-persist-session@UID.service for each user who was ever saved, in which the user's own
    /// process restores. Until it has, saves leave that user's snapshots alone.
    Boot {
        /// Only keep saves from who is to be restored: for tmux-persist-announce.service
        #[arg(long)]
        announce: bool,
        /// Only make each user's /tmp/tmux-UID before anybody else can: for
        /// tmux-persist-sockets.service
        #[arg(long, conflicts_with = "announce")]
        sockets: bool,
    },
    /// Take over the state of the suite that this one replaces
    ///
    /// As root. Moves the manifests `<user>.tsv` and the series `snapshots/<user>/` of the state
    /// directory into its `.predecessor/`, where they stay, and imports them into the snapshots
    /// of the users that the map names. Doing it again imports nothing twice.
    Import,
    /// Restore the caller's sessions and stay until the tmux server has ended
    #[command(hide = true)]
    Keeper,
    /// Take in what an agent tells its hook, or have agents call it
    ///
    /// An agent calls it with JSON on standard input at the start and end of a conversation and of
    /// each turn. It marks the tmux pane (`@conversation`, `@agent_state`, `@agent_closed`), records that
    /// a conversation was closed, and saves. The agent never waits: it is back within 50 ms, prints
    /// nothing and exits 0, whatever it is given.
    Hook {
        /// The agent
        #[arg(long, value_name = "NAME", value_parser = ["claude", "codex"])]
        agent: Option<String>,
        /// Have the agent (claude if none) call this program; doing it again changes nothing
        #[arg(long, conflicts_with = "uninstall")]
        install: bool,
        /// Have it call this program no more; all else in its settings stays as it is
        #[arg(long)]
        uninstall: bool,
        /// In the caller's own settings, or for every user of this machine (root, claude)
        #[arg(long, value_parser = ["user", "machine"], default_value = "user")]
        scope: String,
        /// Where the machine's etc is
        #[arg(long, hide = true, value_name = "DIR")]
        root: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(hide = true)]
    Manual {
        /// Where to
        directory: PathBuf,
    },
    /// Do one user's work for root
    #[command(hide = true)]
    Worker {
        /// The job, as JSON
        job: String,
    },
}

impl Common {
    /// What is set here instead of the configuration file.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            state_dir: self.state_dir.clone(),
            user_map: self.user_map.clone(),
            socket: self.socket.clone(),
            config: self.config.clone(),
        }
    }
}

impl Command {
    /// Whether differences are to be told by the exit code.
    pub fn wants_detailed_exit(&self) -> bool {
        matches!(self, Self::Diff { detailed_exitcode: true, .. })
    }

    /// Resolves a command that works on users.
    pub fn task(self, common: &Common) -> Result<Task, Failure> {
        let names = |names: Vec<OsString>| {
            names.into_iter().map(|name| escape(name.as_bytes())).collect::<Vec<String>>()
        };
        let all_or = |user: Option<String>| Target::NamedOrAll(user.into_iter().collect());
        Ok(match self {
            Self::Save { coalesce: true, after, .. } => {
                crate::sys::clock::pause(Duration::from_secs(after.unwrap_or(0)));
                Task { target: Target::Caller, request: Request::SaveSoon }
            }
            Self::Save { all_users: true, .. } => {
                Task { target: Target::AllUsers, request: Request::Save }
            }
            Self::Save { users, .. } => {
                Task { target: Target::NamedOrAll(users), request: Request::Save }
            }
            Self::Restore { sessions, users, from, dry_run, mode } => {
                let from = from.map(absolute).transpose()?;
                let (sessions, mode) = (names(sessions), mode.as_deref().and_then(Mode::parse));
                let request = Request::Restore { sessions, from, dry_run, mode };
                Task { target: Target::NamedOrAll(users), request }
            }
            Self::Show { snapshot, mode, user } => {
                let snapshot = snapshot.map(absolute).transpose()?;
                let mode = mode.as_deref().and_then(Mode::parse);
                Task { target: all_or(user), request: Request::Show { snapshot, mode } }
            }
            Self::List { user } => Task { target: all_or(user), request: Request::List },
            Self::Forget { sessions, kill, user, reason } => {
                let request = Request::Forget { sessions: names(sessions), reason, kill };
                Task { target: Target::One(user), request }
            }
            Self::History { user, all } => {
                Task { target: all_or(user), request: Request::History { all } }
            }
            Self::Diff { from, to, user, .. } => {
                let (from, to) = (absolute(from)?, absolute(to)?);
                Task { target: all_or(user), request: Request::Diff { from, to } }
            }
            Self::Conversation { id, agent } => {
                Task { target: Target::Caller, request: Request::Conversation { id, agent } }
            }
            Self::Ended { conversation, how, agent, session, reason } => {
                let session = escape(session.as_bytes());
                let closed = how == "closed";
                let pane = pane_of_caller();
                let ended = Ended { conversation, pane, agent, session, closed, reason };
                Task { target: Target::Caller, request: Request::Ended(ended) }
            }
            Self::Status { users, .. } => {
                Task { target: Target::NamedOrAll(users), request: Request::Status }
            }
            Self::Hook { install, agent, scope, root, .. } => {
                let request = hook::wire(common, install, hook::scope(&scope), agent, root)?;
                Task { target: Target::Caller, request }
            }
            Self::Doctor { users, root } => {
                Task { target: Target::NamedOrAll(users), request: Request::Doctor { root } }
            }
            Self::Boot { .. }
            | Self::Import
            | Self::Keeper
            | Self::Completions { .. }
            | Self::Manual { .. }
            | Self::Worker { .. } => {
                return Err(Failure::usage("this command works on no user"));
            }
        })
    }
}

/// The pane of tmux that this process is in: its server's pid, and its number there. `$TMUX` is
/// `socket,server,session`.
fn pane_of_caller() -> Option<(i32, u32)> {
    let tmux = std::env::var("TMUX").ok()?;
    let server = tmux.rsplit(',').nth(1)?.parse().ok()?;
    let pane = std::env::var("TMUX_PANE").ok()?.strip_prefix('%')?.parse().ok()?;
    Some((server, pane))
}

/// A snapshot that is named by a file: a user's process works in another directory.
fn absolute(snapshot: String) -> Result<String, Failure> {
    if !snapshot.contains('/') {
        return Ok(snapshot);
    }
    let failed = |why: &str| Failure::usage(format!("{}: {why}", escape(snapshot.as_bytes())));
    let path = std::path::absolute(&snapshot).map_err(|error| failed(&error.to_string()))?;
    path.into_os_string().into_string().map_err(|_| failed("the path is not UTF-8"))
}
