//! Completes sessions, windows and panes that were created, and checks them.

use super::arrange::{Session, Window};
use super::finish;
use super::{Build, Purpose, StepFailure};
use crate::text::escape;
use crate::tmux::TmuxError;
use crate::tmux::command::{self, Line, Place, Target};
use crate::tmux::control::Reply;
use crate::tmux::layout::Layout;
use std::collections::BTreeMap;

impl Build<'_> {
    /// Sets names, titles, marks and options, and resets the options that were set for the restore.
    pub(super) fn finish_windows(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        let auxiliary = |line| (Purpose::Auxiliary, line);
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else { continue };
            for (number, window) in session.windows.iter().enumerate() {
                let finish = finish::window(window, &self.builder).into_iter();
                orders.extend(finish.map(|line| (Purpose::Finish(at, number), line)));
                // An option that this version of tmux does not have is no failure.
                orders.extend(finish::window_options(window).into_iter().map(auxiliary));
                let users = finish::users_window_options(window, &self.context.keep.user_options);
                orders.extend(users.into_iter().map(auxiliary));
            }
            orders.extend(finish::select_windows(id, &session.windows).into_iter().map(auxiliary));
            orders.push(auxiliary(command::unset_option(id, "default-size")));
            if let Some(placeholder) = session.placeholder {
                orders.push(auxiliary(command::kill_window(placeholder)));
                orders.push(auxiliary(command::unset_option(id, "renumber-windows")));
            }
            orders.extend(self.session_options(id, session));
        }
        self.send(orders)
    }

    fn session_options(&self, id: u32, session: &Session<'_>) -> Vec<(Purpose, Line)> {
        let mut lines = finish::session_options(id, session);
        lines.extend(finish::users_session_options(id, session, &self.context.keep.user_options));
        lines.into_iter().map(|line| (Purpose::Auxiliary, line)).collect()
    }

    /// Completes the sessions that joined a group: each has its own current window, last window and
    /// options.
    pub(super) fn finish_joined(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for session in self.sessions.iter().filter(|session| session.joins.is_some()) {
            let Some(id) = session.id else { continue };
            let selects = finish::select_windows(id, &session.windows).into_iter();
            orders.extend(selects.map(|line| (Purpose::Auxiliary, line)));
            orders.extend(self.session_options(id, session));
        }
        if orders.is_empty() { Ok(()) } else { self.send(orders) }
    }

    /// Lets the new sessions and windows run the user's hooks again. All that was done to them is over:
    /// tmux runs the hooks of one exchange before it reads the next.
    pub(super) fn release_hooks(&mut self) -> Result<(), TmuxError> {
        let hooks = &self.builder.hooks;
        let mut lines = Vec::new();
        for session in &self.sessions {
            let Some(id) = session.id else { continue };
            lines.extend(hooks.release(&Target::Session(id).to_string()));
            for id in session.windows.iter().filter_map(|window| window.id) {
                lines.extend(hooks.release_window(&Target::Window(id).to_string()));
            }
        }
        self.send_auxiliary(lines)
    }

    pub(super) fn send_auxiliary(&mut self, lines: Vec<Line>) -> Result<(), TmuxError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.send(lines.into_iter().map(|line| (Purpose::Auxiliary, line)).collect())
    }

    /// Checks that each pane exists, runs its program and is where it belongs. Notes windows that have
    /// other panes, too, or another layout.
    pub(super) fn check_places(&mut self) -> Result<(), TmuxError> {
        let reply = self.builder.exchange(&[command::list_places()])?;
        let Some(Reply::Done(list)) = reply.first() else { return Ok(()) };
        let mut places: BTreeMap<u32, Vec<Place>> = BTreeMap::new();
        for place in list.lines().filter_map(Place::parse) {
            places.entry(place.pane).or_default().push(place);
        }
        let runs = |id: &u32| places.get(id).is_some_and(|found| !found[0].dead);
        let (mut failures, mut notes) = (Vec::new(), Vec::new());
        for session in self.sessions.iter().filter(|session| session.joins.is_none()) {
            for window in &session.windows {
                let mut shown = None;
                for ((step, _), id) in window.panes.iter().zip(&window.pane_ids) {
                    let Some(id) = id else { continue };
                    if !runs(id) {
                        failures.push((*step, StepFailure::ClosedAtOnce));
                        continue;
                    }
                    let found = &places[id];
                    let own = found.iter().find(|place| {
                        Some(place.session) == session.id && place.window_index == window.index
                    });
                    if own.is_some() {
                        shown = own;
                    } else {
                        let moved = StepFailure::Moved(found[0].window_index);
                        failures.push((*step, moved));
                    }
                }
                notes.extend(shown.and_then(|place| difference(window, place)));
            }
        }
        for (at, step) in self.steps.iter().enumerate() {
            let Some(pane) = step.action.existing_pane() else { continue };
            if !runs(&pane) {
                failures.push((at, StepFailure::ClosedAtOnce));
            }
        }
        for (step, why) in failures {
            self.built.results[step] = Err(why);
        }
        self.built.notes.extend(notes);
        Ok(())
    }

    /// Keeps the server from ending before its user attaches to it, if the configuration says that
    /// it ends without clients.
    pub(super) fn keep_server(&mut self) -> Result<(), TmuxError> {
        if !self.builder.exits_unattached || self.built.results.iter().all(Result::is_err) {
            return Ok(());
        }
        let note = "exit-unattached is off until a client attaches: the server would end before";
        self.built.notes.push(note.to_owned());
        self.send_auxiliary(command::postpone_exit_unattached().into())
    }
}

/// How a window differs from the planned one.
fn difference(window: &Window<'_>, place: &Place) -> Option<String> {
    let name = || format!("{}:{}", escape(&window.first().target), window.index);
    let planned = window.pane_ids.iter().flatten().count();
    if place.panes != planned {
        return Some(format!("{} has {} panes instead of {planned}", name(), place.panes));
    }
    let shape = |layout: Layout| layout.renumbered(&|_| None).to_string();
    let is_whole = planned > 1 && planned == window.panes.len();
    let wanted = window.layout.clone().filter(|_| is_whole).map(shape)?;
    let found = Layout::parse(&place.layout).ok().map(shape);
    (found.is_none_or(|found| found != wanted))
        .then(|| format!("{} has its panes, but not in the saved layout", name()))
}
