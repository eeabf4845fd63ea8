//! Groups and names of sessions that were created.

use super::arrange::Session;
use super::{Build, Purpose, StepFailure, finish, groups};
use crate::persist::capture::session_origin::free_name;
use crate::text::escape;
use crate::tmux::TmuxError;
use crate::tmux::command::{self, Line};
use crate::tmux::control::Reply;
use std::collections::BTreeSet;

impl Build<'_> {
    /// Creates the sessions that join the group of another one, under names of ours.
    pub(super) fn join_groups(&mut self) -> Result<(), TmuxError> {
        let in_use = self.names_in_use()?;
        let (mut orders, mut leaderless) = (Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else {
                let is_made = |leader: usize| self.sessions[leader].id.is_some();
                leaderless.extend(session.joins.filter(|&leader| !is_made(leader)).map(|_| at));
                continue;
            };
            let Some(group) = groups::of(session) else { continue };
            let joined = self.sessions.iter().any(|other| other.joins == Some(at));
            if !joined && in_use.contains(group) {
                continue; // for a group of one, another name is of no use
            }
            let group = groups::free_name(&self.builder.name(group), &in_use);
            let own = self.temporary_name(at);
            orders.push((Purpose::Auxiliary, command::rename_session(id, &group)));
            orders.extend(self.joins(at, id));
            orders.push((Purpose::Auxiliary, command::rename_session(id, own.as_bytes())));
        }
        for at in leaderless {
            self.fail_session(at, &StepFailure::NoGroupLeader);
        }
        if orders.is_empty() { Ok(()) } else { self.send(orders) }
    }

    /// The name of a session until all of them are complete.
    pub(super) fn temporary_name(&self, at: usize) -> String {
        format!("{}-{at}", self.name)
    }

    /// Commands for the sessions that join the group of `leader`. If there are none, a session of ours
    /// joins and is ended again, so that the group exists.
    fn joins(&self, leader: usize, id: u32) -> Vec<(Purpose, Line)> {
        let join = |(at, session): (usize, &Session<'_>)| {
            let name = self.temporary_name(at);
            let environment = finish::environment(session, &self.context.keep.environment);
            let first = session.windows[0].first();
            let directory = first.row.session_path.as_deref().filter(|_| first.has_session_path);
            let line = command::new_grouped_session(name.as_bytes(), id, directory, &environment);
            let hold = self.held(&name);
            (Purpose::Join(at), line.and_then(&hold))
        };
        let members = self.sessions.iter().enumerate();
        let joins: Vec<_> =
            members.filter(|(_, session)| session.joins == Some(leader)).map(join).collect();
        if !joins.is_empty() {
            return joins;
        }
        let name = self.temporary_name(self.sessions.len() + leader);
        let hold = self.builder.hooks.hold(&format!("={name}:"));
        let made = command::new_grouped_session(name.as_bytes(), id, None, &[]).and_then(&hold);
        vec![(Purpose::Auxiliary, made), (Purpose::Auxiliary, command::kill_own_session(&name))]
    }

    /// The names of all existing sessions and groups; empty if no group is to be created.
    fn names_in_use(&mut self) -> Result<BTreeSet<Vec<u8>>, TmuxError> {
        if self.sessions.iter().all(|session| groups::of(session).is_none()) {
            return Ok(BTreeSet::new());
        }
        self.list_names()
    }

    fn list_names(&mut self) -> Result<BTreeSet<Vec<u8>>, TmuxError> {
        let reply = self.builder.exchange(&[command::list_names()])?.into_iter().next();
        Ok(match reply {
            Some(Reply::Done(names)) => groups::names_in_use(&names),
            _ => BTreeSet::new(),
        })
    }

    /// Ends the sessions `replaced` and gives the new ones their names. A session whose name was taken
    /// meanwhile gets another one.
    pub(super) fn name_sessions(&mut self, replaced: &[u32]) -> Result<(), TmuxError> {
        self.send_auxiliary(replaced.iter().copied().map(command::kill_session).collect())?;
        let name = |(at, session): (usize, &Session<'_>)| {
            let name = self.builder.name(&session.windows[0].first().target);
            session.id.map(|id| (Purpose::Name(at), command::rename_session(id, &name)))
        };
        let names: Vec<_> = self.sessions.iter().enumerate().filter_map(name).collect();
        if !names.is_empty() {
            self.send(names)?;
        }
        let refused = std::mem::take(&mut self.nameless);
        if !refused.is_empty() {
            self.name_otherwise(&refused)?;
        }
        let hooks = &self.builder.hooks;
        let release = self.sessions.iter().filter_map(|session| {
            hooks.release_renamed(&command::Target::Session(session.id?).to_string())
        });
        let release = release.collect();
        self.send_auxiliary(release)
    }

    /// Gives other names to sessions that could not get their own. One that gets none is ended.
    fn name_otherwise(&mut self, refused: &[(usize, StepFailure)]) -> Result<(), TmuxError> {
        let mut in_use = self.list_names()?;
        let hhmm = crate::sys::clock::hhmm(self.context.now);
        let mut orders = Vec::new();
        let mut others = Vec::new();
        for (at, _) in refused {
            let Some(id) = self.sessions[*at].id else { continue };
            let own = self.builder.name(&self.sessions[*at].windows[0].first().target);
            let other = free_name(&own, &hhmm, |name| in_use.contains(name));
            orders.push((Purpose::Name(*at), command::rename_session(id, &other)));
            in_use.insert(other.clone());
            others.push((*at, other));
        }
        self.send(orders)?;
        let nameless = std::mem::take(&mut self.nameless);
        let is_nameless = |at: usize| nameless.iter().any(|(other, _)| *other == at);
        for (at, other) in others.into_iter().filter(|(at, _)| !is_nameless(*at)) {
            let own = escape(&self.sessions[at].windows[0].first().target);
            let note = format!("{own} was taken meanwhile: restored as {}", escape(&other));
            self.built.notes.push(note);
            for window in &self.sessions[at].windows {
                let steps = window.panes.iter().map(|(step, _)| (*step, other.clone()));
                self.built.other_names.extend(steps);
            }
        }
        let mut ends = Vec::new();
        for (at, _) in nameless {
            let why = refused.iter().find(|(other, _)| *other == at);
            ends.extend(self.sessions[at].id.map(command::kill_session));
            if let Some((_, why)) = why {
                self.fail_session(at, why);
            }
        }
        self.send_auxiliary(ends)
    }
}
