//! A client for a server that requires a token.

use super::args::ServerArgs;
use crate::cli::exit::Failure;
use crate::cli::output::warning;
use crate::provision::sources::HttpAnswer;
use crate::sys::net::http::{Client, HttpError, check_address, is_exposed};
use crate::sys::net::secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a configured server may take for all its answers, in seconds.
const DEADLINE: u64 = 30;

/// A client for the server at `address`, which `option` gave. The token is sent in `header`, after
/// `prefix`.
///
/// # Errors
/// An invalid address or certificate authority (exit 2), a token file that is unreadable or open to
/// others (exit 3).
pub(super) fn client(
    args: &ServerArgs,
    (option, address): (&str, &str),
    header: &'static str,
    prefix: &str,
) -> Result<Client, Failure> {
    check_address(address).map_err(|error| Failure::usage(format!("{option}: {error}")))?;
    let file = args.token_file.as_deref().unwrap_or(Path::new(""));
    let token = secret::read(file).map_err(Failure::refused)?;
    if is_exposed(address) {
        warning(&format!("{option}: the token is sent unencrypted: use https://"));
    }
    let deadline = Duration::from_secs(args.deadline);
    Client::new(header, token.prefixed(prefix), deadline, args.ca_file.as_deref())
        .map_err(|error| Failure::usage(format!("--ca-file: {error}")))
}

/// The arguments for a configured server.
pub(super) fn configured(token_file: &Path, ca_file: Option<&PathBuf>) -> ServerArgs {
    let token_file = Some(token_file.to_owned());
    ServerArgs { token_file, ca_file: ca_file.cloned(), deadline: DEADLINE }
}

/// One request; what the server writes about itself is not repeated.
pub(super) fn get(client: &Client, url: &str, limit: u64) -> Result<HttpAnswer, HttpError> {
    let answer = client.get(url, limit)?;
    Ok((answer.status, answer.body))
}
