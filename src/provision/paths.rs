//! Paths of the host that this program reads and writes (pure).

use super::settings::agents::SkelEntry;
use crate::agent::machine::{DROP_IN, DROP_INS};

/// The roster, or a link to it.
pub const ROSTER: &str = "/etc/terminal-lobby/roster.yaml";
/// The map of identities to users.
pub const USER_MAP: &str = "/etc/ttyd-user-map";
/// The users of tier admin.
pub const ADMINS: &str = "/etc/ttyd-admins";
/// The table of identities, users and ports.
pub const DISPATCH: &str = "/etc/t3-serve/dispatch.json";
/// People who are known and not served, and why.
pub const CLOSED: &str = "/etc/t3-serve/closed.json";
/// The host's own units, of which each is enabled where users have instances of T3 Code.
pub const HOST_UNITS: [&str; 5] = [
    "t3-mint.socket",
    "t3-watchdog.timer",
    "t3-backup.timer",
    "t3-enforce.timer",
    "t3-drain.timer",
];
/// The configuration of the lobby; a host without it has none.
pub const LOBBY: &str = "/etc/terminal-lobby/lobby.toml";
/// The directory of the services' environment files.
pub const SERVICES: &str = "/etc/t3-serve";
/// The directory of what this program keeps about what it did.
pub const STATE: &str = "/var/lib/terminal-lobby";
/// What was last written and applied.
pub const APPLIED: &str = "/var/lib/terminal-lobby/applied";

/// The directory that new homes are copies of.
const SKEL: &str = "/etc/skel";

/// The environment file of a user's terminal service.
pub fn service_file(user: &str) -> String {
    format!("{SERVICES}/{user}.env")
}

/// The environment file of a user's browser tool.
pub fn playwright_file(user: &str) -> String {
    format!("{SERVICES}/playwright-{user}.env")
}

/// A user's own file in a directory of root's with a file for each user.
pub fn staged_file(directory: &str, user: &str) -> String {
    format!("{directory}/{user}")
}

/// The path of an entry of `/etc/skel`.
pub fn skel_path(entry: &SkelEntry) -> String {
    format!("{SKEL}/{}", entry.path.as_str())
}

/// The path of our own file beside the agents' managed settings.
pub fn drop_in() -> String {
    format!("{DROP_INS}/{DROP_IN}")
}
