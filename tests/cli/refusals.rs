//! Bad input gets one clear error that names it, and the right exit code.

use crate::support::{Sandbox, run};

#[test]
fn a_user_who_is_not_a_terminal_user_is_refused() {
    let sandbox = Sandbox::new();
    for command in [
        &["save", "--user", "nobody-here"][..],
        &["list", "--user", "nobody-here"],
        &["forget", "x", "--user", "no\x1bbody"],
    ] {
        let run = sandbox.persist(command).code(2);
        assert!(run.err().contains("is not a terminal user"), "{}", run.err());
        assert!(!run.err().trim_end().chars().any(char::is_control), "{:?}", run.err());
    }
}

#[test]
fn a_configuration_is_refused_with_file_and_line() {
    let sandbox = Sandbox::new();
    let config = sandbox.root().join("config.toml");
    for (text, expected) in [
        ("socket = \"x\"\nstate_dri = \"/x\"\n", ":2: unknown field `state_dri`"),
        ("socket = 7\n", ":1: socket: invalid type"),
        ("\n\n[", ":3: "),
        ("tmux_deadline_seconds = -1\n", "tmux_deadline_seconds = -1"),
    ] {
        std::fs::write(&config, text).unwrap();
        let run = sandbox.persist(["list", "--config", config.to_str().unwrap()]).code(2);
        assert!(run.err().contains(expected), "{}", run.err());
    }
    let absent = sandbox.persist(["list", "--config", "/no/such.toml"]).code(2);
    assert_eq!(absent.err(), "error: --config /no/such.toml: no such file\n");
}

#[test]
fn arguments_that_make_no_sense_exit_2() {
    let sandbox = Sandbox::new();
    for args in [&["wat"][..], &["save", "--wat"], &["forget"], &["save", "--socket", "../x"], &[]]
    {
        run(sandbox.command(env!("CARGO_BIN_EXE_persist")).args(args)).code(2);
    }
    let help = run(sandbox.command(env!("CARGO_BIN_EXE_persist")).arg("--help")).ok();
    for command in ["save", "restore", "show", "list", "forget"] {
        assert!(help.out().contains(command), "{}", help.out());
    }
}

#[test]
fn what_goes_wrong_before_there_is_a_plan_comes_without_an_empty_table() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let run = sandbox.persist(["restore", "two"]).code(2);
    assert_eq!(run.out(), "");
    assert!(run.err().contains("no session 'two'"), "{}", run.err());
}

#[test]
fn restoring_or_showing_before_anything_was_saved_is_no_failure() {
    let sandbox = Sandbox::new();
    for command in ["restore", "show"] {
        let run = sandbox.persist([command]).ok();
        assert!(run.err().contains("nothing has been saved yet"), "{}", run.err());
    }
    assert!(sandbox.persist(["list"]).ok().out().contains("no snapshots"));
    let run = sandbox.persist(["restore", "one"]).code(2);
    assert!(run.err().contains("no session 'one'"), "{}", run.err());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::new();
    let mut persist = sandbox.persist_command(["list"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = persist.stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}
