//! The members of the identity provider's group: from a file, or from Authentik.

use super::args::{DesiredArgs, MembershipArgs, ServerArgs};
use super::roster_input::MAX_JSON;
use super::server_client;
use crate::cli::exit::Failure;
use crate::provision::settings::servers;
use crate::provision::sources::authentik;
use crate::roster::identity_source::IdentitySource;
use crate::roster::members::{self, Member, MembersUnknown};
use crate::sys::fs;
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

/// The members that the arguments of `provision membership` name.
pub(super) fn named(
    args: &MembershipArgs,
    source: &IdentitySource,
) -> Result<Vec<Member>, MembersError> {
    match &args.authentik_url {
        Some(url) => {
            let group = args.group.as_deref().unwrap_or_default();
            if group.is_empty() {
                return Err(Failure::usage("--group: expected the name of a group").into());
            }
            from_authentik(&args.server, ("--authentik-url", url), group, source)
        }
        None => from_file(args.members.as_deref().unwrap_or(Path::new("")), source),
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
        (None, Some(authentik)) => {
            let server =
                server_client::configured(&authentik.token_file, authentik.ca_file.as_ref());
            let url = ("provision.authentik.url", authentik.url.as_str());
            from_authentik(&server, url, &authentik.group, source)
        }
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
    let bytes = fs::read(path, MAX_JSON).map_err(|error| MembersUnknown(error.to_string()))?;
    let in_file = |MembersUnknown(reason)| MembersUnknown(format!("{}: {reason}", shown(path)));
    Ok(members::read(&bytes, source).map_err(in_file)?)
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
