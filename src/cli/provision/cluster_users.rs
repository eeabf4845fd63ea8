//! Compares a roster's tiers with those of the cluster's users, from a file or from Vault.

use super::args::{CheckArgs, ServerArgs};
use super::roster_input::MAX_JSON;
use super::server_client;
use crate::cli::exit::Failure;
use crate::provision::settings::servers::Vault;
use crate::provision::sources::vault::{self, VaultError};
use crate::roster::Document;
use crate::roster::tiers::{self, TierCheck};
use crate::sys::fs::trusted_path;
use crate::text::shown;

/// The comparison, or why there is none.
pub(super) enum Comparison {
    Compared(TierCheck),
    /// The cluster's users could not be determined.
    Skipped(String),
}

impl Comparison {
    /// The line about a comparison that was skipped.
    pub(super) fn note(reason: &str) -> String {
        format!("tiers not compared with the cluster's: {reason}")
    }
}

/// Compares with the cluster's users that the command line names; without, there are no differences.
///
/// # Errors
/// Invalid arguments or an invalid file; a file or server without an answer is skipped.
pub(super) fn compare(args: &CheckArgs, document: &Document) -> Result<Comparison, Failure> {
    let users = if let Some(address) = &args.vault_addr {
        let server = ("--vault-addr", address.as_str(), args.vault_path.as_str());
        match from_vault(&args.server, server)? {
            Ok(users) => users,
            Err(error) => return Ok(Comparison::Skipped(error.to_string())),
        }
    } else if let Some(path) = &args.k8s_users {
        match trusted_path::read_as_caller(path, MAX_JSON) {
            Ok(bytes) => tiers::read(&bytes)
                .map_err(|error| Failure::failed(format!("{}: {error}", shown(path))))?,
            Err(error) => return Ok(Comparison::Skipped(error.to_string())),
        }
    } else {
        return Ok(Comparison::Compared(TierCheck::default()));
    };
    Ok(Comparison::Compared(tiers::check(document, &users)))
}

/// As [`compare`]; unless the command line names the cluster's users, with those of the configured
/// Vault.
pub(super) fn compare_with_configured(
    args: &CheckArgs,
    vault: Option<&Vault>,
    document: &Document,
) -> Result<Comparison, Failure> {
    let is_named = args.k8s_users.is_some() || args.vault_addr.is_some();
    let Some(vault) = vault.filter(|_| !is_named) else { return compare(args, document) };
    let server = server_client::configured(&vault.token_file, vault.ca_file.as_ref());
    let address = ("provision.vault.address", vault.address.as_str(), vault.path.as_str());
    Ok(match from_vault(&server, address) {
        Ok(Ok(users)) => Comparison::Compared(tiers::check(document, &users)),
        Ok(Err(error)) => Comparison::Skipped(error.to_string()),
        Err(failure) => Comparison::Skipped(failure.message),
    })
}

fn from_vault(
    server: &ServerArgs,
    (option, address, path): (&str, &str, &str),
) -> Result<Result<tiers::K8sUsers, VaultError>, Failure> {
    let client = server_client::client(server, (option, address), "x-vault-token", "")?;
    let get = |url: &str| server_client::get(&client, url, vault::MAX_SECRET);
    Ok(vault::k8s_users(address, path, get))
}
