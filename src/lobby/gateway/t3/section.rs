//! The section `[t3]` of `lobby.toml`.

use crate::gateway::site::{Listen, Site};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use terminal_lobby::t3::mint::protocol;
use terminal_lobby::t3::table;

/// The section as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    url: String,
    listen: Option<String>,
    #[serde(default = "Section::dispatch")]
    dispatch: PathBuf,
    #[serde(default = "Section::closed")]
    closed: PathBuf,
    #[serde(default = "Section::mint_socket")]
    mint_socket: PathBuf,
    #[serde(default = "Section::mint_seconds")]
    mint_seconds: u64,
    #[serde(default = "Section::answer_seconds")]
    answer_seconds: u64,
    #[serde(default = "Section::body_bytes")]
    body_bytes: usize,
}

impl Section {
    fn dispatch() -> PathBuf {
        table::DISPATCH.into()
    }

    fn closed() -> PathBuf {
        table::CLOSED.into()
    }

    fn mint_socket() -> PathBuf {
        protocol::SOCKET.into()
    }

    fn mint_seconds() -> u64 {
        30
    }

    fn answer_seconds() -> u64 {
        30
    }

    fn body_bytes() -> usize {
        64 << 20
    }
}

/// The section, checked.
#[derive(Debug, Clone)]
pub(crate) struct T3Settings {
    pub(crate) site: Site,
    /// A second socket for connections, besides that of the lobby.
    pub(crate) listen: Option<Listen>,
    pub(crate) dispatch: PathBuf,
    pub(crate) closed: PathBuf,
    pub(crate) mint_socket: PathBuf,
    mint_seconds: u64,
    answer_seconds: u64,
    pub(crate) body_bytes: usize,
}

impl T3Settings {
    /// How long a credential may take.
    pub(crate) fn mint(&self) -> Duration {
        Duration::from_secs(self.mint_seconds)
    }

    /// How long an instance may take until its answer begins.
    pub(crate) fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }

    /// Checks a section; the lobby itself is reached as `lobby`, and `has_logins` of its own unless a login proxy says
    /// who someone is. Gives the key that is wrong, and why.
    pub(crate) fn check(
        file: Section,
        lobby: &Site,
        has_logins: bool,
    ) -> Result<Self, (&'static str, &'static str)> {
        let site = Site::parse(&file.url).map_err(|why| ("t3.url", why))?;
        if site.host == lobby.host {
            return Err((
                "t3.url",
                "is the lobby's own: T3 Code needs a name or a port of its own",
            ));
        }
        // Cookies of logins know names of hosts, and no ports.
        if has_logins && (site.name() != lobby.name() || site.scheme != lobby.scheme) {
            let why = "is not the lobby's name with another port: in modes oidc and link no login is known elsewhere";
            return Err(("t3.url", why));
        }
        let listen = file.listen.as_deref().map(Listen::parse).transpose();
        let listen = listen.map_err(|why| ("t3.listen", why))?;
        for (key, path) in [
            ("t3.dispatch", &file.dispatch),
            ("t3.closed", &file.closed),
            ("t3.mint_socket", &file.mint_socket),
        ] {
            if !path.is_absolute() {
                return Err((key, "is not an absolute path"));
            }
        }
        if file.mint_seconds == 0 {
            return Err(("t3.mint_seconds", "at least 1"));
        }
        if file.answer_seconds == 0 {
            return Err(("t3.answer_seconds", "at least 1"));
        }
        Ok(Self {
            site,
            listen,
            dispatch: file.dispatch,
            closed: file.closed,
            mint_socket: file.mint_socket,
            mint_seconds: file.mint_seconds,
            answer_seconds: file.answer_seconds,
            body_bytes: file.body_bytes,
        })
    }
}
