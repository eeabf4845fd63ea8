//! Everything at once, with every odd byte there is, through two saves, crashes and restores.

use super::fidelity::{config, restore, shared, words};
use super::programs::{editors, install_editor};
use crate::support::tmux_versions::version;
use crate::support::{Sandbox, wait_until};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Bytes that break something somewhere: framing, formats, shells, vis(3), this file's columns.
const ODD: [&[u8]; 8] = [
    b"tab\tfeed\nreturn\r",
    b"\xff\xfe\x80",
    b"#(touch ran) #{pid} ##[x",
    b"$HOME ${x} `touch ran` $(touch ran)",
    b"'; touch ran; '\"",
    b"back\\slash\\\\ \\n \\033",
    b"-",
    "\u{e9}\u{1f600}\u{202e}%H ~ {a};".as_bytes(),
];

fn os(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

/// An argument that tmux expands, made to expand to itself; in an argument list it takes a final
/// `;` for a separator.
fn expanded(bytes: &[u8]) -> OsString {
    let mut escaped = terminal_lobby::tmux::escape::escape_format(bytes);
    if escaped.last() == Some(&b';') {
        escaped.insert(escaped.len() - 1, b'\\');
    }
    os(&escaped)
}

fn plain(bytes: &[u8]) -> OsString {
    let mut plain = bytes.to_vec();
    if plain.last() == Some(&b';') {
        plain.insert(plain.len() - 1, b'\\');
    }
    os(&plain)
}

/// `tmux WORDS LAST...`, the words plain text, the last ones any bytes.
fn tmux(sandbox: &Sandbox, words: &str, last: &[&OsStr]) -> crate::support::Run {
    sandbox.tmux(words.split(' ').map(OsStr::new).chain(last.iter().copied()))
}

/// All that a person could notice, as bytes.
fn look(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    const PANE: &str = "#{session_name}|#{session_group}|#{window_index}|#{window_flags}|\
        #{window_stack_index}|#{?automatic-rename,,#{window_name}}|#{window_width}x#{window_height}|\
        #{pane_index}|#{pane_left},#{pane_top},#{pane_width},#{pane_height}|#{pane_active}|\
        #{pane_last}|#{pane_title}|#{pane_current_path}|#{synchronize-panes}|\
        #{remain-on-exit}|#{FOO}|#{BAR}|#{status}|#{mode-keys}";
    let mut seen = vec![sandbox.tmux(["list-panes", "-a", "-F", PANE]).ok().stdout];
    for session in sandbox.panes("#{session_id}") {
        seen.push(sandbox.tmux(["show-options", "-t", &format!("{session}:")]).ok().stdout);
    }
    seen.extend(shared(sandbox).into_iter().map(String::into_bytes));
    for (place, argv, cwd) in editors(sandbox) {
        seen.push([place.as_bytes(), b" ", &argv, b" ", cwd.as_os_str().as_bytes()].concat());
    }
    seen
}

/// A name of a session or window as odd as this tmux takes one.
fn name(bytes: Vec<u8>) -> Vec<u8> {
    let refuses = version() >= (3, 7);
    if refuses { terminal_lobby::tmux::escape::printable_name(&bytes) } else { bytes }
}

fn furnish(sandbox: &Sandbox) {
    let editor = install_editor(sandbox);
    let dirs: Vec<PathBuf> = ODD.iter().map(|name| sandbox.work().join(os(name))).collect();
    for dir in &dirs {
        std::fs::create_dir(dir).unwrap();
    }
    let cwd = |n: usize| expanded(dirs[n].as_os_str().as_bytes());
    for (n, odd) in ODD.iter().enumerate() {
        let name = name([format!("{n} ").as_bytes(), odd].concat());
        let new = "new-session -d -x 97 -y 31 -c";
        tmux(sandbox, new, &[&cwd(n), "-s".as_ref(), &expanded(&name)]).ok();
        let argv = [editor.as_os_str(), "-f".as_ref(), "/dev/null".as_ref(), &plain(odd)];
        let directory = cwd((n + 1) % ODD.len());
        let window = [&[&directory, OsStr::new("--")], &argv[..]].concat();
        tmux(sandbox, &format!("new-window -d -t ${n}:4 -c"), &window).ok();
        let directory = cwd((n + 2) % ODD.len());
        tmux(sandbox, &format!("split-window -h -d -t ${n}: -c"), &[&directory]).ok();
        tmux(
            sandbox,
            &format!("rename-window -t ${n}:4 --"),
            &[&expanded(&self::name(odd.to_vec()))],
        )
        .ok();
        // tmux keeps the old title where this one holds what it does not take.
        let _ = tmux(sandbox, &format!("select-pane -t ${n}:0.0 -T"), &[&expanded(odd)]);
        tmux(sandbox, &format!("set-environment -t ${n}: -- FOO"), &[&plain(odd)]).ok();
        sandbox.tmux(["set-option", "-u", "-t", &format!("${n}:"), "default-size"]).ok();
    }
    for command in [
        "select-window -t $1:4",
        "resize-pane -Z -t $2:0.1",
        "set -w -t $2:0 synchronize-panes on",
        "set -t $3: status off",
        "set -t $3: history-limit 77",
        "set -w -t $4:0 mode-keys vi",
        "set -p -t $4:0.1 remain-on-exit on",
        "link-window -d -s $5:4 -t $6:9",
        "link-window -d -s $5:0 -t $0:1",
        "new-session -d -s group -t $7",
        "select-window -t group:4",
        "set-environment -t group BAR other",
    ] {
        sandbox.tmux(command.split(' ')).ok();
    }
}

#[test]
fn everything_with_any_bytes_survives_two_crashes() {
    let sandbox = Sandbox::new();
    let keep = "[keep]\nprograms = [\"editor\"]\nenvironment = [\"FOO\", \"BAR\"]\nscrollback_lines = 50\n";
    let arguments = config(&sandbox, keep);
    let arguments = words(&arguments);
    furnish(&sandbox);
    wait_until("all programs run", || editors(&sandbox).len() == ODD.len() + 2);
    let before = look(&sandbox);
    let mut saved = None;
    for _ in 0..2 {
        sandbox.persist([&["save"], &arguments[..]].concat()).ok();
        let now = sandbox.latest_without_ids();
        assert!(*saved.get_or_insert_with(|| now.clone()) == now, "the same is saved again");
        sandbox.crash();
        restore(&sandbox, &arguments);
        wait_until("all programs run", || look(&sandbox).len() == before.len());
        for (was, is) in before.iter().zip(look(&sandbox)) {
            assert_eq!(String::from_utf8_lossy(was), String::from_utf8_lossy(&is));
            assert_eq!(*was, is);
        }
    }
    let ran =
        std::process::Command::new("find").arg(sandbox.root()).args(["-name", "ran"]).output();
    assert_eq!(ran.unwrap().stdout, b"");
}
