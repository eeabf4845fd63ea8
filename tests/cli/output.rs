//! What is printed where: labels, hints, colour, counts, steps.

use crate::support::Sandbox;
use crate::support::sandbox::user;

const ESC: char = '\u{1b}';

#[test]
fn colour_is_for_terminals_unless_it_is_requested() {
    let sandbox = Sandbox::new();
    let error = |color: &[&str]| {
        let args = [&["list", "--user", "no-such-user"], color].concat();
        sandbox.persist(args).code(2).err()
    };
    for plain in [&[][..], &["--color", "auto"], &["--color", "never"]] {
        let error = error(plain);
        assert!(error.starts_with("error: 'no-such-user'") && !error.contains(ESC), "{error}");
    }
    let coloured = error(&["--color", "always"]);
    assert!(coloured.starts_with(ESC) && coloured.contains("error:"), "{coloured:?}");
    sandbox.persist(["list", "--color", "blue"]).code(2);
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    assert!(!sandbox.persist(["show"]).ok().out().contains(ESC));
    assert!(sandbox.persist(["show", "--color", "always"]).ok().out().contains(ESC));
    assert!(!sandbox.persist(["show", "--json", "--color", "always"]).ok().out().contains(ESC));
}

#[test]
fn an_event_of_an_agent_without_the_hook_call_comes_with_a_hint() {
    let sandbox = Sandbox::new();
    let error = sandbox.persist(["--quiet", "hook", "--agent", "claude"]).code(2).err();
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].starts_with("error: 'persist hook' reads an agent's event"), "{error}");
    assert_eq!(lines[1], "hint: persist hook --install");
}

#[test]
fn a_restore_ends_with_a_count_of_sessions() {
    let sandbox = Sandbox::new();
    for session in ["one", "two", "three"] {
        sandbox.tmux(["new-session", "-d", "-s", session]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.tmux(["kill-session", "-t", "two"]).ok();
    sandbox.tmux(["kill-session", "-t", "three"]).ok();
    let last = |args: &[&str]| {
        let out = sandbox.persist(args).ok().out();
        out.lines().last().unwrap().to_owned()
    };
    let user = user();
    assert_eq!(last(&["show"]), format!("{user}: 2 sessions to restore, 1 skipped"));
    assert_eq!(
        last(&["restore", "two"]),
        format!("{user}: 1 session restored, 2 skipped, 0 failed")
    );
    assert_eq!(last(&["restore"]), format!("{user}: 1 session restored, 2 skipped, 0 failed"));
    assert_eq!(
        last(&["forget", "two"]),
        format!("{user}: 1 session (two) recorded as closed on purpose")
    );
}

#[test]
fn steps_are_printed_on_request_with_the_user_they_belong_to() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    assert_eq!(sandbox.persist(["list"]).ok().err(), "");
    let span = format!("user=\"{}\"", user());
    let steps = sandbox.persist(["save", "-v"]).ok().err();
    assert!(steps.contains("INFO") && steps.contains(&span), "{steps}");
    assert!(!steps.contains("DEBUG"), "{steps}");
    let details = sandbox.persist(["save", "-vv"]).ok().err();
    assert!(details.contains("DEBUG") && details.contains("program=\"tmux\""), "{details}");
}
