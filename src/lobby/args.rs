//! The command line of `lobby`.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use terminal_lobby::cli::persist::args::Common;

/// The configuration of the lobby of a host.
pub(crate) const LOBBY_FILE: &str = "/etc/terminal-lobby/lobby.toml";

/// See, open, start, end and restore tmux sessions in a browser
#[derive(Debug, Parser)]
#[command(name = "lobby", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show your own sessions in a browser on this machine, until Ctrl-C
    ///
    /// Prints a URL that works once, for one browser, and opens it where there is a browser. No one else on this
    /// machine can use the page without it.
    Open(OpenArgs),
    /// Serve your own sessions to the gateway, on a socket from the service manager
    ///
    /// Started by lobby-agent@.service when the gateway asks for a user's sessions; ends by itself ten minutes after
    /// the last connection; open views go on after a restart. Only the gateway's account and root can use it.
    Agent(AgentArgs),
    /// Serve the page of every user of this host, until a signal comes
    ///
    /// Knows who somebody is by a login proxy, an OpenID Connect provider or `lobby link`, and passes what they ask on
    /// to the agent of their user. Needs no rights of its own.
    Serve(ServeArgs),
    /// Print a URL that logs one browser in, once, within a minute
    Link(HostArgs),
    /// Show how the lobby of this host does, and which browsers are logged in
    ///
    /// Root sees all users, others themselves.
    Status(HostArgs),
    /// Print a completion script for a shell
    Completions {
        /// Name of the shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(hide = true)]
    Manual {
        /// An existing directory
        directory: PathBuf,
    },
}

/// Options of `open`.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// TCP port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Only print the URL
    #[arg(long)]
    pub(crate) no_browser: bool,
}

/// Options of `agent`.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Account of the gateway
    #[arg(long, value_name = "NAME", default_value = "lobby")]
    pub(crate) gateway: String,
    /// Listen on this Unix socket, which you can use, too, instead of the one from the service manager
    #[arg(long, value_name = "PATH")]
    pub(crate) listen: Option<PathBuf>,
    /// End after so many seconds without a connection
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) idle: u64,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration
    #[arg(long, default_value = LOBBY_FILE)]
    pub(crate) file: PathBuf,
}

/// Options of what asks the gateway on this host.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// The configuration, which names the socket
    #[arg(long, default_value = LOBBY_FILE)]
    pub(crate) file: PathBuf,
}
