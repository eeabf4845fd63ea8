//! `lobby link`: a URL that logs one browser of the caller's in.

use super::ask::ask;
use super::protocol::{Ask, Said};
use crate::args::HostArgs;
use crate::gateway::settings;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::cli::output;
use terminal_lobby::cli::persist::args::Common;

/// Prints the URL.
pub(crate) fn run(common: &Common, args: &HostArgs) -> Result<(), Failure> {
    let socket = settings::link_socket(&args.file)?;
    let Said::Link(link) = ask(&socket, Ask::Link)? else {
        return Err(Failure::failed("the lobby answered something else"));
    };
    if common.json {
        return output::print(&format!("{}\n", serde_json::json!(link)));
    }
    output::print(&format!("{}\n", link.url))?;
    if !common.quiet {
        output::note(&format!("the URL works once, within {} s", link.seconds));
    }
    Ok(())
}
