//! Programs that are started again, and the scrollback of shells.

use super::fidelity::{config, restore, words};
use crate::support::sandbox::{kill, tree};
use crate::support::{Sandbox, wait_until};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A program called `editor` that waits, whatever its arguments are.
pub(super) fn install_editor(sandbox: &Sandbox) -> PathBuf {
    let editor = sandbox.root().join("editor");
    std::os::unix::fs::symlink("/usr/bin/tail", &editor).unwrap();
    editor
}

/// The argument list and the directory of each `editor` in a pane, with the pane's place.
pub(super) fn editors(sandbox: &Sandbox) -> Vec<(String, Vec<u8>, PathBuf)> {
    let mut seen = Vec::new();
    for line in sandbox.panes("#{pane_pid} #{session_name}:#{window_index}.#{pane_index}") {
        let (pid, place) = line.split_once(' ').unwrap();
        for pid in tree(pid.parse().unwrap()) {
            let argv = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let first = argv.split(|&byte| byte == 0).next().unwrap_or_default();
            if first.ends_with(b"/editor") {
                let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
                seen.push((place.to_owned(), argv, cwd));
            }
        }
    }
    seen
}

#[test]
fn listed_programs_start_again_with_their_arguments_and_leave_a_shell() {
    let sandbox = Sandbox::new();
    let editor = install_editor(&sandbox);
    let odd = sandbox.root().join(OsStr::from_bytes(b"d\xff\n\t#(touch ran)"));
    std::fs::create_dir(&odd).unwrap();
    let arguments = config(&sandbox, "[keep]\nprograms = [\"editor\"]\n");
    let arguments = words(&arguments);
    // As the first process, with any bytes; below an interactive shell; below another one's -c;
    // one that is not in the foreground; and one that is not listed.
    let new = ["new-session", "-d", "-s", "first", "-c"].map(OsStr::new);
    let escaped = OsStr::from_bytes(b"d\xff\n\t##(touch ran)");
    let odd_argument = OsStr::from_bytes(b"a b\n\xff#(touch ran) $HOME '\"");
    let argv = [editor.as_os_str(), "-f".as_ref(), "/dev/null".as_ref(), "".as_ref(), odd_argument];
    let cwd = sandbox.root().join(escaped);
    sandbox.tmux(new.into_iter().chain([cwd.as_os_str(), "--".as_ref()]).chain(argv)).ok();
    let command = format!("{} -f /dev/null", editor.display());
    sandbox.tmux(["new-session", "-d", "-s", "job", "-c", "/usr"]).ok();
    sandbox.tmux(["send-keys", "-t", "job", &format!("cd /etc; {command} job"), "Enter"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "wrapped", &format!("{command} wrapped; true")]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "background"]).ok();
    sandbox.tmux(["send-keys", "-t", "background", &format!("{command} &"), "Enter"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "other", "--", "tail", "-f", "/dev/null"]).ok();
    wait_until("all run", || editors(&sandbox).len() == 4);
    sandbox.persist(["save"]).ok();
    let mut before = editors(&sandbox);
    before.retain(|(place, ..)| place != "background:0.0");
    assert_eq!(before.len(), 3, "{before:?}");
    for _ in 0..2 {
        sandbox.persist([&["save"], &arguments[..]].concat()).ok();
        sandbox.crash();
        restore(&sandbox, &arguments);
        wait_until("they run again", || editors(&sandbox) == before);
    }
    assert!(!sandbox.work().join("ran").exists() && !odd.join("ran").exists());
    // A shell stays when one ends.
    for pid in sandbox.panes("#{pane_pid}").iter().flat_map(|pid| tree(pid.parse().unwrap())) {
        let argv = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if argv.starts_with(editor.as_os_str().as_bytes()) {
            kill(pid);
        }
    }
    wait_until("shells are there", || {
        sandbox.panes("#{session_name} #{pane_current_command}")
            == ["background sh", "first sh", "job sh", "other sh", "wrapped sh"]
    });
}

#[test]
fn what_is_not_listed_any_more_is_not_started_whatever_a_snapshot_says() {
    let sandbox = Sandbox::new();
    let editor = install_editor(&sandbox);
    let arguments = config(&sandbox, "[keep]\nprograms = [\"editor\"]\n");
    let arguments = words(&arguments);
    let argv = [editor.as_os_str(), "-f".as_ref(), "/dev/null".as_ref()];
    let new = ["new-session", "-d", "-s", "one", "--"].map(OsStr::new);
    sandbox.tmux(new.into_iter().chain(argv)).ok();
    wait_until("it runs", || editors(&sandbox).len() == 1);
    sandbox.persist([&["save"], &arguments[..]].concat()).ok();
    let json = sandbox.persist(["show", "--json"]).ok().json();
    assert_eq!(json["rows"][0]["reason"], "a session of that name is live");
    sandbox.crash();
    let json = sandbox.persist([&["show", "--json"], &arguments[..]].concat()).ok().json();
    let reason = json["rows"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, format!("starts {} -f /dev/null", editor.display()));
    restore(&sandbox, &[]);
    assert_eq!(sandbox.panes("#{pane_current_command}"), ["sh"]);
    assert!(editors(&sandbox).is_empty());
}

fn shown(sandbox: &Sandbox, pane: &str) -> String {
    sandbox.tmux(["capture-pane", "-p", "-J", "-S", "-", "-t", pane]).ok().out()
}

fn scrollback_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(sandbox.user_state().join("snapshots")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension() == Some("scrollback".as_ref()) {
            files.extend(std::fs::read_dir(entry.path()).unwrap().map(|e| e.unwrap().path()));
        }
    }
    files
}

#[test]
fn a_shell_shows_again_what_it_showed_and_text_alone_makes_no_snapshot() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let arguments = config(&sandbox, "[keep]\nscrollback_lines = 500\nscrollback_bytes = 2000\n");
    let arguments = words(&arguments);
    let save = || {
        let json = sandbox.persist([&["save", "--json"], &arguments[..]].concat()).ok().json();
        assert_eq!(json["users"][0]["notes"], serde_json::json!([]));
        json["users"][0]["result"].as_str().unwrap().to_owned()
    };
    let say = |pane: &str, text: &str| {
        sandbox.tmux(["send-keys", "-t", pane, &format!("printf '{text}'"), "Enter"]).ok();
    };
    sandbox.tmux(["new-session", "-d", "-s", "a", "-x", "80", "-y", "10"]).ok();
    sandbox.tmux(["split-window", "-d", "-t", "a"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "b"]).ok();
    sandbox.persist(["save"]).ok();
    assert!(scrollback_files(&sandbox).is_empty(), "off by default");
    say("a:0.0", r"\033[31mred\033[0m line\n");
    sandbox.tmux(["send-keys", "-t", "a:0.0", "seq 1000 1499", "Enter"]).ok();
    wait_until("both were said", || {
        shown(&sandbox, "a:0.0").contains("\n1499\n")
            && shown(&sandbox, "a:0.0").contains("red line\n")
    });
    assert_eq!(save(), "unchanged");
    let files = scrollback_files(&sandbox);
    assert_eq!(files.len(), 3, "{files:?}");
    for file in &files {
        let meta = file.metadata().unwrap();
        assert!(meta.permissions().mode() & 0o777 == 0o600 && meta.len() <= 2000);
    }
    say("b", r"now \033[1mbold\033[0m\n");
    wait_until("it was said", || shown(&sandbox, "b").contains("now bold\n"));
    assert_eq!(save(), "unchanged");
    for _ in 0..2 {
        let text = |pane: &str| shown(&sandbox, pane).replace("$ ", "");
        assert!(text("a:0.0").contains("\n1499\n"));
        sandbox.crash();
        restore(&sandbox, &arguments);
        wait_until("it is shown again", || {
            let coloured = sandbox.tmux(["capture-pane", "-p", "-e", "-t", "b"]).ok().out();
            text("a:0.0").contains("\n1498\n1499\n") && coloured.contains("\x1b[1mbold")
        });
        assert!(!text("a:0.0").contains("\n1000\n"), "beyond the limit of bytes");
        // The shell is the pane's own process.
        wait_until("shells are there", || sandbox.panes("#{pane_current_command}") == ["sh"; 3]);
        let children = sandbox
            .panes("#{pane_pid}")
            .iter()
            .map(|pid| tree(pid.parse().unwrap()).len())
            .sum::<usize>();
        assert_eq!(children, 3);
        assert_eq!(save(), "saved");
    }
    assert_eq!(sandbox.persist(["list"]).ok().err(), "", "nothing foreign lies there");
}

#[test]
fn what_a_lost_session_showed_is_kept_with_it() {
    let sandbox = Sandbox::new();
    let arguments = config(&sandbox, "[keep]\nscrollback_lines = 100\n");
    let arguments = words(&arguments);
    sandbox.tmux(["new-session", "-d", "-s", "lost"]).ok();
    sandbox.tmux(["send-keys", "-t", "lost", "echo so it' 'was", "Enter"]).ok();
    wait_until("it was said", || shown(&sandbox, "lost").contains("so it was"));
    sandbox.persist([&["save"], &arguments[..]].concat()).ok();
    sandbox.crash();
    sandbox.tmux(["new-session", "-d", "-s", "new"]).ok();
    sandbox.persist([&["save"], &arguments[..]].concat()).ok();
    sandbox.persist([&["restore"], &arguments[..]].concat()).ok();
    wait_until("it is shown again", || shown(&sandbox, "lost").contains("so it was"));
}

#[test]
fn a_save_goes_on_without_scrollback_that_cannot_be_written() {
    let sandbox = Sandbox::new();
    let arguments = config(&sandbox, "[keep]\nscrollback_lines = 100\n");
    let arguments = words(&arguments);
    sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    let json = sandbox.persist(["save", "--json"]).ok().json();
    let id = json["users"][0]["snapshot"].as_str().unwrap();
    let dir = sandbox.user_state().join(format!("snapshots/{id}.scrollback"));
    std::os::unix::fs::symlink("/tmp", &dir).unwrap();
    let json = sandbox.persist([&["save", "--json"], &arguments[..]].concat()).ok().json();
    assert_eq!(json["users"][0]["result"], "unchanged");
    let note = json["users"][0]["notes"][0].as_str().unwrap();
    assert!(note.starts_with("scrollback not saved, or only in part: "), "{note}");
}
