//! Whatever an agent, or anybody, gives to `persist hook`: it is back at once, silent and content.

use crate::support::Sandbox;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What the agent is promised.
const DEADLINE: Duration = Duration::from_millis(50);

/// Calls the hook with these arguments and that input; it must print nothing and exit 0. Gives the
/// shortest of a few times, since other work of the machine adds to each.
#[track_caller]
fn shortest_of_calls(
    sandbox: &Sandbox,
    args: &[&str],
    mut stdin: impl FnMut() -> Stdio,
) -> Duration {
    let call = |stdin: Stdio| {
        let mut command = sandbox.persist_command(args);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begin = Instant::now();
        let output = command.output().unwrap();
        let took = begin.elapsed();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!((output.stdout, output.stderr), (vec![], vec![]), "{args:?}");
        took
    };
    (0..5).map(|_| call(stdin())).min().unwrap()
}

#[test]
fn hostile_input_of_every_kind_is_answered_by_exit_0_within_the_deadline() {
    let sandbox = Sandbox::new();
    let fifo = sandbox.root().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let garbage = sandbox.root().join("garbage");
    let id = "0d0a8f5e-0000-4000-8000-000000000001";
    let texts: [&[u8]; 7] = [
        b"",
        b"\xff\xfe\x00",
        b"{\"session_id\":",
        &"[".repeat(100_000).into_bytes(),
        br#"{"session_id":"../../../etc/passwd","hook_event_name":"Stop"}"#,
        br#"{"session_id":{"a":1},"hook_event_name":["Stop"]}"#,
        &format!(r#"{{"session_id":"{id}","hook_event_name":"SessionEnd"}}"#).into_bytes(),
    ];
    let check = |what: &str, took: Duration| assert!(took < DEADLINE, "{what}: {took:?}");
    for text in texts {
        std::fs::write(&garbage, text).unwrap();
        let took = shortest_of_calls(&sandbox, &["hook"], || File::open(&garbage).unwrap().into());
        check(&String::from_utf8_lossy(&text[..text.len().min(40)]), took);
    }
    // Open for writing here: it never ends.
    let never_ends = || File::options().read(true).write(true).open(&fifo).unwrap().into();
    check("a fifo that never ends", shortest_of_calls(&sandbox, &["hook"], never_ends));
    let mut heads = Vec::new();
    let gigabyte = || {
        let mut head = Command::new("head");
        let head = head.args(["-c", "1073741824", "/dev/zero"]).stdout(Stdio::piped());
        let mut head = head.stderr(Stdio::null()).spawn().unwrap();
        let pipe = head.stdout.take().unwrap();
        heads.push(head);
        pipe.into()
    };
    check("a gigabyte", shortest_of_calls(&sandbox, &["hook"], gigabyte));
    for mut head in heads {
        head.wait().unwrap();
    }
    check(
        "a device",
        shortest_of_calls(&sandbox, &["hook"], || File::open("/dev/zero").unwrap().into()),
    );
    check(
        "a directory",
        shortest_of_calls(&sandbox, &["hook"], || File::open(sandbox.root()).unwrap().into()),
    );
    assert!(!sandbox.user_state().exists(), "nothing came of it");
}

#[test]
fn wrong_arguments_and_a_broken_configuration_are_no_matter_of_the_agent() {
    let sandbox = Sandbox::new();
    sandbox.configure("nonsense = [");
    let calls: [&[&str]; 4] = [
        &["hook", "--no-such-option"],
        &["hook", "--agent", "vim"],
        &["hook", "surplus", "words"],
        &["hook", "--agent", "claude"],
    ];
    for args in calls {
        shortest_of_calls(&sandbox, args, Stdio::null);
    }
    assert!(sandbox.persist(["hook", "--install", "--no-such-option"]).code(2).err() != "");
}
