//! Fake tmux servers on a user's socket, run as that user.

use super::host::{BIN, Host};

const SCRIPT: &str = include_str!("../hostile/fake_server.py");

/// The socket a plain `tmux` of that user connects to.
pub(crate) fn socket(host: &Host, user: &str) -> String {
    format!("/tmp/tmux-{}/default", host.uid(user))
}

/// Starts a fake server on `user`'s default socket: behaviour and arguments as in the script.
pub(crate) fn fake_server(host: &Host, user: &str, behaviour: &[&str]) {
    let socket = socket(host, user);
    let script = format!("{BIN}/fake_server.py");
    host.install_bytes("fake_server.py", SCRIPT.as_bytes());
    let argv = [&["/usr/bin/env", "python3", "-I", &script, &socket], behaviour].concat();
    host.start_as(user, &argv);
    super::wait_until(&format!("fake server {behaviour:?} listens"), || {
        host.root(["test", "-S", &socket]).code == 0
    });
}
