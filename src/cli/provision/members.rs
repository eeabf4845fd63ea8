//! The members of the identity provider's group: from a file, or from Authentik.

use super::args::{DesiredArgs, MembershipArgs, ServerArgs};
use super::config::Config;
use super::roster_input::MAX_JSON;
use super::server_client;
use crate::cli::exit::Failure;
use crate::provision::settings::servers;
use crate::provision::sources::authentik;
use crate::roster::identity_source::IdentitySource;
use crate::roster::members::{self, Member, MembersUnknown};
use crate::sys::fs::trusted_path;
use crate::text::{escape, shown};
use std::path::Path;

/// Why there is no list of members.
pub(super) enum MembersError {
    /// They cannot be determined.
    Unknown(MembersUnknown),
    /// The arguments are invalid.
    Failure(Failure),
}

impl From<MembersUnknown> for MembersError {
    fn from(unknown: MembersUnknown) -> Self {
        Self::Unknown(unknown)
    }
}

impl From<Failure> for MembersError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The members that `provision membership` compares: those that its arguments name, otherwise those of the
/// configured Authentik.
pub(super) fn of_membership(
    args: &MembershipArgs,
    config: &Config,
) -> Result<Vec<Member>, MembersError> {
    let identity = &config.membership.identity;
    match (&args.authentik_url, &args.members, &config.authentik) {
        (Some(url), ..) => {
            let group = args.group.as_deref().unwrap_or_default();
            if group.is_empty() {
                return Err(Failure::usage("--group: expected the name of a group").into());
            }
            from_authentik(&args.server, ("--authentik-url", url), group, identity)
        }
        (None, Some(path), _) => from_file(path, identity),
        (None, None, Some(authentik)) => from_configured(authentik, identity),
        (None, None, None) => {
            let why = "no members: expected --members or --authentik-url, or provision.authentik in \
                       the configuration";
            Err(Failure::usage(why).into())
        }
    }
}

/// Where these members are from, for people.
pub(super) fn source(args: &MembershipArgs, config: &Config) -> String {
    let group = |url: &str, group: &str| format!("group '{group}' of {url}");
    match (&args.authentik_url, &args.members, &config.authentik) {
        (Some(url), ..) => group(url, args.group.as_deref().unwrap_or_default()),
        (None, Some(path), _) => shown(path).to_string(),
        (None, None, Some(authentik)) => group(authentik.url.as_str(), &authentik.group),
        (None, None, None) => String::new(),
    }
}

/// Why the members cannot be determined: those of the named file, otherwise of the configured
/// Authentik. `None` if they can, or if none are asked for.
pub(super) fn unknown(
    args: &DesiredArgs,
    authentik: Option<&servers::Authentik>,
    source: &IdentitySource,
) -> Option<String> {
    let members = match (&args.members, authentik) {
        (Some(path), _) => from_file(path, source),
        (None, Some(authentik)) => from_configured(authentik, source),
        (None, None) => return None,
    };
    let reason = match members {
        Ok(_) => return None,
        Err(MembersError::Unknown(unknown)) => unknown.to_string(),
        Err(MembersError::Failure(failure)) => failure.message,
    };
    Some(escape(reason.as_bytes()))
}

fn from_file(path: &Path, source: &IdentitySource) -> Result<Vec<Member>, MembersError> {
    // Root is led nowhere by the owner of a directory on the way.
    let bytes = trusted_path::read_as_caller(path, MAX_JSON).map_err(|error| {
        MembersUnknown(if error.is_not_found() {
            format!("reading {}: No such file or directory", shown(path))
        } else {
            error.to_string()
        })
    })?;
    let in_file = |MembersUnknown(reason)| MembersUnknown(format!("{}: {reason}", shown(path)));
    Ok(members::read(&bytes, source).map_err(in_file)?)
}

fn from_configured(
    authentik: &servers::Authentik,
    source: &IdentitySource,
) -> Result<Vec<Member>, MembersError> {
    let server = server_client::configured(&authentik.token_file, authentik.ca_file.as_ref());
    let url = ("provision.authentik.url", authentik.url.as_str());
    from_authentik(&server, url, &authentik.group, source)
}

fn from_authentik(
    server: &ServerArgs,
    (option, url): (&str, &str),
    group: &str,
    source: &IdentitySource,
) -> Result<Vec<Member>, MembersError> {
    let client = server_client::client(server, (option, url), "authorization", "Bearer ")?;
    let get = |page: &str| server_client::get(&client, page, authentik::MAX_PAGE);
    Ok(authentik::members(url, group, source, get)?)
}
