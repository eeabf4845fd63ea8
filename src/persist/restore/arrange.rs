//! Arranging planned panes into sessions and windows, in the order in which tmux must make them
//! (pure).

use super::step::{Action, Step};
use crate::tmux::layout::Layout;
use crate::tmux::options::{self, Kept, Scope};
use std::collections::BTreeMap;

/// The size of a window whose layout is unknown.
const DEFAULT_SIZE: (u32, u32) = (80, 24);

/// The option that has to be set before a pane is made: its history is as long from the start.
pub(crate) const HISTORY_LIMIT: &str = "history-limit";

/// Panes by window index, each with its place among the steps.
type Windows<'a> = BTreeMap<u32, Vec<(usize, &'a Step)>>;

/// A session on its way into the server.
pub(crate) struct Session<'a> {
    pub(crate) windows: Vec<Window<'a>>,
    /// Its id, once it is there.
    pub(crate) id: Option<u32>,
    /// Where tmux put its first window.
    pub(crate) base_index: Option<u32>,
    /// Whether it is made with a window that only holds its place: its own first window is a link,
    /// or needs an option that a session has to have before.
    pub(crate) has_placeholder: bool,
    /// That window, once it is there.
    pub(crate) placeholder: Option<u32>,
    /// The session whose group it joins instead of getting windows of its own.
    pub(crate) joins: Option<usize>,
}

/// A window on its way; panes in the order in which the layout hands out its places.
pub(crate) struct Window<'a> {
    pub(crate) index: u32,
    pub(crate) panes: Vec<(usize, &'a Step)>,
    pub(crate) layout: Option<Layout>,
    /// The window of a session that it is a link to.
    pub(crate) link: Option<(usize, usize)>,
    pub(crate) size: (u32, u32),
    pub(crate) id: Option<u32>,
    /// Pane ids, in the order of `panes`, once they are there.
    pub(crate) pane_ids: Vec<Option<u32>>,
}

/// Groups the steps that make sessions into these and their windows; steps come ordered by
/// session, window, pane.
pub(crate) fn arrange(steps: &[Step]) -> Vec<Session<'_>> {
    let mut by_session: BTreeMap<&[u8], Windows<'_>> = BTreeMap::new();
    let in_place = |step: &Step| matches!(step.action, Action::InPlace { .. });
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| !in_place(step)) {
        let windows = by_session.entry(&step.target).or_default();
        windows.entry(step.row.window).or_default().push((at, step));
    }
    let mut sessions: Vec<Session<'_>> = by_session.into_values().map(session).collect();
    let mut leaders: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (at, session) in sessions.iter().enumerate() {
        let Some(group) = session.windows[0].first().row.group.as_deref() else { continue };
        let leads = session.windows[0].first().target == group;
        let leader = leaders.entry(group).or_insert(at);
        if leads {
            *leader = at;
        }
    }
    let leader_of = |session: &Session<'_>| {
        let group = session.windows[0].first().row.group.as_deref()?;
        leaders.get(group).copied()
    };
    for (at, session) in sessions.iter_mut().enumerate() {
        session.joins = leader_of(session).filter(|&leader| leader != at);
    }
    link_windows(&mut sessions);
    for session in &mut sessions {
        session.has_placeholder = session.joins.is_none() && needs_placeholder(session);
    }
    sessions
}

/// Finds the window that each linked one leads to. Where that is not made, the first link to it
/// becomes the window and the others lead there.
fn link_windows(sessions: &mut [Session<'_>]) {
    type Places<'a> = BTreeMap<(&'a [u8], u32), (usize, usize)>;
    let mut places = Places::new();
    let mut links = Vec::new();
    for (at, session) in sessions.iter().enumerate() {
        // The windows of a session that joins another are those of that one.
        let maker = session.joins.unwrap_or(at);
        for window in &session.windows {
            let row = &window.first().row;
            let made = sessions[maker].windows.iter().position(|made| made.index == window.index);
            match &row.linked {
                None => {
                    let made =
                        made.filter(|&n| sessions[maker].windows[n].first().row.linked.is_none());
                    places.extend(made.map(|n| ((row.session.as_slice(), row.window), (maker, n))));
                }
                Some((name, index)) if session.joins.is_none() => {
                    links.extend(made.map(|n| ((name.as_slice(), *index), (at, n))));
                }
                Some(_) => {}
            }
        }
    }
    for (key, (at, number)) in links {
        let target = *places.entry(key).or_insert((at, number));
        sessions[at].windows[number].link = Some(target).filter(|&target| target != (at, number));
    }
}

fn needs_placeholder(session: &Session<'_>) -> bool {
    let first = &session.windows[0];
    let visited = |window: &Window<'_>| {
        window.first().row.stack > 0 || window.first().row.window_flags.active
    };
    let knows_stack = session.windows.iter().any(|window| window.first().row.stack > 0);
    first.link.is_some() || knows_stack && !visited(first) || history_limit(session).is_some()
}

fn session(windows: Windows<'_>) -> Session<'_> {
    let windows = windows.into_iter().map(|(index, panes)| window(index, panes)).collect();
    Session {
        windows,
        id: None,
        base_index: None,
        has_placeholder: false,
        placeholder: None,
        joins: None,
    }
}

/// A window with its panes in layout order. A layout that is not sound, or that has not a place
/// for each pane, is not used: the panes stay tiled.
fn window(index: u32, panes: Vec<(usize, &Step)>) -> Window<'_> {
    let text = std::str::from_utf8(&panes[0].1.row.window_layout).ok();
    let layout = text.and_then(|text| Layout::parse(text).ok());
    let size = layout.as_ref().map_or(DEFAULT_SIZE, Layout::size);
    let layout = layout.filter(|layout| layout.leaves().len() == panes.len());
    let panes = match &layout {
        Some(layout) => in_layout_order(layout, panes),
        None => panes,
    };
    let pane_ids = vec![None; panes.len()];
    Window { index, panes, layout, link: None, size, id: None, pane_ids }
}

/// Leaves are numbered by pane index; where every pane has its leaf, the leaves give the order.
fn in_layout_order<'a>(layout: &Layout, panes: Vec<(usize, &'a Step)>) -> Vec<(usize, &'a Step)> {
    let place = |leaf: Option<u32>| panes.iter().position(|(_, step)| Some(step.row.pane) == leaf);
    let places: Option<Vec<usize>> = layout.leaves().into_iter().map(place).collect();
    match places {
        Some(mut order) => {
            let ordered = order.iter().map(|&place| panes[place]).collect();
            order.sort_unstable();
            order.dedup();
            if order.len() == panes.len() { ordered } else { panes }
        }
        None => panes,
    }
}

impl<'a> Window<'a> {
    /// Notes that it is there, with its first pane.
    pub(crate) fn made(&mut self, id: u32, first: u32) {
        self.id = Some(id);
        self.pane_ids[0] = Some(first);
    }

    /// The step of its first pane; every window has one.
    pub(crate) fn first(&self) -> &'a Step {
        self.panes[0].1
    }

    /// The name to give it; none when tmux is to name it by itself.
    pub(crate) fn name(&self) -> Option<&'a [u8]> {
        self.first().row.window_name.as_deref()
    }
}

/// How long the history of a session's panes is, where it has a length of its own.
pub(crate) fn history_limit(session: &Session<'_>) -> Option<String> {
    let mut own = session_values(session).into_iter();
    own.find(|(kept, _)| kept.name == HISTORY_LIMIT).map(|(_, value)| value.to_owned())
}

/// The session's options that a snapshot keeps, with their values.
pub(crate) fn session_values<'a>(session: &Session<'a>) -> Vec<(&'static Kept, &'a str)> {
    let text = session.windows[0].first().row.options.as_deref().unwrap_or_default();
    options::parse(text).into_iter().filter(|(kept, _)| kept.scope == Scope::Session).collect()
}
