//! Draws a set-up: which configuration and which sessions, and how it ends.

use super::{agents, shape};
use crate::set_ups::tmux_conf;
use crate::support::random::Random;
use crate::support::set_up::SetUp;
use crate::support::wait_until;
use terminal_lobby::snapshot::Store;
use terminal_lobby::sys::locks::Lock;

/// Configurations of tmux that change where things land, or what a restore meets.
const CONFIGURATIONS: [&str; 11] = [
    "",
    "set -g base-index 1\nset -g pane-base-index 1\nset -g renumber-windows on\n",
    "set-hook -g after-new-window 'rename-window hooked'\nset -g mouse on\n",
    "set-hook -g session-created 'new-window -d -n logs'\n",
    "set -g default-command 'exec bash -l'\n",
    "set -g exit-empty off\nset -g remain-on-exit off\nset -g history-limit 50000\nset -g mode-keys vi\n",
    "set -g default-shell /bin/dash\n",
    "set -g default-shell /bin/dash\nset -g default-command '${SHELL}'\n",
    "set -g allow-rename on\nset -g automatic-rename off\nset -g detach-on-destroy off\n",
    "set -g update-environment ''\nset -g default-terminal screen-256color\nset -g set-titles on\n",
    "set -g main-pane-width 40\nset -g window-size smallest\nset -g aggressive-resize on\n",
];

/// Those that are written when the sessions are there already: they would end or hold up what makes
/// these.
const LATER: [&str; 8] = [
    "run-shell 'sleep 1'\n",
    "set -s exit-unattached on\n",
    "set -g destroy-unattached on\n",
    "set-hook -g session-created 'run-shell \"sleep 60\"'\nset-hook -g after-new-window 'run-shell \"sleep 60\"'\n",
    "new-session -d -s s0\nnew-session -d -s main\n",
    "set-hook -g after-split-window 'kill-pane -t nowhere'\nset-hook -g session-created 'run-shell \"exit 3\"'\n",
    "set-hook -g client-attached 'confirm-before -p sure? kill-server'\nset -g status off\n",
    "set -g command-alias[9] 'split-window=kill-server'\nset -g command-alias[10] 'sw=select-window'\n",
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

/// When an agent is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    BeforeSave,
    AfterSave,
}

/// What happens between the save and the restore.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub(super) crash: Option<Crash>,
    /// The percentage of agents that get a prompt after the save.
    pub(super) late_prompts: usize,
    /// Whether one of the agents is left.
    pub(super) leaves: Option<Leaves>,
    /// A session that gets another name after the save.
    pub(super) renamed: Option<String>,
    /// A directory that is gone afterwards.
    pub(super) gone: Option<String>,
    /// The restore is killed after so many milliseconds, and run again.
    pub(super) killed_after: Option<u64>,
}

/// Draws one of several.
pub(super) fn one_of<T: Copy>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len())]
}

pub(super) fn often(random: &mut Random, percent: usize) -> bool {
    random.below(100) < percent
}

/// A set-up.
pub(super) struct Drawn {
    /// Saves that hooks of agents ask for would come before a crash or after it, by chance.
    pub(super) _no_other_saves: Lock,
    pub(super) set_up: SetUp,
    /// The names of the sessions that are not saved.
    pub(super) excluded: Vec<String>,
    /// What a restore meets.
    pub(super) configuration: String,
}

/// Makes a set-up with two to five panes.
pub(super) fn set_up(random: &mut Random) -> Drawn {
    let set_up = SetUp::new();
    let state = set_up.sandbox.user_state();
    std::fs::create_dir_all(&state).unwrap();
    let no_other_saves = Store::open(&state).unwrap().unwrap().pending().unwrap();
    let profile = set_up.sandbox.home().join(".bash_profile");
    std::fs::copy(profile, set_up.sandbox.home().join(".profile")).unwrap(); // for dash
    let later = often(random, 20).then(|| one_of(random, &LATER));
    let conf = match later {
        Some(_) => String::new(),
        None if often(random, 25) => published(random, &set_up),
        None => one_of(random, &CONFIGURATIONS).to_owned(),
    };
    let own_file = often(random, 15).then(|| set_up.sandbox.work().join("own.conf"));
    match &own_file {
        Some(file) => std::fs::write(file, &conf).unwrap(),
        None => set_up.tmux_conf(&conf),
    }
    for number in 0..2 + random.below(4) {
        let directory = set_up.directory(one_of(random, &["one", "two", "with space"]));
        let file = own_file.as_ref().filter(|_| number == 0);
        let pane = make_pane(random, &set_up, number, &directory, file);
        if often(random, 90) {
            agents::start(random, &set_up, &pane, number);
        }
    }
    if often(random, 10) {
        set_up.t("new-session -d -x 150 -y 50 -s group -t =s0");
    }
    let mut excluded = Vec::new();
    if often(random, 10) {
        let names = set_up.t("list-sessions -F #{session_name}").out();
        let name = names.lines().rfind(|name| !["s0", "group"].contains(name)).map(str::to_owned);
        if let Some(name) = name {
            set_up.t(&format!("set-option -t ={name}: @persist off"));
            excluded.push(name);
        }
    }
    if often(random, 40) {
        shape::change(random, &set_up, excluded.is_empty());
    }
    if let Some(later) = later {
        match &own_file {
            Some(file) => std::fs::write(file, later).unwrap(),
            None => set_up.tmux_conf(later),
        }
    }
    Drawn {
        _no_other_saves: no_other_saves,
        set_up,
        excluded,
        configuration: later.map_or(conf, str::to_owned),
    }
}

/// One of those that stand for published configurations.
fn published(random: &mut Random, set_up: &SetUp) -> String {
    tmux_conf::install_plugin_manager(set_up);
    let files = tmux_conf::configurations();
    std::fs::read_to_string(&files[random.below(files.len())]).unwrap()
}

pub(super) fn story(random: &mut Random, drawn: &Drawn) -> Story {
    let set_up = &drawn.set_up;
    let crash = one_of(random, &[Crash::Everything, Crash::Server, Crash::Agents]);
    let late_prompts = if often(random, 25) { 50 } else { 0 };
    let leaves =
        often(random, 40).then(|| one_of(random, &[Leaves::BeforeSave, Leaves::AfterSave]));
    // What the configuration makes for a restore that is killed is other work for the next one.
    let makes_sessions = drawn.configuration.contains("new-session -d -s s0");
    let killed_after = often(random, 15).then(|| u64::try_from(random.below(400)).unwrap());
    let names = set_up.t("list-sessions -F #{session_name}").out();
    let name = names.lines().rfind(|name| *name != "s0" && *name != "group");
    let killed_after = killed_after.filter(|_| !makes_sessions);
    let may_be_renamed = |name: &str| {
        names.lines().all(|other| other != "renamed") && drawn.excluded.iter().all(|no| no != name)
    };
    let renamed = name.filter(|_| often(random, 10)).filter(|name| may_be_renamed(name));
    let renamed = renamed.map(str::to_owned);
    let gone = set_up.sandbox.work().join(one_of(random, &["two", "with space"]));
    let gone = Some(gone.to_str().unwrap().to_owned());
    let gone = gone.filter(|_| often(random, 12) && crash != Crash::Agents);
    Story { crash: Some(crash), late_prompts, leaves, renamed, gone, killed_after }
}

/// A new pane with a shell; gives its id.
fn make_pane(
    random: &mut Random,
    set_up: &SetUp,
    number: usize,
    directory: &str,
    configuration: Option<&std::path::PathBuf>,
) -> String {
    let name = format!("s{number}");
    // Sessions of one size: a layout says where the panes are.
    let of_new = ["new-session", "-d", "-x", "150", "-y", "50", "-s", &name];
    let new: &[&str] = match random.below(if number == 0 { 1 } else { 3 }) {
        0 => &of_new,
        1 => &["new-window", "-t", "s0:"],
        _ => &["split-window", "-t", "s0:"],
    };
    let shown = ["-P", "-F", "#{pane_id}", "-c", directory];
    let file = configuration.map(|file| ["-f", file.to_str().unwrap()]);
    let words = file.iter().flatten().chain(new).chain(&shown);
    let pane = set_up.tmux(words).out().trim().to_owned();
    wait_until("the shell is there", || {
        !set_up.t(&format!("capture-pane -p -t {pane}")).out().trim().is_empty()
    });
    pane
}
