//! What comes back besides windows, panes and agents: what sessions share, options, variables,
//! programs.

use crate::support::Sandbox;
use crate::support::tmux_versions::version;
use serde_json::Value;

/// Everything of a window in a session that a restore must bring back, ids as they are.
const WINDOW: &str = "#{session_name}|#{window_index}|#{session_group}|#{window_flags}|\
    #{window_stack_index}|#{?automatic-rename,,#{window_name}}|#{pane_index}|#{pane_active}";

pub(super) fn restore(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let json = sandbox.persist([&["restore", "--json"], arguments].concat()).ok().json();
    for row in json["rows"].as_array().unwrap() {
        assert_eq!(row["result"], "restored", "{json}");
    }
    json
}

/// Saves, crashes and restores twice; the same is there each time, and the second save finds
/// nothing new.
fn cycle_twice(sandbox: &Sandbox, arguments: &[&str], look: impl Fn() -> Vec<String>) {
    let before = look();
    for _ in 0..2 {
        sandbox.persist([&["save"], arguments].concat()).ok();
        sandbox.crash();
        restore(sandbox, arguments);
        assert_eq!(look(), before);
    }
    let saved = sandbox.latest_without_ids();
    sandbox.persist([&["save"], arguments].concat()).ok();
    assert_eq!(sandbox.latest_without_ids(), saved);
}

/// Another configuration file with this in it, as arguments.
pub(super) fn config(sandbox: &Sandbox, text: &str) -> [String; 2] {
    let path = sandbox.root().join("keep.toml");
    std::fs::write(&path, format!("save_on_change = false\n{text}")).unwrap();
    ["--config".to_owned(), path.to_str().unwrap().to_owned()]
}

pub(super) fn words(arguments: &[String; 2]) -> [&str; 2] {
    [&arguments[0], &arguments[1]]
}

/// Which sessions and indexes show one window, for each window.
pub(super) fn shared(sandbox: &Sandbox) -> Vec<String> {
    let mut windows = std::collections::BTreeMap::<String, Vec<String>>::new();
    for line in sandbox.panes("#{window_id} #{session_name}:#{window_index}") {
        let (id, place) = line.split_once(' ').unwrap();
        windows.entry(id.to_owned()).or_default().push(place.to_owned());
    }
    let mut shared: Vec<String> = windows.into_values().map(|places| places.join(" ")).collect();
    shared.sort();
    shared
}

fn look(sandbox: &Sandbox) -> Vec<String> {
    let mut seen = sandbox.panes(WINDOW);
    seen.extend(shared(sandbox));
    seen
}

#[test]
fn each_session_of_a_group_has_its_own_current_window_and_the_group_its_name() {
    let sandbox = Sandbox::new();
    for command in [
        // The leader is called otherwise now, and a stranger has its name.
        "new-session -d -s main -c /usr",
        "new-window -d -t main:3 -c /etc",
        "new-window -d -t main:5 -c /",
        "new-session -d -s also -t main",
        "new-session -d -s third -t main",
        "rename-session -t =main led",
        "new-session -d -s main",
        "select-window -t =also:5",
        "select-window -t =also:3",
        "select-window -t =third:5",
        // Odd bytes.
        "new-session -d -s 'o;d $d\\##(touch ran)'",
        "new-session -d -s member -t '$4'",
        // Its leader is gone, and it is alone.
        "new-session -d -s gone",
        "new-session -d -s alone -t gone",
        "kill-session -t =gone",
    ] {
        let file = sandbox.root().join("command");
        std::fs::write(&file, format!("{command}\n")).unwrap();
        sandbox.tmux(["start-server", ";", "source-file", file.to_str().unwrap()]).ok();
    }
    assert!(look(&sandbox).iter().any(|line| line.starts_with("alone|0|gone|")));
    cycle_twice(&sandbox, &[], || look(&sandbox));
}

#[test]
fn a_restored_group_never_takes_over_one_that_is_live() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "main"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "also", "-t", "main"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "third", "-t", "main"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox.tmux(["new-session", "-d", "-s", "main", "-n", "live"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "stranger", "-t", "main"]).ok();
    sandbox.persist(["restore"]).ok();
    let seen = sandbox.panes("#{session_name} #{session_group}");
    assert_eq!(seen, ["also main-2", "main main", "stranger main", "third main-2"]);
    assert_eq!(shared(&sandbox), ["also:0 third:0", "main:0 stranger:0"]);
}

#[test]
fn linked_windows_are_one_window_again() {
    let sandbox = Sandbox::new();
    // By its id: until 3.7 tmux calls it `a_b`.
    sandbox.tmux(["new-session", "-d", "-s", "a:b", "-c", "/usr"]).ok();
    sandbox.tmux(["split-window", "-t", "$0:", "-c", "/etc"]).ok();
    sandbox.tmux(["new-window", "-d", "-t", "$0:4", "-n", "four"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "z", "-c", "/"]).ok();
    // Its first window is a link, and its first own one comes later; one window is there twice.
    for (from, to) in [("$0:4", "=z:7"), ("$0:0", "=z:2"), ("=z:0", "=z:9")] {
        sandbox.tmux(["link-window", "-d", "-s", from, "-t", to]).ok();
    }
    sandbox.tmux(["move-window", "-d", "-s", "=z:0", "-t", "=z:8"]).ok();
    // One that shows nothing of its own.
    sandbox.tmux(["new-session", "-d", "-s", "m"]).ok();
    sandbox.tmux(["link-window", "-k", "-s", "=z:8", "-t", "=m:0"]).ok();
    // And one from outside into a group.
    sandbox.tmux(["new-session", "-d", "-s", "g"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "h", "-t", "g"]).ok();
    sandbox.tmux(["link-window", "-d", "-s", "$0:4", "-t", "=g:1"]).ok();
    sandbox.tmux(["select-window", "-t", "=z:7"]).ok();
    sandbox.tmux(["select-window", "-t", "=z:2"]).ok();
    assert_eq!(shared(&sandbox).len(), 4, "{:?}", shared(&sandbox));
    cycle_twice(&sandbox, &[], || look(&sandbox));
}

#[test]
fn links_to_a_session_that_does_not_come_back_are_links_to_each_other() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    for to in ["=b:1", "=c:1"] {
        sandbox.tmux(["link-window", "-d", "-s", "=a:0", "-t", to]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox.persist(["restore", "b", "c"]).ok();
    assert_eq!(shared(&sandbox), ["b:0", "b:1 c:1", "c:0"]);
}

#[test]
fn the_whole_stack_of_last_windows_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "s"]).ok();
    for index in 1..6 {
        sandbox.tmux(["new-window", "-d", "-t", &format!("s:{index}")]).ok();
    }
    for index in [3, 5, 1, 4] {
        sandbox.tmux(["select-window", "-t", &format!("s:{index}")]).ok();
    }
    sandbox.tmux(["kill-window", "-t", "s:0"]).ok(); // the one a session begins with
    cycle_twice(&sandbox, &[], || {
        sandbox.panes("#{window_index} #{window_flags} #{window_stack_index}")
    });
}

/// The values in effect, and for windows where they are set.
fn options(sandbox: &Sandbox) -> Vec<String> {
    let mut seen = sandbox.panes(
        "#{session_name}:#{window_index}.#{pane_index} #{status} #{mouse} #{history-limit} \
         #{history_limit} #{mode-keys} #{monitor-silence} #{main-pane-width} #{pane-border-status} \
         #{window-size} #{remain-on-exit} #{synchronize-panes} #{allow-rename} #{window_zoomed_flag}",
    );
    for target in ["s:0", "s:1", "s:2"] {
        seen.push(sandbox.tmux(["show-options", "-w", "-t", target]).ok().out());
    }
    seen.push(sandbox.tmux(["show-options", "-t", "s:"]).ok().out());
    seen
}

#[test]
fn options_that_differ_from_the_servers_come_back_and_no_others() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.home().join(".tmux.conf"), "set -g mouse on\nset -gw mode-keys vi\n")
        .unwrap();
    sandbox
        .tmux([
            "start-server",
            ";",
            "set",
            "-g",
            "mouse",
            "on",
            ";",
            "set",
            "-gw",
            "mode-keys",
            "vi",
            ";",
            "new-session",
            "-d",
            "-s",
            "s",
        ])
        .ok();
    for command in [
        &["set", "-t", "s", "history-limit", "5000"][..],
        &["set", "-t", "s", "status", "off"],
        &["set", "-t", "s", "mouse", "off"],
        &["new-window", "-d", "-t", "s:1"],
        &["split-window", "-d", "-t", "s:1"],
        &["new-window", "-d", "-t", "s:2"],
        &["split-window", "-d", "-t", "s:2"],
        &["set", "-w", "-t", "s:1", "synchronize-panes", "on"],
        &["set", "-w", "-t", "s:1", "mode-keys", "emacs"],
        &["set", "-w", "-t", "s:1", "monitor-silence", "1"],
        &["set", "-p", "-t", "s:2.1", "remain-on-exit", "on"],
        &["set", "-w", "-t", "s:2", "pane-border-status", "top"],
        &["set", "-w", "-t", "s:2", "main-pane-width", "33"],
        &["resize-pane", "-Z", "-t", "s:2.1"],
        // Where nobody set it, it is not set afterwards; where somebody did, it is.
        &["rename-window", "-t", "s:1", "named"],
        // The first window has its history from before.
        &["new-window", "-k", "-d", "-t", "s:0"],
        // Code stays where it came from.
        &["set", "-t", "s", "default-command", "touch ran"],
        &["set", "-w", "-t", "s:1", "pane-border-format", "#(touch ran)"],
    ] {
        sandbox.tmux(command).ok();
    }
    let before: Vec<String> = options(&sandbox).iter().map(|shown| without_code(shown)).collect();
    assert!(before[0].contains(" 5000 5000 "), "{before:?}");
    for _ in 0..2 {
        sandbox.persist(["save"]).ok();
        sandbox.crash();
        restore(&sandbox, &[]);
        assert_eq!(options(&sandbox), before);
    }
    let saved = sandbox.latest_without_ids();
    sandbox.persist(["save"]).ok();
    assert_eq!(sandbox.latest_without_ids(), saved);
}

fn without_code(options: &str) -> String {
    let is_code =
        |line: &&str| line.starts_with("default-command") || line.starts_with("pane-border-format");
    options.split_inclusive('\n').filter(|line| !is_code(line)).collect()
}

#[test]
fn automatic_renaming_is_off_only_where_it_was() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.home().join(".tmux.conf"), "set -gw automatic-rename off\n").unwrap();
    sandbox
        .tmux([
            "start-server",
            ";",
            "set",
            "-gw",
            "automatic-rename",
            "off",
            ";",
            "new-session",
            "-d",
            "-s",
            "s",
        ])
        .ok();
    sandbox.tmux(["new-window", "-d", "-t", "s:1"]).ok();
    sandbox.tmux(["set", "-w", "-t", "s:1", "automatic-rename", "on"]).ok();
    let look = || {
        let local = |window: &str| sandbox.tmux(["show-options", "-w", "-t", window]).ok().out();
        vec![local("s:0"), local("s:1"), sandbox.panes("#{automatic-rename}").concat()]
    };
    assert_eq!(look(), ["", "automatic-rename on\n", "01"]);
    cycle_twice(&sandbox, &[], look);
}

#[test]
fn listed_variables_of_a_sessions_environment_come_back_as_bytes() {
    let sandbox = Sandbox::new();
    let arguments = config(&sandbox, "[keep]\nenvironment = [\"FOO\", \"EMPTY_ONE\", \"BAR_1\"]\n");
    let arguments = words(&arguments);
    sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "b", "-t", "a"]).ok();
    let value =
        std::os::unix::ffi::OsStringExt::from_vec(b"x\t\n\xff#(touch ran) $HOME; x".to_vec());
    let value: std::ffi::OsString = value;
    let set = |session: &str, name: &str, value: &std::ffi::OsStr| {
        let words = ["set-environment", "-t", session, name];
        sandbox.tmux(words.iter().map(std::ffi::OsStr::new).chain([value])).ok();
    };
    set("a", "FOO", &value);
    set("a", "EMPTY_ONE", "".as_ref());
    set("a", "NOT_LISTED", "secret".as_ref());
    set("b", "BAR_1", "other".as_ref());
    sandbox.persist(["save"]).ok();
    assert!(!String::from_utf8_lossy(&sandbox.latest()).contains("FOO"), "off by default");
    let look = || {
        let shown = |session: &str, name: &str| {
            sandbox.tmux(["show-environment", "-t", session, name]).stdout
        };
        vec![shown("a", "FOO"), shown("b", "BAR_1"), shown("b", "FOO")]
    };
    let before = look();
    // These two print it in octal.
    let shown: &[u8] = match version() {
        (3, 4 | 5) => b"FOO=x\t\n\\377#(touch ran) $HOME; x\n",
        _ => b"FOO=x\t\n\xff#(touch ran) $HOME; x\n",
    };
    assert_eq!(before[0], shown);
    for _ in 0..2 {
        sandbox.persist([&["save"], &arguments[..]].concat()).ok();
        sandbox.crash();
        restore(&sandbox, &arguments);
        assert_eq!(look(), before);
        assert!(sandbox.tmux(["show-environment", "-t", "a", "NOT_LISTED"]).code != 0);
    }
    assert!(!String::from_utf8_lossy(&sandbox.latest()).contains("secret"));
    // What a snapshot says is not set when the configuration no longer lists it.
    sandbox.crash();
    restore(&sandbox, &[]);
    assert!(sandbox.tmux(["show-environment", "-t", "a", "FOO"]).code != 0);
}

#[test]
fn what_could_be_code_in_keep_is_refused() {
    let sandbox = Sandbox::new();
    for (text, said) in [
        ("environment = [\"pid\"]", "keep.environment: 'pid' is not a variable's name"),
        ("programs = [\"/bin/sh\"]", "keep.programs: '/bin/sh' is not a program's base name"),
        (
            "window_options = [\"default-command\"]",
            "'default-command' is not an option that can be kept",
        ),
    ] {
        let arguments = config(&sandbox, &format!("[keep]\n{text}\n"));
        let run = sandbox.persist([&["save"], &words(&arguments)[..]].concat()).code(2);
        assert!(run.err().contains(said), "{}", run.err());
    }
}
