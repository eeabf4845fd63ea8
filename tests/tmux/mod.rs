//! The tmux client against real servers: every rule on names, layouts and connections.

mod builder;
mod layouts;
mod names;
mod versions;

use crate::support::Sandbox;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::tmux::{Builder, Server, Socket};

/// A sandbox whose server runs with one session, `base`.
fn sandbox() -> (Sandbox, Server) {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "base", "--", "sleep", "1000"]).ok();
    let socket = Socket::named("default", Some(&sandbox.root().join("tmux")));
    (sandbox, Server::at(socket, Duration::from_secs(10)))
}

fn builder(server: &Server) -> Builder {
    server.build("tmux-persist-builder-test", Path::new("/")).unwrap()
}
