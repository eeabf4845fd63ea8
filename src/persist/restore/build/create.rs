//! Creates sessions, windows and panes.

use super::arrange::{self, Session};
use super::{Build, Purpose, StepFailure};
use super::{finish, pane_command};
use crate::tmux::TmuxError;
use crate::tmux::command::{self, Line, Spawn, Target};
use shared::pane_variables;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

impl Build<'_> {
    /// Starts agents in the panes that they were in. Without the launcher those panes keep their
    /// shells.
    pub(super) fn resume_in_place(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let Some(pane) = step.action.existing_pane() else { continue };
            if self.context.launcher.is_none() {
                continue;
            }
            let respawn = |spawn: Spawn<'_>| command::respawn_pane(pane, spawn);
            orders.push((Purpose::InPlace(at), self.spawn(step, respawn)));
            orders.extend(finish::mark(step, pane).map(|line| (Purpose::Auxiliary, line)));
            orders.push((Purpose::Auxiliary, command::mark_directory(pane, None)));
        }
        self.send(orders)
    }

    /// Creates all sessions that do not join another one, under names of ours.
    pub(super) fn create_sessions(&mut self) -> Result<(), TmuxError> {
        let own = (0..self.sessions.len()).filter(|&at| self.sessions[at].joins.is_none());
        let orders = own.map(|at| {
            let window = &self.sessions[at].windows[0];
            // It gets its own name last.
            let name = format!("{}-{at}", self.name);
            let environment =
                finish::environment(&self.sessions[at], &self.context.keep.environment);
            let plain_name = window.plain_name(&self.builder);
            let new = |spawn: Spawn<'_>| {
                command::new_session(name.as_bytes(), window.first_size(), &environment, spawn)
            };
            let first = |spawn: Spawn<'_>| new(Spawn { window_name: plain_name, ..spawn });
            let placeholder = [b"cat".to_vec(), b"-".to_vec()];
            let hold = self.held(&name);
            let line = if self.sessions[at].has_placeholder {
                let own = arrange::session_path(&self.sessions[at]).map(OsStr::from_bytes);
                let cwd = pane_command::cwd(window.first(), self.home);
                new(Spawn {
                    cwd: own.unwrap_or(cwd),
                    argv: &placeholder,
                    environment: &[],
                    window_name: None,
                })
            } else {
                self.spawn(window.first(), first)
            };
            (Purpose::Session(at), line.and_then(&hold))
        });
        let orders = orders.collect();
        self.send(orders)
    }

    /// Creates all windows that are not links.
    pub(super) fn create_windows(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else { continue };
            let (first, mut size) = (&session.windows[0], session.windows[0].first_size());
            // What its first pane was given is not for the others.
            if !session.has_placeholder && pane_command::has_environment(first.first()) {
                let unset = command::unset_environment(id, pane_variables::AGENT);
                orders.push((Purpose::Auxiliary, unset));
            }
            if session.has_placeholder {
                orders.extend(
                    make_room(id, session).into_iter().map(|line| (Purpose::Auxiliary, line)),
                );
            }
            // With a placeholder, its first window does not exist yet.
            if let Some((window, index)) = first.id.zip(session.base_index)
                && index != first.index
            {
                // The user's base-index differs. renumber-windows would move the window back.
                orders
                    .push((Purpose::Auxiliary, command::set_option(id, "renumber-windows", "off")));
                orders
                    .push((Purpose::Finish(at, 0), command::move_window(id, window, first.index)));
                orders.push((Purpose::Auxiliary, command::unset_option(id, "renumber-windows")));
            }
            let made = usize::from(!session.has_placeholder);
            for (number, window) in session.windows.iter().enumerate().skip(made) {
                if window.link.is_some() {
                    continue;
                }
                if window.first_size() != size {
                    size = window.first_size();
                    orders.push((Purpose::Auxiliary, command::set_default_size(id, size)));
                }
                let window_name = window.plain_name(&self.builder);
                let new = |spawn: Spawn<'_>| {
                    command::new_window(id, window.index, Spawn { window_name, ..spawn })
                };
                let target = Target::Index(id, window.index).to_string();
                let line = self.spawn(window.first(), new);
                let line = line.and_then(&self.builder.hooks.hold_window(&target));
                orders.push((Purpose::Window(at, number), line));
            }
        }
        self.send(orders)
    }

    /// Links windows into the other sessions that showed them.
    pub(super) fn link_windows(&mut self) -> Result<(), TmuxError> {
        let (mut orders, mut lost) = (Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else { continue };
            for (number, window) in session.windows.iter().enumerate() {
                let Some((owner, place)) = window.link else { continue };
                match self.sessions[owner].windows[place].id {
                    Some(shown) => {
                        let line = command::link_window(shown, id, window.index);
                        orders.push((Purpose::Link(at, number), line));
                    }
                    None => lost.push((at, number)),
                }
            }
        }
        for (at, number) in lost {
            self.fail_window(at, number, &StepFailure::NoLinkedWindow);
        }
        if orders.is_empty() { Ok(()) } else { self.send(orders) }
    }

    /// Creates the other panes of each window by splits of its first pane, the last pane first: each
    /// new pane comes directly after the first, so they end up in order. Then applies the layout,
    /// which also gives the window its size.
    pub(super) fn create_panes(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, session) in self.sessions.iter().enumerate() {
            for (number, window) in session.windows.iter().enumerate() {
                let (Some(id), [Some(first), ..]) = (window.id, &window.pane_ids[..]) else {
                    continue;
                };
                for (place, (_, step)) in window.panes.iter().enumerate().skip(1).rev() {
                    let split = |spawn: Spawn<'_>| command::split_window(*first, spawn);
                    orders.push((Purpose::Pane(at, number, place), self.spawn(step, split)));
                    orders.push((Purpose::Auxiliary, command::tile(id)));
                }
                if let Some(layout) = window.layout.as_ref().filter(|_| window.panes.len() > 1) {
                    orders.push((Purpose::Finish(at, number), command::select_layout(id, layout)));
                    if window.first_size() != window.size {
                        // Where sizes are manual, the window would take its first one again.
                        let lines = command::resize_window(id, window.size);
                        orders.extend(lines.map(|line| (Purpose::Auxiliary, line)));
                    }
                }
            }
        }
        self.send(orders)
    }
}

/// Makes room for a session's own windows beside the placeholder.
fn make_room(id: u32, session: &Session<'_>) -> Vec<Line> {
    let mut lines = vec![command::set_option(id, "renumber-windows", "off")];
    if let Some(limit) = arrange::history_limit(session) {
        lines.push(command::set_kept(Target::Session(id), "", arrange::HISTORY_LIMIT, &limit));
    }
    let is_used = |index: u32| session.windows.iter().any(|window| window.index == index);
    if let Some((window, index)) = session.placeholder.zip(session.base_index)
        && is_used(index)
        && let Some(free) = (0..1 << 16).find(|&index| !is_used(index))
    {
        lines.push(command::move_window(id, window, free));
    }
    lines
}
