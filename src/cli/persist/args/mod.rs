//! The command line of `persist`.

mod inspect;
mod service;
mod sessions;
mod suspend;

pub use inspect::{ConversationArgs, DiffArgs, DoctorArgs, EventsArgs, HistoryArgs, StatusArgs};
pub use service::{BootArgs, EndedArgs, HookArgs, WatchArgs};
pub use sessions::{ForgetArgs, RestoreArgs, SaveArgs, ShowArgs};
pub use suspend::{ResumeArgs, SuspendArgs};

use crate::supervisor::config::Overrides;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Save and restore tmux sessions with the agent conversations in them
///
/// As root with a user map, commands work on every terminal user unless --user names some;
/// otherwise they work on the caller, and no configuration is needed.
#[derive(Debug, Parser)]
#[command(name = "persist", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Directory of the snapshots
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Map of terminal users, a line each: identity=user
    #[arg(long, global = true, value_name = "FILE")]
    pub user_map: Option<PathBuf>,
    /// Name of the tmux socket, as with tmux -L
    #[arg(long, global = true, value_name = "NAME")]
    pub socket: Option<String>,
    /// Configuration file [default: /etc/terminal-lobby/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: clap::ColorChoice,
    /// Print steps on standard error; -vv prints details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print only warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
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

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Save the live sessions
    ///
    /// Writes a snapshot only if something changed, and never an empty one. Exits 1 if any user
    /// could not be saved; the others are saved nevertheless.
    Save(SaveArgs),
    /// Restore sessions
    ///
    /// Restores every session of the newest valid snapshot that is not live and was not closed on
    /// purpose, and resumes the agent of each pane in its own conversation. If an agent is gone
    /// from a live session, it is resumed in its pane if a shell waits there, otherwise in a
    /// session of another name. Safe to run repeatedly.
    Restore(RestoreArgs),
    /// Suspend agents to give back their memory
    ///
    /// Ends the agents of the named sessions; their panes wait, and Enter, a click or `persist
    /// resume` resumes each in its own conversation. An agent that is working, waits for an answer,
    /// has text in its input line, runs something in the background or whose session is attached is
    /// refused unless --force is given; one whose conversation cannot be resumed is always refused.
    /// Exits 1 if an agent was refused.
    Suspend(SuspendArgs),
    /// Resume suspended agents in their panes
    Resume(ResumeArgs),
    /// Show what a restore would do
    Show(ShowArgs),
    /// List snapshots, newest first
    List {
        /// Only this terminal user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Show when each user was last saved and what failed
    ///
    /// Exits 1 if a tmux server has been running for longer than --max-age without a good save;
    /// users without a tmux server have nothing to save. Changes nothing.
    Status(StatusArgs),
    /// List all conversations, the latest first
    ///
    /// For each one: when and where it was seen, and its state: live, suspended or lost in the
    /// newest snapshot, closed on purpose, or gone. Then the sessions that were closed on purpose,
    /// when and why. Conversations stay in the history after their snapshots are deleted.
    History(HistoryArgs),
    /// List what happened to sessions by itself
    ///
    /// Agents and tmux servers that ended and were not closed, with the cause; what came back and
    /// what did not; agents that were suspended; warnings before a memory limit is reached. The user's
    /// own processes record it.
    Events(EventsArgs),
    /// Show the differences between two snapshots
    ///
    /// Sessions and panes that were added (+), removed (-) or changed (~). A snapshot is an id (see
    /// `persist list`), a path with a slash, `latest`, or `live` for the live sessions.
    Diff(DiffArgs),
    /// Check the installation and suggest fixes
    ///
    /// Checks tmux, the configuration, the user map, the state, the units and each user's own
    /// settings. Exits 1 if any check fails; warnings do not count. Changes nothing.
    Doctor(DoctorArgs),
    /// Record that sessions or agents were closed on purpose
    ///
    /// They are not restored from older snapshots unless they are named.
    Forget(ForgetArgs),
    /// Show where a conversation is and what it is about
    Conversation(ConversationArgs),
    /// Record how an agent ended
    ///
    /// The launcher runs this when an agent exits. A conversation that was closed is not resumed
    /// from older snapshots; one that was lost is.
    Ended(EndedArgs),
    /// Restore every terminal user's sessions when the host comes up
    ///
    /// For tmux-persist-restore.service, as root. Waits for each user's home, then starts
    /// tmux-persist-session@UID.service for each user who was ever saved; in it the user's own
    /// process restores. Until then, saves leave that user's snapshots alone.
    Boot(BootArgs),
    /// Import the state of the older suite
    ///
    /// As root. Moves the manifests `<user>.tsv` and the series `snapshots/<user>/` of the state
    /// directory into its `.predecessor/`, where they stay, and imports them as snapshots of the
    /// users in the map. Safe to run repeatedly.
    Import,
    /// Bring back what is killed
    ///
    /// Waits for agents and the tmux server to end. What was killed, by the out-of-memory killer above
    /// all, comes back by itself; what was closed does not. At most once an hour for each session,
    /// three times until a person has looked, and never while memory is short. Runs until it is
    /// ended; one for each user.
    Watch(WatchArgs),
    /// Restore the caller's sessions and stay until the tmux server has ended
    #[command(hide = true)]
    Keeper,
    /// Handle an event of an agent, or install the hook that sends them
    ///
    /// Agents run this with JSON on standard input when a conversation or a turn begins or ends. It
    /// marks the tmux pane (`@conversation`, `@agent_state`, `@agent_closed`), records that a
    /// conversation was closed, and saves. It returns within 50 ms, prints nothing and exits 0,
    /// whatever the input is.
    Hook(HookArgs),
    /// Print a completion script for a shell
    Completions {
        /// Name of the shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(hide = true)]
    Manual {
        /// Directory to write to
        directory: PathBuf,
    },
    /// Run the site's command with the event on standard input
    #[command(hide = true)]
    Notify,
    /// Do one user's job for root
    #[command(hide = true)]
    Worker {
        /// The job, as JSON
        job: String,
    },
}

impl Command {
    /// Whether its arguments may name sessions or conversations, which other users need not see.
    pub fn names_sessions(&self) -> bool {
        matches!(
            self,
            Self::Restore(_)
                | Self::Suspend(_)
                | Self::Resume(_)
                | Self::Show(_)
                | Self::Forget(_)
                | Self::Conversation(_)
                | Self::Ended(_)
                | Self::Worker { .. }
        )
    }

    /// Whether the exit code reports differences.
    pub fn wants_detailed_exit(&self) -> bool {
        matches!(self, Self::Diff(DiffArgs { detailed_exitcode: true, .. }))
    }
}
