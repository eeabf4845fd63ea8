//! The command line of `persist`, and its resolution into work.

use super::exit::Failure;
use crate::persist::{Ended, Request};
use crate::snapshot::escape;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

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
    /// Say more on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Common options")]
    pub verbose: u8,
    /// Print nothing but problems
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
    },
    /// Bring sessions back
    ///
    /// Makes every session of the newest sound snapshot that is not live and was not closed on
    /// purpose, and resumes the agent of each pane on its own conversation. Doing it again does
    /// nothing.
    Restore {
        /// Only these sessions, even when they were closed on purpose
        #[arg(value_name = "SESSION")]
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
    },
    /// Show what a restore would do
    Show {
        /// An id of `persist list`, or a file when it holds a slash; the newest sound one if none
        #[arg(value_name = "SNAPSHOT")]
        snapshot: Option<String>,
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
    /// Record that sessions were closed on purpose
    ///
    /// They are not restored from snapshots older than this, unless they are named.
    Forget {
        /// Which
        #[arg(value_name = "SESSION", required = true)]
        sessions: Vec<OsString>,
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
        /// Its conversation
        #[arg(value_name = "UUID")]
        conversation: String,
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
    Boot,
    /// Take over the state of the suite that this one replaces
    ///
    /// As root. Moves the manifests `<user>.tsv` and the series `snapshots/<user>/` of the state
    /// directory into its `.predecessor/`, where they stay, and imports them into the snapshots
    /// of the users that the map names. Doing it again imports nothing twice.
    Import,
    /// Restore the caller's sessions and stay until the tmux server has ended
    #[command(hide = true)]
    Keeper,
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

/// Which users a command is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Those named, or every terminal user (as root with a map), or the caller.
    AllOr(Vec<String>),
    /// As [`Whom::AllOr`], but without a map or a name only the caller, never everybody.
    One(Option<String>),
    /// The caller, whoever that is.
    Caller,
    /// Every terminal user and nobody else: root's timer. Without a map, nobody.
    Everybody,
}

/// A command's work.
#[derive(Debug, Clone)]
pub struct Work {
    /// For whom.
    pub whom: Whom,
    /// What.
    pub request: Request,
}

impl Command {
    /// Resolves a command that works on users.
    pub fn work(self) -> Result<Work, Failure> {
        let names = |names: Vec<OsString>| {
            names.into_iter().map(|name| escape(name.as_bytes())).collect::<Vec<String>>()
        };
        let all_or = |user: Option<String>| Whom::AllOr(user.into_iter().collect());
        Ok(match self {
            Self::Save { users, all_users } => {
                let whom = if all_users { Whom::Everybody } else { Whom::AllOr(users) };
                Work { whom, request: Request::Save }
            }
            Self::Restore { sessions, users, from, dry_run } => {
                let from = from.map(absolute).transpose()?;
                let request = Request::Restore { sessions: names(sessions), from, dry_run };
                Work { whom: Whom::AllOr(users), request }
            }
            Self::Show { snapshot, user } => {
                let snapshot = snapshot.map(absolute).transpose()?;
                Work { whom: all_or(user), request: Request::Show { snapshot } }
            }
            Self::List { user } => Work { whom: all_or(user), request: Request::List },
            Self::Forget { sessions, user, reason } => {
                let request = Request::Forget { sessions: names(sessions), reason };
                Work { whom: Whom::One(user), request }
            }
            Self::Conversation { id, agent } => {
                Work { whom: Whom::Caller, request: Request::Conversation { id, agent } }
            }
            Self::Ended { conversation, how, agent, session, reason } => {
                let session = escape(session.as_bytes());
                let closed = how == "closed";
                let ended = Ended { conversation, agent, session, closed, reason };
                Work { whom: Whom::Caller, request: Request::Ended(ended) }
            }
            Self::Boot
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

/// A snapshot that is named by a file: a user's process works in another directory.
fn absolute(snapshot: String) -> Result<String, Failure> {
    if !snapshot.contains('/') {
        return Ok(snapshot);
    }
    let failed = |why: &str| Failure::usage(format!("{}: {why}", escape(snapshot.as_bytes())));
    let path = std::path::absolute(&snapshot).map_err(|error| failed(&error.to_string()))?;
    path.into_os_string().into_string().map_err(|_| failed("the path is not UTF-8"))
}
