//! `provision t3 mint`: one credential, or the helper behind `t3-mint.socket`.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::progress;
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::sys::passed;
use crate::t3::mint::issue::issue;
use crate::t3::mint::protocol::Reason;
use crate::t3::mint::server::{IDLE, Server};
use crate::t3::paths::Paths;
use crate::t3::settings::Settings;
use serde_json::json;
use std::os::unix::net::UnixListener;

pub(super) fn mint(output: Output, user: Option<&str>) -> Result<Exit, Failure> {
    // Before any file is opened.
    let passed = if user.is_none() { passed::take() } else { Vec::new() };
    require_root("provision t3 mint")?;
    let paths = Paths::host();
    let settings = Settings::read(&paths).map_err(Failure::failed)?.mint;
    if let Some(user) = user {
        let made = issue(user, settings.deadline_seconds, &paths).map_err(|error| {
            match error.reason() {
                Reason::Failed | Reason::Busy => Failure::failed(&error),
                _ => Failure::refused(&error),
            }
        })?;
        let text = made.text();
        output.result(&json!({ "user": user, "credential": text }), || format!("{text}\n"))?;
        return Ok(Exit::Done);
    }
    let Some(socket) = passed.into_iter().next() else {
        let failure = Failure::usage("no user, and no socket was passed");
        return Err(failure.with_hint("provision t3 mint USER, or: systemctl start t3-mint.socket"));
    };
    let listener = UnixListener::from(socket.descriptor);
    let server = Server::new(paths, settings).map_err(Failure::failed)?;
    server.serve(&listener, IDLE, &|line| progress(line)).map_err(Failure::failed)?;
    Ok(Exit::Done)
}
