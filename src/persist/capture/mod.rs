//! Captures a user's live sessions: one exchange with tmux, one pass over the panes' processes.

mod agent_start;
pub mod agents;
pub(crate) mod doing;
pub mod foreground_program;
pub mod left_behind;
pub(crate) mod session_origin;
pub mod shared_windows;

use super::context::Context;
use crate::agent::{AgentEnvironment, Backgrounded, ConversationId, Home, Sighting, Status};
use crate::process::{Proc, Process};
use crate::snapshot::{PaneFlags, Row, Snapshot, State, WindowFlags};
use crate::sys::clock::Epoch;
use crate::text::escape;
use crate::tmux::layout::Layout;
use crate::tmux::user_options::{GroupAnswers, Groups};
use crate::tmux::{HookState, configuration, user_options};
use crate::tmux::{Listing, Pane, TmuxError};
use foreground_program::Program;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Instant;

/// Prefix of the names of our own sessions, which exist only while a restore runs.
pub const BUILDER_PREFIX: &str = "tmux-persist-builder-";

/// The value of a session's `@persist` that excludes it.
pub(crate) const MARKED_OFF: &[u8] = b"off";

/// The value of `@persist` that exempts agents from being suspended when they are idle.
const MARKED_KEEP: &[u8] = b"keep";

/// Session, window index and pane index.
pub type Place = (Vec<u8>, u32, u32);

/// The live sessions of a user.
#[derive(Debug, Default)]
pub struct Capture {
    pub snapshot: Snapshot,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// Panes of our own sessions: a restore is running, or one was interrupted.
    pub unfinished: Vec<Pane>,
    /// Agents beside the one that speaks for their pane, each as a row of that pane.
    pub beside: Vec<Row>,
    /// Conversations in the background; a save finds them.
    pub background: Vec<Backgrounded>,
    /// The processes of all agents in panes.
    pub agents: BTreeSet<i32>,
    /// By conversation, in small letters, the start of its process, in clock ticks since boot.
    pub started: BTreeMap<Vec<u8>, u64>,
    /// By conversation, in small letters, what its agent does, if that is known.
    pub statuses: BTreeMap<Vec<u8>, Status>,
    /// The processes of agents that run; in the other panes our launcher waits for Enter.
    pub running: Vec<i32>,
    /// By pane id, the process of its agent, with its start: none that is a launcher which waits for Enter.
    pub agent_of_pane: BTreeMap<u32, (i32, u64)>,
    /// By conversation, in small letters, the id of the pane in which a restore resumed it. Another program may run
    /// there now.
    pub restored: BTreeMap<Vec<u8>, u32>,
    /// By session, tmux's id of it.
    pub session_ids: BTreeMap<Vec<u8>, u32>,
    /// By session that a restore made, what it was made of.
    pub origins: BTreeMap<Vec<u8>, Vec<u8>>,
    /// By place, each pane that a restore could not start in its directory and that is still where it was
    /// started instead: its id, and that directory.
    pub homeless: BTreeMap<Place, (u32, Vec<u8>)>,
    /// Sessions that their user marked as not to be saved.
    pub marked_off: BTreeSet<Vec<u8>>,
    /// By pane id, the first process of each pane whose program runs.
    pub pids: BTreeMap<u32, i32>,
    /// By pane id, the agent that speaks for the pane.
    pub sightings: BTreeMap<u32, Sighting>,
    /// The panes that their user marked with `@persist keep`: their agents are not suspended by themselves.
    pub marked_keep: BTreeSet<u32>,
    /// The panes that show the alternate screen.
    pub alternate: BTreeSet<u32>,
    /// By pane id, its title as it is now.
    pub titles: BTreeMap<u32, Vec<u8>>,
    /// By place, when the pane's window last printed or its session was last used, and the values of
    /// `option_names` in effect.
    pub in_effect: BTreeMap<Place, (Epoch, Vec<Vec<u8>>)>,
    /// The names of options that users set, by the newest snapshot.
    pub option_names: Vec<String>,
    /// Which of our hooks the server has.
    pub hooks: HookState,
    /// The options that users set on what was asked for in passing.
    pub group_answers: Option<GroupAnswers>,
}

/// Captures the live sessions; `None` without a tmux server. If two panes claim a conversation with
/// equal evidence, the claim in `previous` decides.
pub fn capture(
    context: &Context,
    previous: Option<&Snapshot>,
    home: &Home,
    proc: &Proc,
) -> Result<Option<Capture>, TmuxError> {
    capture_with_options(context, previous, Groups::default(), home, proc)
}

/// As [`capture`]; asks in passing for the options that users set on what is in groups.
pub(crate) fn capture_with_options(
    context: &Context,
    previous: Option<&Snapshot>,
    option_groups: Groups,
    home: &Home,
    proc: &Proc,
) -> Result<Option<Capture>, TmuxError> {
    let begin = Instant::now();
    let (mut wanted, hooks) = (context.keep.wanted(), context.hooks.as_ref());
    wanted.option_groups = option_groups;
    wanted.option_patterns.clone_from(&context.keep.user_options);
    if let Some(previous) = previous {
        let fields = previous.rows.iter().filter_map(|row| row.user_options.as_deref());
        wanted.user_options = user_options::names(fields, &context.keep.user_options);
    }
    let listing = context.server.list_and_compare(&wanted, hooks)?;
    let Some(mut listing) = listing else { return Ok(None) };
    tracing::debug!(panes = listing.panes.len(), took = ?begin.elapsed(), "tmux listed its panes");
    let begin = Instant::now();
    let proc = &proc.for_one_pass();
    let mut notes = Vec::new();
    let is_ours = |pane: &mut Pane| is_builders(&pane.session);
    let unfinished = listing.panes.extract_if(.., is_ours).collect();
    listing.panes.sort_by(|a, b| order(a).cmp(&order(b)));
    let agents = agents::sight_all(&listing, previous, home, proc, &mut notes);
    let sightings = agents.panes;
    let rows = Rows {
        context,
        proc,
        listing: &listing,
        sightings: &sightings,
        layouts: layouts(&listing, &mut notes),
        owners: shared_windows::owners(&listing),
    };
    let rows = (0..listing.panes.len()).map(|at| rows.row(at)).collect();
    notes.extend(home.take_notes());
    tracing::debug!(agents = sightings.len(), took = ?begin.elapsed(), "processes inspected");
    let server = format!("{}-{}", listing.server_pid, listing.server_start);
    let config_files = config_files(listing.server_pid, proc);
    let mut capture = Capture {
        snapshot: Snapshot { host: host_name(), boot: boot_id(), server, config_files, rows },
        notes,
        unfinished,
        hooks: listing.hooks,
        group_answers: listing.group_answers.take(),
        beside: agents.beside,
        agents: agents.beside_pids.iter().copied().collect(),
        running: agents.beside_pids,
        option_names: wanted.user_options,
        ..Capture::default()
    };
    for (pane, sighting) in &sightings {
        capture.agents.insert(sighting.pid);
        if !sighting.waits {
            capture.running.push(sighting.pid);
            capture.agent_of_pane.insert(*pane, (sighting.pid, sighting.start));
        }
        if let Some((id, _)) = &sighting.conversation {
            capture.started.insert(id.key().into(), sighting.start);
            let status = sighting.status.clone().filter(|_| !sighting.waits);
            capture.statuses.extend(status.map(|status| (id.key().into(), status)));
        }
    }
    for pane in listing.panes {
        let place = (pane.session.clone(), pane.window_index, pane.index);
        capture.in_effect.insert(place, (pane.activity, pane.user_options));
        if !pane.directory.is_empty() {
            let place = (pane.session.clone(), pane.window_index, pane.index);
            let row = capture.snapshot.rows.iter().find(|row| row.pane_id == Some(pane.id));
            if row.is_some_and(|row| row.cwd == pane.directory) {
                capture.homeless.insert(place, (pane.id, pane.directory));
            }
        }
        if !capture.session_ids.contains_key(&pane.session) {
            capture.session_ids.insert(pane.session.clone(), pane.session_id);
        }
        if !pane.origin.is_empty() {
            capture.origins.insert(pane.session.clone(), pane.origin);
        }
        if pane.mark == MARKED_KEEP {
            capture.marked_keep.insert(pane.id);
        }
        if pane.mark == MARKED_OFF {
            capture.marked_off.insert(pane.session);
        }
        if pane.alternate {
            capture.alternate.insert(pane.id);
        }
        if !pane.dead {
            capture.pids.insert(pane.id, pane.pid);
        }
        if let Some(id) = ConversationId::parse(&pane.restored) {
            capture.restored.insert(id.key().into(), pane.id);
        }
        capture.titles.insert(pane.id, pane.title);
    }
    capture.sightings = sightings;
    Ok(Some(capture))
}

/// What the rows are made from.
struct Rows<'a> {
    context: &'a Context,
    proc: &'a Proc,
    listing: &'a Listing,
    /// By pane id.
    sightings: &'a BTreeMap<u32, Sighting>,
    /// By window id.
    layouts: HashMap<u32, Vec<u8>>,
    /// By pane id, the index of the listed pane that is recorded in full.
    owners: HashMap<u32, usize>,
}

impl Rows<'_> {
    /// The row of the listed pane at an index.
    fn row(&self, at: usize) -> Row {
        let pane = &self.listing.panes[at];
        let owner = self.owners.get(&pane.id).copied().unwrap_or(at);
        let is_owner = owner == at;
        let sighting = self.sightings.get(&pane.id).filter(|_| is_owner);
        let may_have_program = !self.sightings.contains_key(&pane.id) && !pane.dead;
        let program = may_have_program
            .then(|| foreground_program::find(pane.pid, &self.context.keep, self.proc))
            .flatten();
        let (cwd, first) = self.cwd(pane, sighting, program.as_ref());
        let argv = sighting.map(|s| s.argv.clone()).or_else(|| first.map(|process| process.argv));
        let linked = shared_windows::linked(pane, &self.listing.panes[owner]);
        let program = program.filter(|_| is_owner);
        let mut row = build_row(pane, sighting, cwd, argv, &self.layouts, &self.listing.host);
        if let Some(sighting) = sighting {
            let (shell, keep) = (&self.context.account.shell, &self.context.keep);
            agent_start::enter(&mut row, sighting, shell, keep);
        }
        if let Some(program) = &program {
            let recorded = AgentEnvironment::of(&program.environ, &self.context.account.home);
            row.agent_environment =
                agent_start::environment(&recorded, &program.environ, &self.context.keep);
        }
        let program = program.map(|Program { argv, .. }| foreground_program::join(&argv));
        Row { linked, program, ..row }
    }

    /// The directory of a pane: that of its agent or program, of the foreground process, of the
    /// first process, the one that it was created in, or the home. Also returns the first process,
    /// if it had to be read.
    fn cwd(
        &self,
        pane: &Pane,
        sighting: Option<&Sighting>,
        program: Option<&Program>,
    ) -> (OsString, Option<Process>) {
        let seen = sighting.and_then(|sighting| sighting.cwd.clone());
        let seen = seen.or_else(|| program?.cwd.clone());
        let first =
            (seen.is_none() && !pane.dead).then(|| self.proc.process(pane.pid, 0)).flatten();
        let cwd = seen.or_else(|| {
            let first = first.as_ref()?;
            let foreground = Some(first.stat.foreground).filter(|pid| *pid != first.pid);
            foreground.and_then(|pid| self.proc.cwd(pid)).or_else(|| first.cwd())
        });
        let start_path = &pane.start_path;
        let created_in = (!start_path.is_empty()).then(|| OsString::from_vec(start_path.clone()));
        let cwd = cwd.or(created_in);
        // Where it waits for its own directory, it is as if it were there.
        let home = self.context.account.home.as_os_str();
        let waits = sighting.is_none() && !pane.directory.is_empty();
        let cwd = match cwd {
            Some(cwd) if waits && cwd == home => Some(OsString::from_vec(pane.directory.clone())),
            cwd => cwd,
        };
        (cwd.unwrap_or_else(|| self.context.account.home.clone().into_os_string()), first)
    }
}

/// Whether a session is our own, by its name: the prefix, 32 hexadecimal digits, and perhaps `-` and
/// a number. A session of the user whose name merely begins alike is the user's.
fn is_builders(session: &[u8]) -> bool {
    let Some(rest) = session.strip_prefix(BUILDER_PREFIX.as_bytes()) else { return false };
    let (random, number) = rest.split_at(rest.len().min(32));
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    random.len() == 32
        && random.iter().all(u8::is_ascii_hexdigit)
        && digits.iter().all(u8::is_ascii_digit)
}

fn order(pane: &Pane) -> (&[u8], u32, u32) {
    (&pane.session, pane.window_index, pane.index)
}

/// By window id, the layout with its leaves numbered by pane index: tmux numbers them by pane id,
/// which differs on every server.
fn layouts(listing: &Listing, notes: &mut Vec<String>) -> HashMap<u32, Vec<u8>> {
    let indexes: HashMap<u32, u32> =
        listing.panes.iter().map(|pane| (pane.id, pane.index)).collect();
    let mut layouts = HashMap::new();
    for pane in &listing.panes {
        layouts.entry(pane.window_id).or_insert_with(|| match Layout::parse(&pane.layout) {
            Ok(layout) => {
                let renumbered = layout.renumbered(&|id| indexes.get(&id?).copied());
                renumbered.to_string().into_bytes()
            }
            Err(error) => {
                let session = escape(&pane.session);
                notes.push(format!(
                    "{session}:{}: {error}; its panes will be tiled",
                    pane.window_index
                ));
                Vec::new()
            }
        });
    }
    layouts
}

fn build_row(
    pane: &Pane,
    sighting: Option<&Sighting>,
    cwd: OsString,
    argv: Option<Vec<Vec<u8>>>,
    layouts: &HashMap<u32, Vec<u8>>,
    host: &str,
) -> Row {
    let conversation = sighting.and_then(|sighting| sighting.conversation.as_ref());
    // Agents change their titles many times a minute; tmux's default title is the host's name.
    let own_title = sighting.is_some() || pane.title == host.as_bytes();
    let argv = argv.filter(|argv| !argv.is_empty());
    let command = argv.map(|argv| match sighting {
        Some(_) => foreground_program::join(&argv),
        None => foreground_program::join(&foreground_program::without_values(argv)),
    });
    let variable =
        |(name, value): &(String, Vec<u8>)| [name.as_bytes(), b"=", value, b"\0"].concat();
    let environment: Vec<u8> = pane.environment.iter().flat_map(variable).collect();
    Row {
        session: pane.session.clone(),
        cwd: cwd.into_vec(),
        conversation: conversation.map(|(id, _)| id.as_str().into()),
        agent: sighting.map(|sighting| sighting.agent.into()),
        state: match sighting {
            Some(sighting) if sighting.waits => State::Suspended,
            Some(_) => State::Live,
            None => State::Shell,
        },
        window: pane.window_index,
        window_name: (!pane.automatic_rename).then(|| pane.window_name.clone()),
        window_layout: layouts.get(&pane.window_id).cloned().unwrap_or_default(),
        window_flags: WindowFlags {
            active: pane.window_active,
            last: pane.window_last,
            zoomed: pane.zoomed,
            automatic_rename: pane.automatic_rename,
        },
        pane: pane.index,
        pane_flags: PaneFlags {
            active: pane.active,
            last: pane.last,
            dead: pane.dead,
            shell: false,
        },
        title: (!own_title).then(|| pane.title.clone()),
        command,
        evidence: conversation.map(|(_, rank)| rank.word().into()),
        prompted: sighting.and_then(|sighting| sighting.prompted),
        group: Some(pane.group.clone()).filter(|group| !group.is_empty()),
        pane_id: Some(pane.id),
        last_seen: None,
        lost_since: None,
        linked: None,
        stack: pane.stack,
        options: Some(pane.options.clone().into_bytes()).filter(|options| !options.is_empty()),
        environment: Some(environment).filter(|environment| !environment.is_empty()),
        program: None,
        agent_environment: None,
        parent: sighting.and_then(|s| s.parent.as_ref()).map(|id| id.as_str().into()),
        agent_version: sighting.and_then(|s| s.version.as_deref()).map(Into::into),
        origin: None,
        session_path: Some(pane.session_path.clone()).filter(|path| !path.is_empty()),
        user_options: None,
        agent_program: None,
        plain_window_name: pane.plain_window_name && !pane.automatic_rename,
    }
}

/// The files that the server was started with by `-f`, by its own arguments: which files it has read
/// says nothing of that. `/dev/null`, which stands for none, is left out.
fn config_files(server: i32, proc: &Proc) -> Vec<Vec<u8>> {
    let Some(process) = proc.process(server, 0).filter(Process::is_own) else { return Vec::new() };
    let mut files = configuration::named_in(&process.argv);
    files.retain(|file| *file != b"/dev/null");
    if files.is_empty() {
        return Vec::new();
    }
    let cwd = process.cwd().map(PathBuf::from).unwrap_or_default();
    let absolute = |file: &[u8]| cwd.join(OsStr::from_bytes(file)).into_os_string().into_vec();
    files.into_iter().map(absolute).collect()
}

/// The name of this host; empty if unknown.
pub fn host_name() -> String {
    nix::unistd::gethostname()
        .map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned())
}

/// The kernel's id of this boot; empty if it cannot be read.
pub(crate) fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    text.map_or_else(|_| String::new(), |text| text.trim().to_owned())
}
