//! Completes sessions, windows and panes that were created, and checks them.

use super::arrange::Session;
use super::{Build, Purpose, StepFailure};
use super::{finish, groups};
use crate::persist::restore::step::Action;
use crate::tmux::TmuxError;
use crate::tmux::command::{self, Line};
use crate::tmux::control::Reply;
use std::collections::BTreeSet;

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
        if self.builder.destroys_unattached {
            lines.push(command::set_option(id, "destroy-unattached", "off"));
        }
        lines.into_iter().map(|line| (Purpose::Auxiliary, line)).collect()
    }

    /// Gives sessions their names, those of groups first, since other sessions join them.
    pub(super) fn name_sessions(&mut self) -> Result<(), TmuxError> {
        let in_use = self.names_in_use()?;
        let (mut grouped, mut names, mut leaderless) = (Vec::new(), Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter().enumerate() {
            let name = self.builder.name(&session.windows[0].first().target);
            let Some(id) = session.id else {
                let is_made = |leader: usize| self.sessions[leader].id.is_some();
                leaderless.extend(session.joins.filter(|&leader| !is_made(leader)).map(|_| at));
                continue;
            };
            let own_name = || (Purpose::Name(at), command::rename_session(id, &name));
            match groups::of(session) {
                None => names.push(own_name()),
                Some(group) => {
                    grouped.push(own_name());
                    let joined = self.sessions.iter().any(|other| other.joins == Some(at));
                    if !joined && in_use.contains(group) {
                        continue; // for a group of one, another name is of no use
                    }
                    let group = groups::free_name(&self.builder.name(group), &in_use);
                    grouped.push((Purpose::Auxiliary, command::rename_session(id, &group)));
                    grouped.extend(self.joins(at, id));
                    grouped.push(own_name());
                }
            }
        }
        for at in leaderless {
            self.fail_session(at, &StepFailure::NoGroupLeader);
        }
        grouped.extend(names);
        self.send(grouped)?;
        let nameless = std::mem::take(&mut self.nameless);
        self.send(nameless.into_iter().map(|line| (Purpose::Auxiliary, line)).collect())
    }

    /// Commands for the sessions that join the group of `leader`. If there are none, a session of ours
    /// joins and is ended again, so that the group exists.
    fn joins(&self, leader: usize, id: u32) -> Vec<(Purpose, Line)> {
        let join = |(at, session): (usize, &Session<'_>)| {
            let name = self.builder.name(&session.windows[0].first().target);
            let environment = finish::environment(session, &self.context.keep.environment);
            let first = session.windows[0].first();
            let directory = first.row.session_path.as_deref().filter(|_| first.has_session_path);
            (Purpose::Join(at), command::new_grouped_session(&name, id, directory, &environment))
        };
        let members = self.sessions.iter().enumerate();
        let joins: Vec<_> =
            members.filter(|(_, session)| session.joins == Some(leader)).map(join).collect();
        if !joins.is_empty() {
            return joins;
        }
        let name = format!("{}-{}", self.name, self.sessions.len() + leader);
        let made = command::new_grouped_session(name.as_bytes(), id, None, &[]);
        vec![(Purpose::Auxiliary, made), (Purpose::Auxiliary, command::kill_own_session(&name))]
    }

    /// The names of all existing sessions and groups; empty if no group is to be created.
    fn names_in_use(&mut self) -> Result<BTreeSet<Vec<u8>>, TmuxError> {
        if self.sessions.iter().all(|session| groups::of(session).is_none()) {
            return Ok(BTreeSet::new());
        }
        let reply = self.builder.exchange(&[command::list_names()])?.into_iter().next();
        Ok(match reply {
            Some(Reply::Done(names)) => groups::names_in_use(&names),
            _ => BTreeSet::new(),
        })
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

    /// Checks that each pane exists and its program runs.
    pub(super) fn check_panes(&mut self) -> Result<(), TmuxError> {
        let reply = self.builder.exchange(&[command::list_running_panes()])?;
        let Some(Reply::Done(list)) = reply.first() else { return Ok(()) };
        let running: BTreeSet<u32> = list.lines().filter_map(command::parse_pane).collect();
        let mut closed = Vec::new();
        for session in self.sessions.iter().filter(|session| session.joins.is_none()) {
            for window in &session.windows {
                for ((step, _), id) in window.panes.iter().zip(&window.pane_ids) {
                    closed.extend(id.filter(|id| !running.contains(id)).map(|_| *step));
                }
            }
        }
        for (at, step) in self.steps.iter().enumerate() {
            let Action::InPlace { pane, .. } = step.action else { continue };
            closed.extend((!running.contains(&pane)).then_some(at));
        }
        for step in closed {
            self.results[step] = Err(StepFailure::ClosedAtOnce);
        }
        Ok(())
    }
}
