//! Building planned sessions in a tmux server, over one control-mode connection: all sessions,
//! then all other windows, then all other panes, then titles, marks, sizes and names. Each is one
//! exchange, whatever the number of sessions. At the end each pane is looked for: only one that is
//! there, and runs, was restored.
//!
//! A session gets its own name last: until then it is called like ours, so that a restore that
//! dies on the way leaves nothing that looks complete. The next one ends it ([`super::unfinished`]).

use super::arrange::{Session, Window, arrange};
use super::capture::BUILDER_PREFIX;
use super::job::World;
use super::plan::{Action, Start, Step};
use super::spawn;
use crate::tmux::command::{self, Ids, Line, Spawn};
use crate::tmux::control::Reply;
use crate::tmux::{Builder, TmuxError};
use std::collections::BTreeSet;

/// What became of each step, in the order given: `Ok`, or why not.
pub type Results = Vec<Result<(), String>>;

/// Builds what `steps` say, all of which are selected and none of which is to be skipped.
pub fn build(world: &World, steps: &[Step]) -> Result<Results, TmuxError> {
    let name = format!("{BUILDER_PREFIX}{}", crate::sys::files::random_hex());
    let home = &world.account.home;
    let cwd = if home.is_dir() { home.as_path() } else { std::path::Path::new("/") };
    let mut work = Work {
        world,
        builder: world.server.build(&name, cwd)?,
        name,
        steps,
        sessions: arrange(steps),
        results: vec![Ok(()); steps.len()],
        nameless: Vec::new(),
    };
    work.resume_in_place()?;
    work.make_sessions()?;
    work.make_windows()?;
    work.make_panes()?;
    work.finish_windows()?;
    work.look_for_panes()?;
    work.builder.finish()?;
    Ok(work.results)
}

struct Work<'a> {
    world: &'a World,
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
enum For {
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
    /// Making a session that shares the windows of another.
    Join(usize),
    /// Something whose failure shows elsewhere.
    Help,
}

impl Work<'_> {
    /// Starts agents in the panes that they were in, by tmux's ids of them. Without the launcher
    /// those panes keep their shells.
    fn resume_in_place(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let Action::InPlace { pane, .. } = step.action else { continue };
            if self.world.launcher.is_none() {
                continue;
            }
            let respawn = |spawn: Spawn<'_>| command::respawn_pane(pane, spawn);
            orders.push((For::InPlace(at), self.spawn(step, respawn)));
            orders.extend(mark(step, pane).map(|line| (For::Help, line)));
        }
        self.send(orders)
    }

    fn make_sessions(&mut self) -> Result<(), TmuxError> {
        let own = (0..self.sessions.len()).filter(|&at| self.sessions[at].joins.is_none());
        let orders = own.map(|at| {
            let window = &self.sessions[at].windows[0];
            // Its own name comes last.
            let name = format!("{}-{at}", self.name);
            let new = |spawn: Spawn<'_>| command::new_session(name.as_bytes(), window.size, spawn);
            (For::Session(at), self.spawn(window.first(), new))
        });
        let orders = orders.collect();
        self.send(orders)
    }

    fn make_windows(&mut self) -> Result<(), TmuxError> {
        let mut orders = Vec::new();
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(id) = session.id else { continue };
            let (first, mut size) = (&session.windows[0], session.windows[0].size);
            if let Some((window, index)) = first.id.zip(session.base_index)
                && index != first.index
            {
                // The user's base-index is another one; renumber-windows would move it back.
                orders.push((For::Help, command::set_option(id, "renumber-windows", "off")));
                orders.push((For::Finish(at, 0), command::move_window(id, window, first.index)));
                orders.push((For::Help, command::unset_option(id, "renumber-windows")));
            }
            for (number, window) in session.windows.iter().enumerate().skip(1) {
                if window.size != size {
                    orders.push((For::Help, command::set_default_size(id, window.size)));
                    size = window.size;
                }
                let new = |spawn: Spawn<'_>| command::new_window(id, window.index, spawn);
                orders.push((For::Window(at, number), self.spawn(window.first(), new)));
            }
        }
        self.send(orders)
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
                    orders.push((For::Pane(at, number, place), self.spawn(step, split)));
                    orders.push((For::Help, command::tile(id)));
                }
                if let Some(layout) = window.layout.as_ref().filter(|_| window.panes.len() > 1) {
                    orders.push((For::Finish(at, number), command::select_layout(id, layout)));
                }
            }
        }
        self.send(orders)
    }

    /// Titles, active and last marks, zoom; the options that only the building needed are the
    /// user's again; the names; then session groups.
    fn finish_windows(&mut self) -> Result<(), TmuxError> {
        let (mut orders, mut names, mut joins) = (Vec::new(), Vec::new(), Vec::new());
        let mut leaderless = Vec::new();
        for (at, session) in self.sessions.iter().enumerate() {
            let name = &session.windows[0].first().target;
            if let Some(leader) = session.joins {
                match self.sessions[leader].id {
                    Some(leader) => {
                        joins.push((For::Join(at), command::new_grouped_session(name, leader)));
                    }
                    None => leaderless.push(at),
                }
            }
            let Some(id) = session.id else { continue };
            for (number, window) in session.windows.iter().enumerate() {
                let finish = finish_window(window).into_iter();
                orders.extend(finish.map(|line| (For::Finish(at, number), line)));
            }
            orders.extend(select_windows(id, &session.windows).map(|line| (For::Help, line)));
            orders.push((For::Help, command::unset_option(id, "default-size")));
            if self.builder.destroys_unattached {
                orders.push((For::Help, command::set_option(id, "destroy-unattached", "off")));
            }
            names.push((For::Name(at), command::rename_session(id, name)));
        }
        for at in leaderless {
            self.fail_session(at, "the session it shares windows with was not made");
        }
        orders.extend(names.into_iter().chain(joins));
        self.send(orders)?;
        let nameless = std::mem::take(&mut self.nameless);
        self.send(nameless.into_iter().map(|line| (For::Help, line)).collect())
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
        let argv = spawn::argv(step, self.world, self.builder.has_default_command);
        let cwd = spawn::cwd(step, &self.world.account.home);
        command(Spawn { cwd, argv: &argv })
    }

    /// Sends commands in one exchange and settles what each reply means.
    fn send(&mut self, orders: Vec<(For, Line)>) -> Result<(), TmuxError> {
        let (purposes, lines): (Vec<For>, Vec<Line>) = orders.into_iter().unzip();
        let replies = self.builder.exchange(&lines)?;
        for (purpose, reply) in purposes.into_iter().zip(replies) {
            self.settle(purpose, reply);
        }
        Ok(())
    }

    fn settle(&mut self, purpose: For, reply: Reply) {
        match (purpose, reply) {
            (For::Session(at), reply) => match ids(reply) {
                Ok(ids) => {
                    let session = &mut self.sessions[at];
                    session.id = Some(ids.session);
                    session.base_index = Some(ids.index);
                    session.windows[0].made(ids.window, ids.pane);
                }
                Err(why) => self.fail_session(at, &why),
            },
            (For::Window(at, number), reply) => match ids(reply) {
                Ok(ids) => self.sessions[at].windows[number].made(ids.window, ids.pane),
                Err(why) => self.fail_window(at, number, &why),
            },
            (For::Pane(at, number, place), reply) => {
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
            (For::InPlace(at), Reply::Failed(why)) => self.results[at] = Err(why),
            (For::Finish(at, number), Reply::Failed(why)) => self.fail_window(at, number, &why),
            (For::Name(at), Reply::Failed(why)) => {
                self.nameless.extend(self.sessions[at].id.map(command::kill_session));
                self.fail_session(at, &why);
            }
            (For::Join(at), reply) => {
                if let Err(why) = ids(reply) {
                    self.fail_session(at, &why);
                }
            }
            (For::Help, _) | (For::InPlace(_) | For::Finish(..) | For::Name(_), Reply::Done(_)) => {
            }
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

/// The last window and then the active one, where there are several.
fn select_windows(session: u32, windows: &[Window<'_>]) -> impl Iterator<Item = Line> {
    let several = windows.len() > 1;
    let marked = move |flag: fn(&Window<'_>) -> bool| windows.iter().find(|w| several && flag(w));
    let last = marked(|window| window.first().row.window_flags.last);
    let active = marked(|window| window.first().row.window_flags.active);
    last.into_iter().chain(active).map(move |window| command::select_window(session, window.index))
}

/// Name, titles, marks and zoom of a window that is there.
fn finish_window(window: &Window<'_>) -> Vec<Line> {
    let named = window.id.zip(window.name());
    let mut lines: Vec<Line> =
        named.map(|(id, name)| command::rename_window(id, name)).into_iter().collect();
    let made = || {
        window.panes.iter().zip(&window.pane_ids).filter_map(|((_, step), id)| Some((step, (*id)?)))
    };
    for (step, id) in made() {
        lines.extend(step.row.title.as_ref().map(|title| command::set_title(id, title)));
        lines.extend(mark(step, id));
    }
    if window.panes.len() < 2 {
        return lines;
    }
    let marked = |flag: fn(&Step) -> bool| made().find(|(step, _)| flag(step)).map(|(_, id)| id);
    let active = marked(|step| step.row.pane_flags.active);
    lines.extend(marked(|step| step.row.pane_flags.last).map(command::select_pane));
    lines.extend(active.map(command::select_pane));
    if window.first().row.window_flags.zoomed {
        lines.extend(active.map(command::zoom)); // last: select-layout would undo it
    }
    lines
}

/// Marks the pane of an agent with its conversation: whatever becomes of the agent, the next
/// restore knows where it was.
fn mark(step: &Step, pane: u32) -> Option<Line> {
    let Start::Agent { id, .. } = &step.start else { return None };
    Some(command::mark_restored(pane, id.as_str().as_bytes()))
}

fn ids(reply: Reply) -> Result<Ids, String> {
    match reply {
        Reply::Done(text) => Ids::parse(&text).ok_or_else(|| "unexpected reply".to_owned()),
        Reply::Failed(why) => Err(why),
    }
}
