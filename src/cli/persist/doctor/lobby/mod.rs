//! The lobby of the host: whether the gateway runs and can read what it needs, which agents can be reached, and
//! whether its address and its provider answer. Nothing is checked on a host without a lobby.

mod agents;
mod files;
mod network;
mod units;

use crate::persist::report::Check;
use crate::provision::paths;
use crate::sys::fs;
use crate::text::escape;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The account and the group of the gateway.
const ACCOUNT: &str = "lobby";
const MAX_SIZE: u64 = 1 << 20;

/// What of the gateway's configuration is checked here. The gateway itself refuses what it does not know.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Configuration {
    mode: String,
    url: String,
    user_map: PathBuf,
    admins: Option<PathBuf>,
    agents: PathBuf,
    proxy: Proxy,
    oidc: Oidc,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Proxy {
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Oidc {
    issuer: Option<String>,
    client_secret_file: Option<PathBuf>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            mode: String::new(),
            url: String::new(),
            user_map: paths::USER_MAP.into(),
            admins: None,
            agents: "/run/terminal-lobby/agents".into(),
            proxy: Proxy::default(),
            oidc: Oidc::default(),
        }
    }
}

/// Checks the lobby of the host below `root`, as root.
pub(crate) fn checks(root: &Path) -> Vec<Check> {
    const NAME: &str = "lobby configuration";
    let below = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    let file = below(Path::new(paths::LOBBY));
    let fix = format!("editor {}", shown(&file));
    let bytes = match fs::read(&file, MAX_SIZE) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Vec::new(),
        Err(error) => return vec![Check::fault(NAME, error.to_string(), fix)],
    };
    let parsed = toml::from_str::<Configuration>(&String::from_utf8_lossy(&bytes));
    let configuration = match parsed {
        Ok(configuration) => configuration,
        Err(error) => {
            let why = escape(error.message().as_bytes());
            return vec![Check::fault(NAME, format!("{}: {why}", shown(&file)), fix)];
        }
    };
    let what = format!("mode {}, {}", word(&configuration.mode), word(&configuration.url));
    let mut checks = vec![Check::ok(NAME, what)];
    checks.extend(units::checks(root));
    checks.extend(files::checks(&configuration, &below));
    checks.extend(agents::checks(&configuration, &below));
    checks.extend(network::checks(&configuration));
    checks
}

fn word(text: &str) -> String {
    if text.is_empty() { "?".to_owned() } else { escape(text.as_bytes()) }
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}
