//! Looking at a user's live sessions: one question to tmux, one pass over the panes' processes.

pub mod extras;
pub mod foreground_program;
pub mod shared_windows;

use super::context::Context;
use crate::agent::{self, ConversationId, Home, PaneSighting, Sighting, Stamp};
use crate::process::Proc;
use crate::snapshot::{PaneFlags, Row, Snapshot, State, WindowFlags};
use crate::text::escape;
use crate::tmux::hooks::Found;
use crate::tmux::layout::Layout;
use crate::tmux::{Listing, Pane, TmuxError};
use foreground_program::Program;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Sessions of ours that exist only while a restore runs.
pub const BUILDER_PREFIX: &str = "tmux-persist-builder-";

/// The live sessions of a user, with what is to be said of them.
#[derive(Debug, Default)]
pub struct Capture {
    /// The record.
    pub snapshot: Snapshot,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Panes of ours: a restore is at work, or one died.
    pub unfinished: Vec<Pane>,
    /// The processes of the agents that were seen.
    pub agents: BTreeSet<i32>,
    /// When the process that runs a conversation started, in clock ticks since boot.
    pub started: BTreeMap<Vec<u8>, u64>,
    /// Of these, those that run: our launcher may wait in place of one.
    pub running: Vec<i32>,
    /// The panes that a restore resumed conversations in, by id, whatever runs there now.
    pub restored: BTreeMap<Vec<u8>, u32>,
    /// The first process of each pane whose program runs, by pane id.
    pub pids: BTreeMap<u32, i32>,
    /// The panes whose programs show the alternate screen.
    pub alternate: BTreeSet<u32>,
    /// What the server has of our hooks.
    pub hooks: Found,
}

/// Captures the live sessions; `None` without a tmux server. `previous` decides between equal
/// claims to a conversation.
pub fn capture(
    context: &Context,
    previous: Option<&Snapshot>,
    home: &Home,
    proc: &Proc,
) -> Result<Option<Capture>, TmuxError> {
    let (wanted, hooks) = (context.keep.wanted(), context.hooks.as_ref());
    let listing = context.server.list_and_compare(&wanted, hooks)?;
    let Some(mut listing) = listing else { return Ok(None) };
    let mut notes = Vec::new();
    let is_ours = |pane: &mut Pane| is_builders(&pane.session);
    let unfinished = listing.panes.extract_if(.., is_ours).collect();
    listing.panes.sort_by(|a, b| order(a).cmp(&order(b)));
    let sightings = sight_all(&listing, previous, home, proc, &mut notes);
    let layouts = layouts(&listing, &mut notes);
    let owners = shared_windows::owners(&listing);
    let row = |(at, pane): (usize, &Pane)| {
        // A pane shown by several sessions is saved whole in one of them.
        let speaker = owners.get(&pane.id).copied().unwrap_or(at);
        let owned = speaker == at;
        let sighting = sightings.get(&pane.id).filter(|_| owned);
        let looks = !sightings.contains_key(&pane.id) && !pane.dead;
        let program =
            looks.then(|| foreground_program::find(pane.pid, &context.keep, proc)).flatten();
        let seen = sighting.and_then(|sighting| sighting.cwd.clone());
        let seen = seen.or_else(|| program.as_ref()?.cwd.clone());
        let first = (seen.is_none() && !pane.dead).then(|| proc.process(pane.pid, 0)).flatten();
        let cwd = seen.or_else(|| {
            let first = first.as_ref()?;
            let foreground = Some(first.stat.foreground).filter(|pid| *pid != first.pid);
            foreground.and_then(|pid| proc.cwd(pid)).or_else(|| first.cwd())
        });
        let started =
            (!pane.start_path.is_empty()).then(|| OsString::from_vec(pane.start_path.clone()));
        let cwd = cwd.or(started);
        let cwd = cwd.unwrap_or_else(|| context.account.home.clone().into_os_string());
        let argv = sighting.map(|s| s.argv.clone()).or_else(|| first.map(|process| process.argv));
        let linked = shared_windows::linked(pane, &listing.panes[speaker]);
        let program =
            program.filter(|_| owned).map(|Program { argv, .. }| foreground_program::join(&argv));
        let row = build_row(pane, sighting, cwd, argv, &layouts, &listing.host);
        Row { linked, program, ..row }
    };
    let rows = listing.panes.iter().enumerate().map(row).collect();
    let agents = sightings.values().map(|sighting| sighting.pid).collect();
    let start = |sighting: &Sighting| {
        let (id, _) = sighting.conversation.as_ref()?;
        Some((id.as_str().as_bytes().to_vec(), sighting.start))
    };
    let started = sightings.values().filter_map(start).collect();
    let running = sightings.values().filter(|sighting| !sighting.waits).map(|s| s.pid).collect();
    notes.extend(home.take_notes());
    let server = format!("{}-{}", listing.server_pid, listing.server_start);
    let snapshot = Snapshot { host: host_name(), boot: boot_id(), server, rows };
    let mut restored = BTreeMap::new();
    let mut pids = BTreeMap::new();
    let mut alternate = BTreeSet::new();
    for pane in listing.panes {
        if pane.alternate {
            alternate.insert(pane.id);
        }
        if !pane.dead {
            pids.insert(pane.id, pane.pid);
        }
        if let Some(id) = ConversationId::parse(&pane.restored) {
            restored.insert(id.as_str().into(), pane.id);
        }
    }
    let hooks = listing.hooks;
    Ok(Some(Capture {
        snapshot,
        notes,
        unfinished,
        agents,
        started,
        running,
        restored,
        pids,
        alternate,
        hooks,
    }))
}

/// Whether a session is one of ours: the prefix, 128 random bits, and a number for one that is
/// being built. A user's session that only begins alike is a user's session.
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

/// Sees the agent in each pane and leaves each conversation with one owner.
fn sight_all(
    listing: &Listing,
    previous: Option<&Snapshot>,
    home: &Home,
    proc: &Proc,
    notes: &mut Vec<String>,
) -> BTreeMap<u32, Sighting> {
    let before: HashMap<_, _> = previous.map_or_else(HashMap::new, |snapshot| {
        snapshot
            .rows
            .iter()
            .map(|row| ((row.session.as_slice(), row.window, row.pane), row))
            .collect()
    });
    let mut ids = Vec::new();
    let mut panes: Vec<PaneSighting> = Vec::new();
    for pane in listing.panes.iter().filter(|pane| !pane.dead) {
        if ids.contains(&pane.id) {
            continue;
        }
        let stamp = Stamp::parse(&pane.stamp);
        let Some(sighting) = agent::sight(pane.pid, stamp.as_ref(), home, proc) else { continue };
        let place = format!("{}:{}.{}", escape(&pane.session), pane.window_index, pane.index);
        let previous = before.get(&order(pane)).and_then(|row| row.conversation.as_deref());
        ids.push(pane.id);
        let previous = previous.and_then(ConversationId::parse);
        panes.push(PaneSighting { place, previous, sighting });
    }
    notes.extend(agent::resolve(&mut panes));
    ids.into_iter().zip(panes.into_iter().map(|pane| pane.sighting)).collect()
}

/// Each window's layout with its leaves numbered by pane index: tmux numbers them by pane id,
/// which changes with every server.
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
                notes.push(format!("{session}:{}: {error}; it will be tiled", pane.window_index));
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
    // An agent sets its own title, many times a minute; tmux's own first title is the host's name.
    let own_title = sighting.is_some() || pane.title == host.as_bytes();
    let command = argv.filter(|argv| !argv.is_empty()).map(|argv| foreground_program::join(&argv));
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
        pane_flags: PaneFlags { active: pane.active, last: pane.last, dead: pane.dead },
        title: (!own_title).then(|| pane.title.clone()),
        command,
        evidence: conversation.map(|(_, rank)| rank.word().into()),
        prompted: conversation.and_then(|_| sighting?.prompted),
        group: Some(pane.group.clone()).filter(|group| !group.is_empty()),
        pane_id: Some(pane.id),
        last_seen: None,
        lost_since: None,
        linked: None,
        stack: pane.stack,
        options: Some(pane.options.clone().into_bytes()).filter(|options| !options.is_empty()),
        environment: Some(environment).filter(|environment| !environment.is_empty()),
        program: None,
    }
}

fn host_name() -> String {
    nix::unistd::gethostname()
        .map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned())
}

fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    text.map_or_else(|_| String::new(), |text| text.trim().to_owned())
}
