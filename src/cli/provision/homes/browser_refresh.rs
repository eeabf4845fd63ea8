//! `provision browser-refresh`: fetches the snapshot that the caller's browser tool begins with.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::warning;
use crate::cli::provision::config::Config;
use crate::cli::provision::output::Output;
use crate::provision::home::snapshot;
use crate::sys::net::http::is_exposed;

/// Fetches it, if the site has an address and the caller has a token.
pub(in crate::cli::provision) fn refresh(output: Output, config: &Config) -> Result<Exit, Failure> {
    let Some(url) = &config.browser.snapshot_url else {
        output.note("provision.browser.snapshot_url is not set: nothing to refresh");
        return Ok(Exit::Done);
    };
    if is_exposed(url.as_str()) {
        warning("provision.browser.snapshot_url: the token is sent unencrypted: use https://");
    }
    let ca_file = config.browser.snapshot_ca_file.as_ref();
    let ca_file = ca_file.map(|file| std::path::Path::new(file.as_str()));
    match snapshot::refresh(url.as_str(), ca_file).map_err(Failure::failed)? {
        Some(done) => output.note(&done.to_string()),
        None => output.note("no token in ~/.config/playwright/token: nothing to refresh"),
    }
    Ok(Exit::Done)
}
