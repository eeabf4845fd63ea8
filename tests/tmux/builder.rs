//! The connection that builds sessions: it leaves nothing behind and harms no session.

use crate::support::{Sandbox, wait_until};
use std::path::Path;
use std::time::Duration;
use terminal_lobby::tmux::{Server, Socket, SocketState};

#[test]
fn a_finished_connection_leaves_only_the_sessions_of_others() {
    let (sandbox, server) = super::sandbox();
    let before = sandbox.tmux(["show-options", "-t", "base"]).ok().out();
    let attached =
        sandbox.panes("#{session_name} #{session_attached} #{window_width}x#{window_height}");
    let builder = super::builder(&server);
    assert_eq!(sandbox.panes("#{session_name}").len(), 2);
    builder.finish().unwrap();
    assert_eq!(
        sandbox.panes("#{session_name} #{session_attached} #{window_width}x#{window_height}"),
        attached
    );
    assert_eq!(sandbox.tmux(["show-options", "-t", "base"]).ok().out(), before);
}

#[test]
fn a_connection_that_is_dropped_takes_its_session_along() {
    let (sandbox, server) = super::sandbox();
    drop(super::builder(&server));
    wait_until("only the base session is left", || sandbox.panes("#{session_name}") == ["base"]);
}

#[test]
fn a_server_that_is_killed_fails_the_connection_at_once() {
    let (sandbox, server) = super::sandbox();
    let mut builder = super::builder(&server);
    sandbox.crash();
    let error =
        builder.exchange(&[terminal_lobby::tmux::command::describe_client("x")]).unwrap_err();
    assert!(error.to_string().starts_with("talking to tmux: "), "{error}");
    assert_eq!(server.socket.state(), SocketState::Stale);
}

#[test]
fn a_stopped_server_costs_the_deadline_and_no_more() {
    let (sandbox, mut server) = super::sandbox();
    server.deadline = Duration::from_millis(300);
    let pid = nix::unistd::Pid::from_raw(sandbox.server_pid().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let begin = std::time::Instant::now();
    let error = server.list().unwrap_err();
    let took = begin.elapsed();
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    assert_eq!(error.to_string(), "tmux did not answer within 0.3 s and was killed");
    assert!((server.deadline..server.deadline * 8).contains(&took), "{took:?}");
    assert!(server.list().unwrap().is_some());
}

#[test]
fn a_regular_file_in_place_of_the_socket_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["-L", "other", "new-session", "-d"]).ok(); // makes the directory
    let socket = Socket::named("default", Some(&sandbox.root().join("tmux")));
    std::fs::write(socket.path(), "precious").unwrap();
    let server = Server::at(socket, Duration::from_secs(5));
    assert!(server.list().is_err());
    assert!(server.build("x", Path::new("/")).is_err());
    assert_eq!(std::fs::read(server.socket.path()).unwrap(), b"precious");
}

#[test]
fn where_none_may_be_started_a_server_is_used_and_never_made() {
    let (sandbox, server) = super::sandbox();
    let server = Server { may_start: false, ..server };
    super::builder(&server).finish().unwrap();
    assert_eq!(sandbox.panes("#{session_name}"), ["base"]);
    sandbox.crash();
    let error = server.build("x", Path::new("/")).unwrap_err().to_string();
    assert!(error.contains("no tmux server listens at"), "{error}");
    assert!(error.ends_with("as the user: persist restore"), "{error}");
    assert_ne!(server.socket.state(), SocketState::Listening);
}
