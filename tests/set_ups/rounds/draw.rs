//! Draws a set-up: which agents run where, how they were started, and what was done before the crash.

use crate::support::random::Random;
use crate::support::set_up::SetUp;
use crate::support::stub_agent::id;
use crate::support::wait_until;

/// Configurations of tmux that change where things land, or what a restore meets.
const CONFIGURATIONS: [&str; 7] = [
    "",
    "run-shell 'sleep 2'\n",
    "set -g base-index 1\nset -g pane-base-index 1\nset -g renumber-windows on\n",
    "set-hook -g after-new-window 'rename-window hooked'\nset -g mouse on\n",
    "set-hook -g session-created 'new-window -d -n logs'\n",
    "set -g default-command 'exec bash -l'\n",
    "set -g exit-empty off\nset -g remain-on-exit off\nset -g history-limit 50000\nset -g mode-keys vi\n",
];

/// How a round ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// Everything is killed, as by a power cut.
    Everything,
    /// The server is killed; what ran in it sees its terminal go.
    Server,
    /// All agents are killed, as by the kernel's out-of-memory killer.
    Agents,
}

/// Draws one of several.
fn one_of<T: Copy>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len())]
}

fn often(random: &mut Random, percent: usize) -> bool {
    random.below(100) < percent
}

/// Makes a set-up with two to five panes.
pub(super) fn set_up(random: &mut Random) -> (SetUp, Crash) {
    let set_up = SetUp::new();
    set_up.tmux_conf(one_of(random, &CONFIGURATIONS));
    // Sessions of one size: a layout says where the panes are.
    for number in 0..2 + random.below(4) {
        let directory = set_up.directory(one_of(random, &["one", "two", "with space"]));
        let pane = make_pane(random, &set_up, number, &directory);
        if often(random, 90) {
            start(random, &set_up, &pane, number);
        }
    }
    let crash = one_of(random, &[Crash::Everything, Crash::Server, Crash::Agents]);
    (set_up, crash)
}

/// A new pane with a shell; gives its id.
fn make_pane(random: &mut Random, set_up: &SetUp, number: usize, directory: &str) -> String {
    let name = format!("s{number}");
    let of_new = ["new-session", "-d", "-x", "150", "-y", "50", "-s", &name];
    let new: &[&str] = match random.below(if number == 0 { 1 } else { 3 }) {
        0 => &of_new,
        1 => &["new-window", "-t", "s0:"],
        _ => &["split-window", "-t", "s0:"],
    };
    let shown = ["-P", "-F", "#{pane_id}", "-c", directory];
    let pane = set_up.tmux(new.iter().chain(&shown)).out().trim().to_owned();
    wait_until("the shell is there", || {
        !set_up.t(&format!("capture-pane -p -t {pane}")).out().trim().is_empty()
    });
    pane
}

/// Starts an agent in a pane by typing into its shell, and does with it what people do.
fn start(random: &mut Random, set_up: &SetUp, pane: &str, number: usize) {
    let is_codex = often(random, 35);
    let variables = variables(random, set_up, is_codex);
    let program = program(random, set_up, is_codex);
    let arguments = if is_codex {
        codex_arguments(random)
    } else {
        claude_arguments(random, set_up, pane, number, &format!("{variables} {program}"))
    };
    let line = match random.below(6) {
        0 => format!("exec env {variables} {program} {arguments}"),
        1 => format!("bash -c 'export {variables} X=1; {program} {arguments}; true'"),
        2 => format!("sleep 9999 & {variables} {program} {arguments}"),
        3 => {
            set_up.type_line(pane, "bash");
            format!("export {variables} X=1; {program} {arguments}")
        }
        _ => format!("{variables} {program} {arguments}"),
    };
    let before = set_up.conversations().len();
    set_up.type_line(pane, &line);
    wait_until(&format!("it runs: {line}"), || set_up.conversations().len() > before);
    if often(random, 25) {
        set_up.type_line(pane, one_of(random, &["/clear", "more words"]));
        wait_until("it took a line", || set_up.conversations().len() > before + 1);
        if often(random, 50) {
            set_up.type_line(pane, "words");
            wait_until("it took words", || set_up.conversations().len() > before + 2);
        }
    } else if often(random, 10) {
        let pid = set_up.started().last().unwrap().pid;
        set_up.type_line(pane, "/exit");
        wait_until("it ended", || crate::support::sandbox::ended(pid));
    }
}

/// Assignments before the program, at least one.
fn variables(random: &mut Random, set_up: &SetUp, is_codex: bool) -> String {
    let root = set_up.sandbox.root().to_str().unwrap().to_owned();
    let mut set = vec!["ROUND=1".to_owned()];
    if often(random, 40) {
        let name = if is_codex { "CODEX_HOME" } else { "CLAUDE_CONFIG_DIR" };
        let place = one_of(random, &["home/.second", "home/accounts/third", "fourth"]);
        set.push(format!("{name}={root}/{place}"));
    }
    if often(random, 15) {
        set.push("STUB_PROMPTED=".into());
    }
    if is_codex {
        if often(random, 25) {
            set.push("STUB_DAEMON=1 STUB_TITLE=1".into());
        }
    } else {
        let version = one_of(random, &["2.1.197", "2.1.231", "2.1.332"]);
        set.push(format!("STUB_VERSION={version}"));
        if often(random, 15) {
            set.push("STUB_OLD_RECORD=1".into());
        }
    }
    set.join(" ")
}

fn program(random: &mut Random, set_up: &SetUp, is_codex: bool) -> String {
    let name = if is_codex { "codex" } else { "claude" };
    match random.below(6) {
        0 if is_codex => installed(set_up, "bin/codex-x86_64-unknown-linux-musl"),
        0 | 1 => installed(set_up, &format!("own tools/{name}")).replace(' ', "\\ "),
        _ => name.to_owned(),
    }
}

fn installed(set_up: &SetUp, place: &str) -> String {
    let path = set_up.sandbox.root().join(place);
    if !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        crate::support::set_up::install_stub(&path);
    }
    path.to_str().unwrap().to_owned()
}

fn claude_arguments(
    random: &mut Random,
    set_up: &SetUp,
    pane: &str,
    number: usize,
    program: &str,
) -> String {
    let own = id(u32::try_from(number).unwrap() + 0xab);
    let mut words = Vec::new();
    let flags = ["--model opus", "--dangerously-skip-permissions", "--add-dir ../one ../two"];
    if often(random, 50) {
        words.push(one_of(random, &flags).to_owned());
    }
    match random.below(6) {
        0 => words.insert(0, format!("--session-id {own}")),
        1 => words.push(format!("--session-id={}", own.to_uppercase())),
        kind @ (2 | 3) => {
            // One that was left before, with a transcript.
            let before = set_up.conversations().len();
            set_up.type_line(pane, &format!("STUB_PROMPTED=1 {program} --session-id {own}"));
            wait_until("the first runs", || set_up.conversations().len() > before);
            let pid = set_up.started().last().unwrap().pid;
            if !set_up.conversations().last().unwrap().prompted {
                set_up.type_line(pane, "first words");
                wait_until("it has words", || set_up.conversations().last().unwrap().prompted);
            }
            set_up.type_line(pane, "/exit");
            wait_until("it ended", || crate::support::sandbox::ended(pid));
            words.insert(0, format!("--resume {own}"));
            if kind == 3 {
                let fork = id(u32::try_from(number).unwrap() + 0xfab);
                words.push(format!("--fork-session --session-id {fork}"));
            }
        }
        _ => {}
    }
    words.join(" ")
}

fn codex_arguments(random: &mut Random) -> String {
    let flags = ["", "--yolo", "--profile work", "-c model=x -s read-only"];
    one_of(random, &flags).to_owned()
}
