//! Draws how an agent is started, and what was done with it.

use super::draw::{often, one_of};
use super::further;
use crate::support::random::Random;
use crate::support::set_up::SetUp;
use crate::support::stub_agent::id;
use crate::support::{sandbox, wait_until};
use std::os::unix::fs::PermissionsExt;

/// Starts an agent in a pane, mostly by typing into its shell, and does with it what people do.
pub(super) fn start(random: &mut Random, set_up: &SetUp, pane: &str, number: usize) {
    if often(random, 10) {
        return further::start(random, set_up, pane);
    }
    let launch = one_of(random, &LAUNCHES);
    if launch != Launch::OwnCommand && often(random, 10) {
        set_up.type_line(pane, "mkdir -p ../one; cd ../one");
    }
    let is_codex = often(random, 35);
    let drawn = variables(random, set_up, pane, is_codex);
    let variables = &drawn.words;
    let mut program = program(random, set_up, is_codex);
    let with = format!("{variables} {program}");
    let arguments = if drawn.is_anonymous {
        one_of(random, &["", "--model opus"]).to_owned()
    } else if often(random, 5) {
        // A view is known by its own arguments, as the program of its pane.
        if is_codex { "codex" } else { "claude" }.clone_into(&mut program);
        "agents".to_owned()
    } else if is_codex {
        codex_arguments(random, set_up, pane, &with)
    } else {
        claude_arguments(random, set_up, pane, number, &with)
    };
    let line = launch.line(variables, &program, &arguments);
    let before = set_up.conversations().len();
    match launch {
        Launch::OwnCommand => drop(set_up.tmux(["respawn-pane", "-k", "-t", pane, &line])),
        Launch::NestedShell => {
            set_up.type_line(pane, "bash");
            set_up.type_line(pane, &line);
        }
        _ => set_up.type_line(pane, &line),
    }
    wait_until(&format!("it runs: {line}"), || set_up.conversations().len() > before);
    if drawn.is_anonymous || arguments == "agents" {
        return;
    }
    if often(random, 25) {
        set_up.type_line(pane, one_of(random, &["/clear", "more words"]));
        wait_until("it took a line", || set_up.conversations().len() > before + 1);
        if often(random, 50) {
            set_up.type_line(pane, "words");
            wait_until("it took words", || set_up.conversations().len() > before + 2);
        }
    } else if often(random, 10) && ![Launch::Exec, Launch::OwnCommand].contains(&launch) {
        // One that is the pane's own would end it, and with it perhaps the session.
        let pid = set_up.started().last().unwrap().pid;
        set_up.type_line(pane, "/exit");
        wait_until("it ended", || sandbox::ended(pid));
    }
}

/// How an agent is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Launch {
    /// Typed at the prompt of the pane's shell.
    Typed,
    /// In place of the pane's shell.
    Exec,
    /// By a shell that runs a line.
    ShellLine,
    /// With a job in the background of its shell.
    WithJob,
    /// Typed in a shell below the pane's.
    NestedShell,
    /// As tmux's command for the pane.
    OwnCommand,
    /// In a subshell.
    Subshell,
    /// By a program that becomes it.
    Nice,
    /// By a program that stays above it.
    Below,
    /// On a terminal of its own.
    Script,
    /// By a line that goes on after it.
    ThenMore,
}

const LAUNCHES: [Launch; 14] = [
    Launch::Typed,
    Launch::Typed,
    Launch::Typed,
    Launch::Exec,
    Launch::Exec,
    Launch::ShellLine,
    Launch::WithJob,
    Launch::NestedShell,
    Launch::OwnCommand,
    Launch::Subshell,
    Launch::Nice,
    Launch::Below,
    Launch::Script,
    Launch::ThenMore,
];

impl Launch {
    fn line(self, variables: &str, program: &str, arguments: &str) -> String {
        match self {
            Self::Typed => format!("{variables} {program} {arguments}"),
            Self::Exec => format!("exec env {variables} {program} {arguments}"),
            Self::ShellLine => {
                format!("bash -c 'export {variables} X=1; {program} {arguments}; true'")
            }
            Self::WithJob => format!("sleep 9999 & {variables} {program} {arguments}"),
            Self::NestedShell => format!("export {variables} X=1; {program} {arguments}"),
            Self::OwnCommand => format!("env {variables} {program} {arguments}"),
            Self::Subshell => format!("({variables} {program} {arguments})"),
            Self::Nice => format!("{variables} nice -n 1 {program} {arguments}"),
            Self::Below => format!("{variables} timeout --foreground 1d {program} {arguments}"),
            Self::Script => format!("script -qec \"{variables} {program} {arguments}\" /dev/null"),
            Self::ThenMore => format!("{variables} {program} {arguments}; read -r more"),
        }
    }
}

/// Each must come back with its agent.
pub(super) const MORE_VARIABLES: [&str; 8] = [
    "ANTHROPIC_MODEL=opus-2",
    "ANTHROPIC_BASE_URL=http://gate.example/v1",
    "AWS_PROFILE=dev",
    "HTTPS_PROXY=http://proxy.example:3128",
    "NODE_EXTRA_CA_CERTS=/etc/ssl/site.pem",
    "OPENAI_BASE_URL=http://gate.example/v2",
    "XDG_CONFIG_HOME=/tmp/not-there",
    "XDG_DATA_HOME=/tmp/not-there-either",
];

/// The value of a key, which no snapshot may hold.
pub(super) const SECRET: &str = "hush-0123456789";

struct Variables {
    /// Assignments before the program, at least one.
    words: String,
    /// Nothing says which conversation it is on; it is not prompted.
    is_anonymous: bool,
}

fn variables(random: &mut Random, set_up: &SetUp, pane: &str, is_codex: bool) -> Variables {
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
    if often(random, 25) {
        set.push(one_of(random, &MORE_VARIABLES).to_owned());
    }
    if often(random, 8) {
        set.push(format!("ANTHROPIC_API_KEY={SECRET}"));
    }
    let mut is_anonymous = false;
    if is_codex {
        if often(random, 25) {
            set.push("STUB_DAEMON=1 STUB_TITLE=1".into());
        } else if often(random, 5) {
            is_anonymous = true;
            // In an account of its own: between two of a directory nothing decides.
            let own = random.below(1_000_000);
            set.push(format!("STUB_DAEMON=1 CODEX_HOME={root}/own-{own} STUB_PROMPTED="));
        }
    } else {
        let version = one_of(random, &["2.1.197", "2.1.231", "2.1.332"]);
        set.push(format!("STUB_VERSION={version}"));
        if version == "2.1.332" {
            let place = "#{session_name}:#{window_id}.#{pane_id}";
            let place = set_up.t(&format!("display-message -p -t {pane} {place}")).out();
            set.push(format!("STUB_TMUX={}", place.trim()));
        }
        if often(random, 15) {
            set.push("STUB_OLD_RECORD=1".into());
        } else if often(random, 5) {
            is_anonymous = true;
            let own = random.below(1_000_000);
            set.push(format!("STUB_NO_RECORD=1 CLAUDE_CONFIG_DIR={root}/own-{own} STUB_PROMPTED="));
        }
    }
    Variables { words: set.join(" "), is_anonymous }
}

fn program(random: &mut Random, set_up: &SetUp, is_codex: bool) -> String {
    let name = if is_codex { "codex" } else { "claude" };
    match random.below(9) {
        0 if is_codex => installed(set_up, "bin/codex-x86_64-unknown-linux-musl"),
        0 | 1 => installed(set_up, &format!("own tools/{name}")).replace(' ', "\\ "),
        2 => wrapper(set_up, name, "exec "),
        3 => wrapper(set_up, name, ""),
        _ => name.to_owned(),
    }
}

/// A script of the agent's name that adds an option and becomes the agent, or stays above it.
fn wrapper(set_up: &SetUp, name: &str, exec: &str) -> String {
    let file = set_up.sandbox.root().join(format!("wrapped-{}{name}", exec.trim())).join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let real = set_up.bin().join(name);
    let real = real.to_str().unwrap();
    let script = format!("#!/bin/bash\n{exec}{real} \"$@\" --verbose\n");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file.to_str().unwrap().to_owned()
}

fn installed(set_up: &SetUp, place: &str) -> String {
    let path = set_up.sandbox.root().join(place);
    if !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        crate::support::set_up::install_stub(&path);
    }
    path.to_str().unwrap().to_owned()
}

/// Runs an agent until it has words, and leaves it; gives its conversation.
fn left_before(set_up: &SetUp, pane: &str, line: &str) -> String {
    let before = set_up.conversations().len();
    set_up.type_line(pane, line);
    wait_until("the first runs", || set_up.conversations().len() > before);
    let pid = set_up.started().last().unwrap().pid;
    if !set_up.conversations().last().unwrap().prompted {
        set_up.type_line(pane, "first words");
        wait_until("it has words", || set_up.conversations().last().unwrap().prompted);
    }
    let id = set_up.conversations().last().unwrap().conversation.clone();
    set_up.type_line(pane, "/exit");
    wait_until("it ended", || sandbox::ended(pid));
    id
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
    match random.below(7) {
        0 => words.insert(0, format!("--session-id {own}")),
        1 => words.push(format!("--session-id={}", own.to_uppercase())),
        kind @ 2..=4 => {
            left_before(set_up, pane, &format!("STUB_PROMPTED=1 {program} --session-id {own}"));
            words.insert(0, format!("--resume {own}"));
            if kind == 3 {
                let fork = id(u32::try_from(number).unwrap() + 0xfab);
                words.push(format!("--fork-session --session-id {fork}"));
            } else if kind == 4 {
                words.push("--fork-session".to_owned());
            }
        }
        _ => {}
    }
    words.join(" ")
}

fn codex_arguments(random: &mut Random, set_up: &SetUp, pane: &str, program: &str) -> String {
    let flags = ["", "--yolo", "--profile work", "-c model=x -s read-only"];
    let flags = one_of(random, &flags);
    let of_another = match random.below(8) {
        0 => "fork",
        1 => "resume",
        _ => return flags.to_owned(),
    };
    let id = left_before(set_up, pane, program);
    format!("{flags} {of_another} {id}")
}
