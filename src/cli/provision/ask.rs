//! Asking a server with the token of a file.

use super::args::ServerArgs;
use super::output::warn;
use crate::cli::exit::Failure;
use crate::provision::sources::HttpAnswer;
use crate::sys::net::http::{Client, HttpError, check_address, is_exposed};
use crate::sys::net::secret;
use std::path::Path;
use std::time::Duration;

/// A client for a server, with the token in `header` after `before`.
///
/// # Errors
/// Whatever the caller can mend: the address, the token's file, the authorities.
pub(super) fn client(
    args: &ServerArgs,
    (option, address): (&str, &str),
    header: &'static str,
    before: &str,
) -> Result<Client, Failure> {
    check_address(address).map_err(|error| Failure::usage(format!("{option}: {error}")))?;
    let file = args.token_file.as_deref().unwrap_or(Path::new(""));
    let token = secret::read(file).map_err(|error| Failure::refused(error.to_string()))?;
    if is_exposed(address) {
        warn(&format!("{option}: the token travels in the clear: use https://"));
    }
    let within = Duration::from_secs(args.deadline);
    Client::new(header, token.prefixed(before), within, args.ca_file.as_deref())
        .map_err(|error| Failure::usage(format!("--ca-file: {error}")))
}

/// One question; what a server says of itself is not repeated.
pub(super) fn get(client: &Client, url: &str, limit: u64) -> Result<HttpAnswer, HttpError> {
    let answer = client.get(url, limit)?;
    Ok((answer.status, answer.body))
}
