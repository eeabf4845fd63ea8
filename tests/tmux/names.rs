//! Names: in through control mode, out through the listing, exactly.

use crate::support::tmux_versions::version;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use terminal_lobby::tmux::command::{self, Ids, Spawn};
use terminal_lobby::tmux::control::Reply;
use terminal_lobby::tmux::escape::printable_name;

fn argv(words: &[&[u8]]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.to_vec()).collect()
}

/// Bytes that tmux takes in a session name: no NUL; `:` and `.` become `_` before 3.7, which refuses
/// what cannot be printed.
fn session_name() -> impl Strategy<Value = Vec<u8>> {
    let any = proptest::collection::vec(1_u8.., 1..30);
    let nasty =
        "[-=@$%#(){}\\[\\];'\"\\\\ ~*!a0\u{e9}\u{1f600}]{1,20}".prop_map(String::into_bytes);
    prop_oneof![any, nasty].prop_map(|name| {
        taken(name.into_iter().map(|b| if b":.".contains(&b) { b'_' } else { b }).collect())
    })
}

/// A name as this tmux takes it.
fn taken(name: Vec<u8>) -> Vec<u8> {
    static REFUSES: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| version() >= (3, 7));
    if *REFUSES { printable_name(&name) } else { name }
}

#[test]
fn any_session_window_and_title_comes_out_as_it_went_in() {
    let (_sandbox, server) = super::sandbox();
    let builder = std::cell::RefCell::new(super::builder(&server));
    let sleep = argv(&[b"sleep", b"1000"]);
    let window = proptest::collection::vec(1_u8.., 1..20).prop_map(taken);
    let strategy = (session_name(), window, "[ -~\u{e9}]{1,20}");
    let mut runner =
        TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let result = runner.run(&strategy, |(session, window, title)| {
        let spawn =
            Spawn { cwd: OsStr::new("/"), argv: &sleep, environment: &[], window_name: None };
        let new = command::new_session(&session, (80, 24), &[], spawn);
        let reply = builder.borrow_mut().exchange(&[new]).unwrap().remove(0);
        let Reply::Done(reply) = &reply else {
            return Err(TestCaseError::fail(format!("the session was refused: {reply:?}")));
        };
        let ids = Ids::parse(reply).unwrap();
        let lines = [
            command::rename_window(ids.window, &window),
            command::set_title(ids.pane, title.as_bytes()),
        ];
        let replies = builder.borrow_mut().exchange(&lines).unwrap();
        let listing = server.list().unwrap().unwrap();
        builder.borrow_mut().exchange(&[command::kill_session(ids.session)]).unwrap();
        prop_assert_eq!(&replies, &vec![Reply::Done(String::new()); 2]);
        let pane = listing.panes.iter().find(|pane| pane.id == ids.pane).unwrap();
        prop_assert_eq!(&pane.session, &session);
        prop_assert_eq!(&pane.window_name, &window);
        prop_assert_eq!(&pane.title, title.as_bytes());
        Ok(())
    });
    result.unwrap();
    builder.into_inner().finish().unwrap();
}

#[test]
fn program_arguments_and_directories_arrive_byte_for_byte() {
    let (sandbox, server) = super::sandbox();
    let mut builder = super::builder(&server);
    let dir = sandbox.work().join(OsStr::from_bytes(b"#(touch ran) $HOME \xff\n;"));
    std::fs::create_dir(&dir).unwrap();
    let words: Vec<u8> = (1..=255).collect();
    let out = sandbox.root().join("out");
    let script = format!(
        "pwd -P >'{0}.pwd'; printf %s \"$1\" >'{0}.new'; mv '{0}.new' '{0}'; sleep 1000",
        out.display()
    );
    let argv = argv(&[b"sh", b"-c", script.as_bytes(), b"sh", &words]);
    let new = command::new_session(
        b"x",
        (80, 24),
        &[],
        Spawn { cwd: dir.as_os_str(), argv: &argv, environment: &[], window_name: None },
    );
    builder.exchange(&[new]).unwrap();
    crate::support::wait_until("the program ran", || out.exists());
    assert_eq!(std::fs::read(&out).unwrap(), words);
    let pwd = std::fs::read(out.with_extension("pwd")).unwrap();
    assert_eq!(pwd.strip_suffix(b"\n").unwrap(), dir.as_os_str().as_bytes());
    builder.finish().unwrap();
    assert!(!dir.join("ran").exists() && !sandbox.work().join("ran").exists());
}
