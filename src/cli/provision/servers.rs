//! The servers that the configuration names for the runs of the timer: the cluster's users in Vault,
//! the members in Authentik. What cannot be asked is not known: it ends nothing.

use super::args::{CheckArgs, DesiredArgs, MembershipArgs, RosterFile, ServerArgs};
use super::{membership, read, roster};
use crate::cli::exit::Failure;
use crate::roster::{Document, members};
use crate::sys::fs;
use crate::text::escape;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How long a server has where nothing else is said (seconds).
const DEADLINE: u64 = 30;

/// Tables `[provision.vault]` and `[provision.authentik]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Servers {
    /// The cluster's users.
    pub(super) vault: Option<Vault>,
    /// The members.
    pub(super) authentik: Option<Authentik>,
}

/// Where the cluster's users are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vault {
    address: String,
    #[serde(default = "default_path")]
    path: String,
    token_file: PathBuf,
    ca_file: Option<PathBuf>,
}

/// Where the members are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authentik {
    url: String,
    group: String,
    token_file: PathBuf,
    ca_file: Option<PathBuf>,
}

fn default_path() -> String {
    "secret/data/k8s-users".to_owned()
}

impl Servers {
    /// Compares tiers with the cluster's: with what the command line names, else with the
    /// configured Vault's.
    pub(super) fn compare(
        &self,
        args: &CheckArgs,
        document: &Document,
    ) -> Result<roster::Compared, Failure> {
        let named = args.k8s_users.is_some() || args.vault_addr.is_some();
        let Some(vault) = self.vault.as_ref().filter(|_| !named) else {
            return roster::compare(args, document);
        };
        let args = CheckArgs {
            roster: RosterFile { roster: PathBuf::new() },
            k8s_users: None,
            vault_addr: Some(vault.address.clone()),
            vault_path: vault.path.clone(),
            server: server(&vault.token_file, vault.ca_file.as_ref()),
        };
        Ok(roster::compare(&args, document).unwrap_or_else(|failure| Err(failure.message)))
    }

    /// Why the members are not known: those of the named file, else of the configured Authentik.
    pub(super) fn members_unknown(&self, args: &DesiredArgs) -> Option<String> {
        let why = if let Some(path) = &args.members {
            from_file(path)
        } else {
            self.authentik.as_ref().and_then(ask)
        };
        why.map(|why| escape(why.as_bytes()))
    }
}

fn from_file(path: &Path) -> Option<String> {
    let bytes = match fs::read(path, read::MAX_JSON) {
        Ok(bytes) => bytes,
        Err(error) => return Some(error.to_string()),
    };
    let unknown = members::read(&bytes).err()?;
    Some(format!("{}: {unknown}", super::output::shown(path)))
}

fn ask(authentik: &Authentik) -> Option<String> {
    let args = MembershipArgs {
        roster: RosterFile { roster: PathBuf::new() },
        members: None,
        authentik_url: Some(authentik.url.clone()),
        group: Some(authentik.group.clone()),
        server: server(&authentik.token_file, authentik.ca_file.as_ref()),
        apply: false,
        note: None,
        max_cut_percent: None,
    };
    match membership::members(&args) {
        Ok(Ok(_)) => None,
        Ok(Err(unknown)) => Some(unknown.to_string()),
        Err(failure) => Some(failure.message),
    }
}

fn server(token_file: &Path, ca_file: Option<&PathBuf>) -> ServerArgs {
    let token_file = Some(token_file.to_owned());
    ServerArgs { token_file, ca_file: ca_file.cloned(), deadline: DEADLINE }
}
