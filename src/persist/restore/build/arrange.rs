//! Arranges planned panes into sessions and windows, in the order in which tmux must create them
//! (pure).

use crate::persist::restore::step::Step;
use crate::tmux::Builder;
use crate::tmux::layout::Layout;
use crate::tmux::options::{self, KeptOption, Scope};
use std::collections::BTreeMap;

/// The size of a window with an unknown layout.
const DEFAULT_SIZE: (u32, u32) = (80, 24);

/// An option that has to be set before a pane is created: later, it does not change the pane.
pub(crate) const HISTORY_LIMIT: &str = "history-limit";

/// Panes by window index, each with its index among the steps.
type Windows<'a> = BTreeMap<u32, Vec<(usize, &'a Step)>>;

/// A session that is to be created.
pub(crate) struct Session<'a> {
    pub(crate) windows: Vec<Window<'a>>,
    /// tmux's id, once it exists.
    pub(crate) id: Option<u32>,
    /// The index that tmux gave its first window.
    pub(crate) base_index: Option<u32>,
    /// Whether it is created with a placeholder window, since its own first window is a link, or needs
    /// an option that the session must have before.
    pub(crate) has_placeholder: bool,
    /// tmux's id of the placeholder window, once it exists.
    pub(crate) placeholder: Option<u32>,
    /// The index of the session whose group it joins, instead of getting windows of its own.
    pub(crate) joins: Option<usize>,
}

/// A window that is to be created, with its panes in the order of the layout.
pub(crate) struct Window<'a> {
    pub(crate) index: u32,
    pub(crate) panes: Vec<(usize, &'a Step)>,
    pub(crate) layout: Option<Layout>,
    /// The window that it is a link to: indices of session and window.
    pub(crate) link: Option<(usize, usize)>,
    pub(crate) size: (u32, u32),
    pub(crate) id: Option<u32>,
    /// tmux's ids of the panes, in the order of `panes`, once they exist.
    pub(crate) pane_ids: Vec<Option<u32>>,
}

/// Arranges the steps that create sessions. Steps must be in order of session, window, pane.
pub(crate) fn arrange(steps: &[Step]) -> Vec<Session<'_>> {
    let mut by_session: BTreeMap<&[u8], Windows<'_>> = BTreeMap::new();
    let is_created = |step: &Step| step.action.existing_pane().is_none();
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| is_created(step)) {
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

/// Finds the window that each link leads to. If that window is not created, the first link to it
/// becomes the window, and the others lead there.
fn link_windows(sessions: &mut [Session<'_>]) {
    type Places<'a> = BTreeMap<(&'a [u8], u32), (usize, usize)>;
    let mut places = Places::new();
    let mut links = Vec::new();
    for (at, session) in sessions.iter().enumerate() {
        // A session that joins another one has the windows of that one.
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
    // Where a session is made, it is visited: a window that never was must not be the first.
    let row = &first.first().row;
    let is_visited = row.stack > 0 || row.window_flags.active || row.window_flags.last;
    let is_unvisited = session.windows.len() > 1 && !is_visited;
    first.link.is_some()
        || is_unvisited
        || history_limit(session).is_some()
        || session_path(session).is_some()
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

/// A window with its panes in layout order. A layout that is invalid, or that has not one place for
/// each pane, is not used: the panes stay tiled.
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

/// The leaves of a layout are numbered by pane index. If each pane has its leaf, they give the order.
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
    /// The size that it is created with: if it has several panes, one in which all have room, since a
    /// window may have been made smaller after it was split.
    pub(crate) fn first_size(&self) -> (u32, u32) {
        const ROOM: (u32, u32) = (10, 5);
        let (width, height) = self.size;
        match u32::try_from(self.panes.len()) {
            Ok(1) | Err(_) => self.size,
            Ok(panes) => (width.max(ROOM.0 * panes), height.max(ROOM.1 * panes)),
        }
    }

    /// Enters tmux's ids of it and of its first pane.
    pub(crate) fn made(&mut self, id: u32, first: u32) {
        self.id = Some(id);
        self.pane_ids[0] = Some(first);
    }

    /// The step of its first pane. Every window has one.
    pub(crate) fn first(&self) -> &'a Step {
        self.panes[0].1
    }

    /// Its name, if the server that it was saved from had it as it is, and this one would, too.
    pub(crate) fn plain_name(&self, builder: &Builder) -> Option<&'a [u8]> {
        let is_plain = self.first().row.plain_window_name && builder.has_plain_names();
        self.name().filter(|_| is_plain)
    }

    /// Its name; `None` if tmux names it by itself.
    pub(crate) fn name(&self) -> Option<&'a [u8]> {
        self.first().row.window_name.as_deref()
    }
}

/// The directory of a session, if it can be entered and is not that of its first pane. The session gets
/// it with its placeholder.
pub(crate) fn session_path<'a>(session: &Session<'a>) -> Option<&'a [u8]> {
    let first = session.windows[0].first();
    let path = first.row.session_path.as_deref().filter(|_| first.has_session_path);
    path.filter(|path| *path != first.row.cwd || !first.has_directory)
}

/// The `history-limit` of a session, if it has its own.
pub(crate) fn history_limit(session: &Session<'_>) -> Option<String> {
    let mut own = session_values(session).into_iter();
    own.find(|(kept, _)| kept.name == HISTORY_LIMIT).map(|(_, value)| value.to_owned())
}

/// The options of a session in the snapshot, with their values.
pub(crate) fn session_values<'a>(session: &Session<'a>) -> Vec<(&'static KeptOption, &'a str)> {
    let text = session.windows[0].first().row.options.as_deref().unwrap_or_default();
    options::parse(text).into_iter().filter(|(kept, _)| kept.scope == Scope::Session).collect()
}
