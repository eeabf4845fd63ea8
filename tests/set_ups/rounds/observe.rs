//! What runs in a set-up, as far as it must be the same after a restore.

use super::agents::MORE_VARIABLES;
use crate::support::sandbox::ended;
use crate::support::set_up::{SetUp, Started};
use std::collections::BTreeMap;

/// What must be the same afterwards of one agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Running {
    pub(super) agent: &'static str,
    /// `new` of one that cannot be started under an id and was never prompted; `none` of a view.
    pub(super) conversation: String,
    pub(super) cwd: String,
    /// The variables of its environment that must come back.
    variables: Vec<String>,
    flags: Vec<String>,
    /// `session:window.pane`; not looked at where agents may come back beside their pane.
    pub(super) place: Option<String>,
    /// The session that it runs in.
    pub(super) session: Option<String>,
    /// The tmux pane, as `%3`; not compared.
    pub(super) pane: String,
    /// Not compared.
    pub(super) pid: i32,
    /// Whether a record of it says which conversation it is on; not compared.
    pub(super) keeps_record: bool,
}

impl Running {
    /// Clears what differs after a restore.
    pub(super) fn forget_process(&mut self) {
        self.pane.clear();
        (self.pid, self.keeps_record) = (0, false);
    }
}

/// What runs now, but in the sessions that are `excluded`.
pub(super) fn running(set_up: &SetUp, with_place: bool, excluded: &[String]) -> Vec<Running> {
    let places: BTreeMap<String, String> = set_up
        .panes("#{pane_id} #{session_name}:#{window_index}.#{pane_index}")
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(id, place)| (id.to_owned(), place.to_owned()))
        .collect();
    let conversations = set_up.conversations();
    let mut running = Vec::new();
    for started in set_up.started().iter().filter(|started| !ended(started.pid)) {
        let of_it = conversations.iter().rfind(|conversation| conversation.pid == started.pid);
        let Some(on) = of_it else { continue };
        let agent = agent(started);
        let is_codex = agent == "codex";
        let is_view = started.argv.iter().any(|word| word == "agents");
        let is_anonymous = is_codex || started.env.contains_key("STUB_NO_RECORD");
        let conversation = match on {
            _ if is_view => "none".into(),
            on if is_anonymous && !on.prompted => "new".into(),
            on => on.conversation.clone(),
        };
        let place = started.env.get("TMUX_PANE").and_then(|id| places.get(id)).cloned();
        let session = place.as_ref().map(|place| place.split(':').next().unwrap().to_owned());
        if session.as_ref().is_some_and(|name| excluded.contains(name)) {
            continue;
        }
        running.push(Running {
            agent,
            conversation,
            cwd: started.cwd.clone(),
            variables: variables(started, agent),
            flags: flags(&started.argv),
            place: place.filter(|_| with_place),
            session: session.filter(|_| with_place),
            pane: started.env.get("TMUX_PANE").cloned().unwrap_or_default(),
            pid: started.pid,
            keeps_record: started.env.contains_key("STUB_TMUX")
                && !["STUB_NO_RECORD", "STUB_OLD_RECORD"]
                    .iter()
                    .any(|name| started.env.contains_key(*name)),
        });
    }
    running.sort();
    running
}

fn agent(started: &Started) -> &'static str {
    let name = started.argv[0].rsplit('/').next().unwrap();
    let known = ["codex", "copilot", "gemini", "opencode", "pi", "qwen"];
    known.into_iter().find(|known| name.starts_with(known)).unwrap_or("claude")
}

fn variables(started: &Started, agent: &str) -> Vec<String> {
    let of_account = match agent {
        "claude" => "CLAUDE_CONFIG_DIR",
        "codex" => "CODEX_HOME",
        _ => return Vec::new(),
    };
    let kept = MORE_VARIABLES.iter().map(|word| word.split('=').next().unwrap());
    let value = |name: &str| Some(format!("{name}={}", started.env.get(name)?));
    kept.chain([of_account]).filter_map(value).collect()
}

/// The arguments but for those that name a conversation, and what our launcher adds.
fn flags(argv: &[String]) -> Vec<String> {
    let mut words = argv[1..].iter();
    let mut flags = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--session-id" | "--resume" | "--session" | "resume" | "fork" | "--name" | "-C" => {
                words.next();
            }
            "--fork-session" | "--no-daemon" => {}
            word if word.starts_with("--session-id=") => {}
            _ => flags.push(word.clone()),
        }
    }
    flags.sort();
    flags
}

/// As after a restore: an agent that took its first prompt as it was started anew is new.
pub(super) fn as_before(mut after: Vec<Running>, before: &[Running]) -> Vec<Running> {
    for agent in after.iter_mut().filter(|agent| agent.conversation != "none") {
        if !before.iter().any(|known| known.conversation == agent.conversation) {
            agent.conversation = "new".into();
        }
    }
    after.iter_mut().for_each(Running::forget_process);
    after.sort();
    after
}

/// What each pane is beside its place and layout: names only where the user gave one.
const PANE: &str = "#{session_name}:#{window_index}.#{pane_index} #{window_layout} \
    #{window_active}#{pane_active}#{window_zoomed_flag} #{?automatic-rename,,#{window_name}} #{@site}";

/// The panes of the sessions that are saved; layouts without their checksum and the ids of panes.
pub(super) fn panes(set_up: &SetUp, excluded: &[String]) -> Vec<String> {
    let lines = set_up.panes(PANE);
    let strip = |line: &String| {
        let mut fields = line.splitn(3, ' ');
        let [place, layout, rest] = std::array::from_fn(|_| fields.next().unwrap());
        let layout = terminal_lobby::tmux::layout::Layout::parse(layout).unwrap();
        format!("{place} {} {rest}", layout.renumbered(&|_| Some(0)))
    };
    let is_saved = |line: &&String| {
        let session = line.split(':').next().unwrap();
        // A configuration makes one.
        session != "main" && excluded.iter().all(|name| name != session)
    };
    lines.iter().filter(is_saved).map(strip).collect()
}
