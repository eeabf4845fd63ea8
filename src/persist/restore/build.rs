//! Building planned sessions in a tmux server, over one control-mode connection: all sessions,
//! then all other windows, then all other panes, then titles, marks, sizes and names. Each is one
//! exchange, whatever the number of sessions. At the end each pane is looked for: only one that is
//! there, and runs, was restored.
//!
//! A session gets its own name last: until then it is called like ours, so that a restore that
//! dies on the way leaves nothing that looks complete. The next one ends it ([`super::unfinished`]).

use super::arrange::{self, Session, arrange};
use super::step::{Action, Step};
use super::{finish, groups, pane_command};
use crate::persist::capture::BUILDER_PREFIX;
use crate::persist::context::Context;
use crate::tmux::command::{self, Ids, Line, Spawn, Target};
use crate::tmux::control::Reply;
use crate::tmux::{Builder, TmuxError};
use std::collections::BTreeSet;

/// What became of each step, in the order given: `Ok`, or why not.
pub type Results = Vec<Result<(), String>>;

/// Builds what `steps` say, all of which are selected and none of which is to be skipped.
pub fn build(context: &Context, steps: &[Step]) -> Result<Results, TmuxError> {
    let name = format!("{BUILDER_PREFIX}{}", crate::sys::fs::random_hex());
    let home = &context.account.home;
    let cwd = if home.is_dir() { home.as_path() } else { std::path::Path::new("/") };
    let mut build = Build {
        context,
        builder: context.server.build(&name, cwd)?,
        name,
        steps,
        sessions: arrange(steps),
        results: vec![Ok(()); steps.len()],
        nameless: Vec::new(),
    };
    build.resume_in_place()?;
    build.make_sessions()?;
    build.make_windows()?;
    build.link_windows()?;
    build.make_panes()?;
    build.finish_windows()?;
    build.name_sessions()?;
    build.finish_joined()?;
    build.look_for_panes()?;
    build.builder.finish()?;
    Ok(build.results)
}

struct Build<'a> {
    context: &'a Context,
    builder: Builder,
    /// What the connection's own session is called, and how names of unfinished ones begin.
    name: String,
    steps: &'a [Step],
    sessions: Vec<Session<'a>>,
    results: Results,
    /// Sessions that could not get their names.
    nameless: Vec<Line>,
}

/// What a command is for, and so what its reply means.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    /// Starting an agent in a pane that is there, for this step.
    InPlace(usize),
    /// Making a session, by its place.
    Session(usize),
    /// Making a window of a session.
    Window(usize, usize),
    /// Making a pane of a window of a session.
    Pane(usize, usize, usize),
    /// Making a window of a session what it was.
    Finish(usize, usize),
    /// Giving a session its name.
    Name(usize),
    /// Showing a window in another session.
    Link(usize, usize),
    /// Making a session that shares the windows of another.
    Join(usize),
    /// Something whose failure shows elsewhere.
    Help,
}

impl Build<'_> {
    /// Starts agents in the panes that they were in, by tmux's ids of them. Without the launcher
    /// those panes keep their shells.
    fn resume_in_place(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let Action::InPlace { pane, .. } = step.action else { continue };
            if self.context.launcher.is_none() {
                continue;
            }
            let respawn = |spawn: Spawn<'_>| command::respawn_pane(pane, spawn);
            orders.push((Purpose::InPlace(at), self.spawn(step, respawn)));
            orders.extend(finish::mark(step, pane).map(|line| (Purpose::Help, line)));
        }
        self.send(orders)
    }

    fn make_sessions(&mut self) -> Result<(), TmuxError> {
        let own = (0..self.sessions.len()).filter(|&at| self.sessions[at].joins.is_none());
        let orders = own.map(|at| {
            let window = &self.sessions[at].windows[0];
            // Its own name comes last.
            let name = format!("{}-{at}", self.name);
            let environment =
                finish::environment(&self.sessions[at], &self.context.keep.environment);
            let new = |spawn: Spawn<'_>| {
                command::new_session(name.as_bytes(), window.size, &environment, spawn)
            };
            let placeholder = [b"cat".to_vec(), b"-".to_vec()];
            let line = if self.sessions[at].has_placeholder {
                let cwd = self.context.account.home.as_os_str();
                new(Spawn { cwd, argv: &placeholder })
            } else {
                self.spawn(window.first(), new)
            };
            (Purpose::Session(at), line)
        });
        let orders = orders.collect();
        self.send(orders)
    }

    fn make_windows(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else { continue };
            let (first, mut size) = (&session.windows[0], session.windows[0].size);
            if session.has_placeholder {
                orders.extend(make_room(id, session).into_iter().map(|line| (Purpose::Help, line)));
            }
            // With a placeholder its first window is not there yet.
            if let Some((window, index)) = first.id.zip(session.base_index)
                && index != first.index
            {
                // The user's base-index is another one; renumber-windows would move it back.
                orders.push((Purpose::Help, command::set_option(id, "renumber-windows", "off")));
                orders
                    .push((Purpose::Finish(at, 0), command::move_window(id, window, first.index)));
                orders.push((Purpose::Help, command::unset_option(id, "renumber-windows")));
            }
            let made = usize::from(!session.has_placeholder);
            for (number, window) in session.windows.iter().enumerate().skip(made) {
                if window.link.is_some() {
                    continue;
                }
                if window.size != size {
                    orders.push((Purpose::Help, command::set_default_size(id, window.size)));
                    size = window.size;
                }
                let new = |spawn: Spawn<'_>| command::new_window(id, window.index, spawn);
                orders.push((Purpose::Window(at, number), self.spawn(window.first(), new)));
            }
        }
        self.send(orders)
    }

    /// Shows windows in the other sessions that showed them.
    fn link_windows(&mut self) -> Result<(), TmuxError> {
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
            self.fail_window(at, number, "the window that it shows was not made");
        }
        if orders.is_empty() { Ok(()) } else { self.send(orders) }
    }

    /// Splits each window's first pane for the others, last one first: each new pane comes
    /// directly after the first, so they end up in order. Then the exact layout.
    fn make_panes(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, session) in self.sessions.iter().enumerate() {
            for (number, window) in session.windows.iter().enumerate() {
                let (Some(id), [Some(first), ..]) = (window.id, &window.pane_ids[..]) else {
                    continue;
                };
                for (place, (_, step)) in window.panes.iter().enumerate().skip(1).rev() {
                    let split = |spawn: Spawn<'_>| command::split_window(*first, spawn);
                    orders.push((Purpose::Pane(at, number, place), self.spawn(step, split)));
                    orders.push((Purpose::Help, command::tile(id)));
                }
                if let Some(layout) = window.layout.as_ref().filter(|_| window.panes.len() > 1) {
                    orders.push((Purpose::Finish(at, number), command::select_layout(id, layout)));
                }
            }
        }
        self.send(orders)
    }

    /// Names, titles, marks, options; what only the building needed is the user's again.
    fn finish_windows(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        let help = |line| (Purpose::Help, line);
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else { continue };
            for (number, window) in session.windows.iter().enumerate() {
                let finish = finish::window(window, self.builder.names_by_itself).into_iter();
                orders.extend(finish.map(|line| (Purpose::Finish(at, number), line)));
                // An option that this version of tmux does not know is no failure.
                orders.extend(finish::window_options(window).into_iter().map(help));
            }
            orders.extend(finish::select_windows(id, &session.windows).into_iter().map(help));
            orders.push(help(command::unset_option(id, "default-size")));
            if let Some(placeholder) = session.placeholder {
                orders.push(help(command::kill_window(placeholder)));
                orders.push(help(command::unset_option(id, "renumber-windows")));
            }
            orders.extend(self.session_options(id, session));
        }
        self.send(orders)
    }

    fn session_options(&self, id: u32, session: &Session<'_>) -> Vec<(Purpose, Line)> {
        let mut lines = finish::session_options(id, session);
        if self.builder.destroys_unattached {
            lines.push(command::set_option(id, "destroy-unattached", "off"));
        }
        lines.into_iter().map(|line| (Purpose::Help, line)).collect()
    }

    /// Gives sessions their names, those of groups first: others join them meanwhile.
    fn name_sessions(&mut self) -> Result<(), TmuxError> {
        let in_use = self.names_in_use()?;
        let (mut grouped, mut names, mut leaderless) = (Vec::new(), Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter().enumerate() {
            let name = &session.windows[0].first().target;
            let Some(id) = session.id else {
                let is_made = |leader: usize| self.sessions[leader].id.is_some();
                leaderless.extend(session.joins.filter(|&leader| !is_made(leader)).map(|_| at));
                continue;
            };
            let own_name = || (Purpose::Name(at), command::rename_session(id, name));
            match groups::of(session) {
                None => names.push(own_name()),
                Some(group) => {
                    grouped.push(own_name());
                    let joined = self.sessions.iter().any(|other| other.joins == Some(at));
                    if !joined && in_use.contains(group) {
                        continue; // a group of one is not worth another name
                    }
                    let group = groups::free_name(group, &in_use);
                    grouped.push((Purpose::Help, command::rename_session(id, &group)));
                    grouped.extend(self.joins(at, id));
                    grouped.push(own_name());
                }
            }
        }
        for at in leaderless {
            self.fail_session(at, "the session it shares windows with was not made");
        }
        grouped.extend(names);
        self.send(grouped)?;
        let nameless = std::mem::take(&mut self.nameless);
        self.send(nameless.into_iter().map(|line| (Purpose::Help, line)).collect())
    }

    /// The sessions that join the group that a session leads; where none does, one of ours that
    /// makes the group and goes again.
    fn joins(&self, leader: usize, id: u32) -> Vec<(Purpose, Line)> {
        let join = |(at, session): (usize, &Session<'_>)| {
            let name = &session.windows[0].first().target;
            let environment = finish::environment(session, &self.context.keep.environment);
            (Purpose::Join(at), command::new_grouped_session(name, id, &environment))
        };
        let members = self.sessions.iter().enumerate();
        let joins: Vec<_> =
            members.filter(|(_, session)| session.joins == Some(leader)).map(join).collect();
        if !joins.is_empty() {
            return joins;
        }
        let name = format!("{}-{}", self.name, self.sessions.len() + leader);
        let made = command::new_grouped_session(name.as_bytes(), id, &[]);
        vec![(Purpose::Help, made), (Purpose::Help, command::kill_own_session(&name))]
    }

    /// Names of sessions and groups that are there; asked only when a group is to be made.
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

    /// Each session of a group has a current and a last window of its own, and options.
    fn finish_joined(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for session in self.sessions.iter().filter(|session| session.joins.is_some()) {
            let Some(id) = session.id else { continue };
            let selects = finish::select_windows(id, &session.windows).into_iter();
            orders.extend(selects.map(|line| (Purpose::Help, line)));
            orders.extend(self.session_options(id, session));
        }
        if orders.is_empty() { Ok(()) } else { self.send(orders) }
    }

    /// A pane that is not there, or whose program has ended, was not restored: a missing program,
    /// a hook or an option of the user's can end what was just made.
    fn look_for_panes(&mut self) -> Result<(), TmuxError> {
        let reply = self.builder.exchange(&[command::list_running_panes()])?;
        let Some(Reply::Done(list)) = reply.first() else { return Ok(()) };
        let running: BTreeSet<u32> = list.lines().filter_map(command::parse_pane).collect();
        let mut gone = Vec::new();
        for session in self.sessions.iter().filter(|session| session.joins.is_none()) {
            for window in &session.windows {
                for ((step, _), id) in window.panes.iter().zip(&window.pane_ids) {
                    gone.extend(id.filter(|id| !running.contains(id)).map(|_| *step));
                }
            }
        }
        for (at, step) in self.steps.iter().enumerate() {
            let Action::InPlace { pane, .. } = step.action else { continue };
            gone.extend((!running.contains(&pane)).then_some(at));
        }
        for step in gone {
            self.results[step] = Err("it ended as soon as it was made".to_owned());
        }
        Ok(())
    }

    /// A command that makes a pane for a step.
    fn spawn(&self, step: &Step, command: impl FnOnce(Spawn<'_>) -> Line) -> Line {
        let argv = pane_command::argv(step, self.context, self.builder.has_default_command);
        let cwd = pane_command::cwd(step, &self.context.account.home);
        command(Spawn { cwd, argv: &argv })
    }

    /// Sends commands in one exchange and settles what each reply means.
    fn send(&mut self, orders: Vec<(Purpose, Line)>) -> Result<(), TmuxError> {
        let (purposes, lines): (Vec<Purpose>, Vec<Line>) = orders.into_iter().unzip();
        let replies = self.builder.exchange(&lines)?;
        for (purpose, reply) in purposes.into_iter().zip(replies) {
            self.settle(purpose, reply);
        }
        Ok(())
    }

    fn settle(&mut self, purpose: Purpose, reply: Reply) {
        match (purpose, reply) {
            (Purpose::Session(at), reply) => match ids(reply) {
                Ok(ids) => {
                    let session = &mut self.sessions[at];
                    session.id = Some(ids.session);
                    session.base_index = Some(ids.index);
                    if session.has_placeholder {
                        session.placeholder = Some(ids.window);
                    } else {
                        session.windows[0].made(ids.window, ids.pane);
                    }
                }
                Err(why) => self.fail_session(at, &why),
            },
            (Purpose::Window(at, number), reply) => match ids(reply) {
                Ok(ids) => self.sessions[at].windows[number].made(ids.window, ids.pane),
                Err(why) => self.fail_window(at, number, &why),
            },
            (Purpose::Pane(at, number, place), reply) => {
                let pane = match reply {
                    Reply::Done(text) => command::parse_pane(&text).ok_or(text),
                    Reply::Failed(why) => Err(why),
                };
                let window = &mut self.sessions[at].windows[number];
                match pane {
                    Ok(pane) => window.pane_ids[place] = Some(pane),
                    Err(why) => self.results[window.panes[place].0] = Err(why),
                }
            }
            (Purpose::InPlace(at), Reply::Failed(why)) => self.results[at] = Err(why),
            (Purpose::Finish(at, number) | Purpose::Link(at, number), Reply::Failed(why)) => {
                self.fail_window(at, number, &why);
            }
            (Purpose::Name(at), Reply::Failed(why)) => {
                self.nameless.extend(self.sessions[at].id.map(command::kill_session));
                self.fail_session(at, &why);
            }
            (Purpose::Join(at), reply) => match ids(reply) {
                Ok(ids) => self.sessions[at].id = Some(ids.session),
                Err(why) => self.fail_session(at, &why),
            },
            (
                Purpose::Help
                | Purpose::InPlace(_)
                | Purpose::Finish(..)
                | Purpose::Link(..)
                | Purpose::Name(_),
                Reply::Done(_),
            )
            | (Purpose::Help, _) => {}
        }
    }

    fn fail_session(&mut self, at: usize, why: &str) {
        for number in 0..self.sessions[at].windows.len() {
            self.fail_window(at, number, why);
        }
    }

    fn fail_window(&mut self, at: usize, number: usize, why: &str) {
        for (step, _) in &self.sessions[at].windows[number].panes {
            self.results[*step] = Err(why.to_owned());
        }
    }
}

/// Makes room for a session's own windows beside the one that holds its place.
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

fn ids(reply: Reply) -> Result<Ids, String> {
    match reply {
        Reply::Done(text) => Ids::parse(&text).ok_or_else(|| "unexpected reply".to_owned()),
        Reply::Failed(why) => Err(why),
    }
}
