//! Paths of the host that this program reads and writes (pure).

use super::settings::agents::SkelEntry;
use crate::agent::machine::{DROP_IN, DROP_INS};

/// The map of identities to users.
pub const USER_MAP: &str = "/etc/ttyd-user-map";
/// The users of tier admin.
pub const ADMINS: &str = "/etc/ttyd-admins";
/// The table of identities, users and ports.
pub const DISPATCH: &str = "/etc/t3-serve/dispatch.json";
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

/// The path of an entry of `/etc/skel`.
pub fn skel_path(entry: &SkelEntry) -> String {
    format!("{SKEL}/{}", entry.path.as_str())
}

/// The path of our own file beside the agents' managed settings.
pub fn drop_in() -> String {
    format!("{DROP_INS}/{DROP_IN}")
}
