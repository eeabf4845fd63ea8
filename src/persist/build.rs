//! Building planned sessions in a tmux server, over one control-mode connection: all sessions,
//! then all other windows, then all other panes, then titles, marks, sizes and names. Each is one
//! exchange, whatever the number of sessions.
//!
//! A session gets its own name last: until then it is called like ours, so that a restore that
//! dies on the way leaves nothing that looks complete. The next one ends it ([`super::unfinished`]).

use super::arrange::{Session, Window, arrange};
use super::capture::BUILDER_PREFIX;
use super::job::World;
use super::plan::Step;
use super::spawn;
use crate::tmux::TmuxError;
use crate::tmux::client::Builder;
use crate::tmux::command::{self, Ids, Line, Spawn};
use crate::tmux::control::Reply;

/// What became of each step, in the order given: `Ok`, or why not.
pub type Results = Vec<Result<(), String>>;

/// Builds the sessions of `steps`, all of which are selected and new.
pub fn build(world: &World, steps: &[Step]) -> Result<Results, TmuxError> {
    let name = format!("{BUILDER_PREFIX}{}", crate::sys::files::random_hex());
    let home = &world.account.home;
    let cwd = if home.is_dir() { home.as_path() } else { std::path::Path::new("/") };
    let mut work = Work {
        world,
        builder: world.server.build(&name, cwd)?,
        name,
        sessions: arrange(steps),
        results: vec![Ok(()); steps.len()],
    };
    work.make_sessions()?;
    work.make_windows()?;
    work.make_panes()?;
    work.finish_windows()?;
    work.builder.finish()?;
    Ok(work.results)
}

struct Work<'a> {
    world: &'a World,
    builder: Builder,
    /// What the connection's own session is called, and how names of unfinished ones begin.
    name: String,
    sessions: Vec<Session<'a>>,
    results: Results,
}

impl Work<'_> {
    fn make_sessions(&mut self) -> Result<(), TmuxError> {
        let own: Vec<usize> = self.indexes(|session| session.joins.is_none());
        let lines: Vec<Line> = own.iter().map(|&at| self.new_session(at)).collect();
        let replies = self.builder.exchange(&lines)?;
        for (at, reply) in own.into_iter().zip(replies) {
            let session = &mut self.sessions[at];
            match ids(reply) {
                Ok(ids) => {
                    session.id = Some(ids.session);
                    session.base_index = Some(ids.index);
                    let window = &mut session.windows[0];
                    window.id = Some(ids.window);
                    window.pane_ids.push(Some(ids.pane));
                }
                Err(why) => self.fail_session(at, &why),
            }
        }
        Ok(())
    }

    fn new_session(&self, at: usize) -> Line {
        let window = &self.sessions[at].windows[0];
        let step = window.panes[0].1;
        let argv = spawn::argv(step, self.world, self.builder.has_default_command);
        let spawn = Spawn { cwd: spawn::cwd(step, &self.world.account.home), argv: &argv };
        command::new_session(format!("{}-{at}", self.name).as_bytes(), window.size, spawn)
    }

    fn make_windows(&mut self) -> Result<(), TmuxError> {
        let (mut lines, mut made) = (Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter_mut().enumerate() {
            let Some(id) = session.id else { continue };
            let first = &session.windows[0];
            if let Some((window, at)) = first.id.zip(session.base_index)
                && at != first.index
            {
                // The user's base-index is another one; renumber-windows would move it back.
                lines.push(command::set_option(id, "renumber-windows", "off"));
                lines.push(command::move_window(id, window, first.index));
                lines.push(command::unset_option(id, "renumber-windows"));
                made.extend([None; 3]);
            }
            for (number, window) in session.windows.iter().enumerate().skip(1) {
                if window.size != session.size {
                    lines.push(command::set_default_size(id, window.size));
                    made.push(None);
                    session.size = window.size;
                }
                let step = window.panes[0].1;
                let argv = spawn::argv(step, self.world, self.builder.has_default_command);
                let cwd = spawn::cwd(step, &self.world.account.home);
                let spawn = Spawn { cwd, argv: &argv };
                lines.push(command::new_window(id, window.index, spawn));
                made.push(Some((at, number)));
            }
        }
        let replies = self.builder.exchange(&lines)?;
        for (made, reply) in made.into_iter().zip(replies) {
            let Some((at, number)) = made else { continue };
            let window = &mut self.sessions[at].windows[number];
            match ids(reply) {
                Ok(ids) => {
                    window.id = Some(ids.window);
                    window.pane_ids.push(Some(ids.pane));
                }
                Err(why) => self.results.fail(window.panes.iter().map(|(step, _)| *step), &why),
            }
        }
        Ok(())
    }

    /// Splits each window's first pane for the others, last one first: each new pane comes
    /// directly after the first, so they end up in order. Then the exact layout.
    fn make_panes(&mut self) -> Result<(), TmuxError> {
        let (mut lines, mut made) = (Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter_mut().enumerate() {
            for (number, window) in session.windows.iter_mut().enumerate() {
                let (Some(id), [Some(first)]) = (window.id, &window.pane_ids[..]) else { continue };
                let first = *first;
                window.pane_ids.resize(window.panes.len(), None);
                for (place, (_, step)) in window.panes.iter().enumerate().skip(1).rev() {
                    let argv = spawn::argv(step, self.world, self.builder.has_default_command);
                    let cwd = spawn::cwd(step, &self.world.account.home);
                    lines.push(command::split_window(first, Spawn { cwd, argv: &argv }));
                    made.push(Some((at, number, place)));
                    lines.push(command::tile(id));
                    made.push(None);
                }
                if let Some(layout) = window.layout.as_ref().filter(|_| window.panes.len() > 1) {
                    lines.push(command::select_layout(id, layout));
                    made.push(None);
                }
            }
        }
        let replies = self.builder.exchange(&lines)?;
        for (made, reply) in made.into_iter().zip(replies) {
            let Some((at, number, place)) = made else { continue };
            let window = &mut self.sessions[at].windows[number];
            let pane = match &reply {
                Reply::Done(text) => command::parse_pane(text).ok_or("unexpected reply"),
                Reply::Failed(why) => Err(why.as_str()),
            };
            match pane {
                Ok(pane) => window.pane_ids[place] = Some(pane),
                Err(why) => self.results.fail([window.panes[place].0], why),
            }
        }
        Ok(())
    }

    /// Titles, active and last marks, zoom; the options that only the building needed are the
    /// user's again; the names; then session groups.
    fn finish_windows(&mut self) -> Result<(), TmuxError> {
        let mut lines = Vec::new();
        for session in &self.sessions {
            let Some(id) = session.id else { continue };
            for window in &session.windows {
                finish_window(window, &mut lines);
            }
            if session.windows.len() > 1 {
                let marked =
                    |flag: fn(&Window<'_>) -> bool| session.windows.iter().find(|w| flag(w));
                let last = marked(|window| window.first().row.window_flags.last);
                let active = marked(|window| window.first().row.window_flags.active);
                let select = |window: &Window<'_>| command::select_window(id, window.index);
                lines.extend(last.into_iter().chain(active).map(select));
            }
            lines.push(command::unset_option(id, "default-size"));
        }
        let finishing = lines.len();
        let own = self.indexes(|session| session.joins.is_none() && session.id.is_some());
        for &at in &own {
            let session = &self.sessions[at];
            let name = &session.windows[0].first().row.session;
            lines.extend(session.id.map(|id| command::rename_session(id, name)));
        }
        let joining = self.indexes(|session| session.joins.is_some());
        let mut joined = Vec::new();
        for at in joining {
            let leader = self.sessions[at].joins.and_then(|leader| self.sessions[leader].id);
            match leader {
                Some(leader) => {
                    let name = &self.sessions[at].windows[0].first().row.session;
                    lines.push(command::new_grouped_session(name, leader));
                    joined.push(at);
                }
                None => self.fail_session(at, "the session it shares windows with was not made"),
            }
        }
        let mut replies = self.builder.exchange(&lines)?.into_iter().skip(finishing);
        let mut nameless = Vec::new();
        for (at, reply) in own.into_iter().zip(replies.by_ref()) {
            if let Reply::Failed(why) = reply {
                nameless.extend(self.sessions[at].id.map(command::kill_session));
                self.fail_session(at, &why);
            }
        }
        for (at, reply) in joined.into_iter().zip(replies) {
            if let Err(why) = ids(reply) {
                self.fail_session(at, &why);
            }
        }
        self.builder.exchange(&nameless)?;
        Ok(())
    }

    fn indexes(&self, which: impl Fn(&Session<'_>) -> bool) -> Vec<usize> {
        (0..self.sessions.len()).filter(|&at| which(&self.sessions[at])).collect()
    }

    fn fail_session(&mut self, at: usize, why: &str) {
        let steps = std::mem::take(&mut self.sessions[at].steps);
        self.results.fail(steps, why);
    }
}

trait Fail {
    fn fail(&mut self, steps: impl IntoIterator<Item = usize>, why: &str);
}

impl Fail for Results {
    fn fail(&mut self, steps: impl IntoIterator<Item = usize>, why: &str) {
        for step in steps {
            self[step] = Err(why.to_owned());
        }
    }
}

/// Name, titles, marks and zoom of a window that is there.
fn finish_window(window: &Window<'_>, lines: &mut Vec<Line>) {
    lines.extend(window.id.zip(window.name()).map(|(id, name)| command::rename_window(id, name)));
    let made = || {
        window.panes.iter().zip(&window.pane_ids).filter_map(|((_, step), id)| Some((step, (*id)?)))
    };
    for (step, id) in made() {
        if let Some(title) = &step.row.title {
            lines.push(command::set_title(id, title));
        }
    }
    if window.panes.len() < 2 {
        return;
    }
    let marked = |flag: fn(&Step) -> bool| made().find(|(step, _)| flag(step)).map(|(_, id)| id);
    let active = marked(|step| step.row.pane_flags.active);
    lines.extend(marked(|step| step.row.pane_flags.last).map(command::select_pane));
    lines.extend(active.map(command::select_pane));
    if window.first().row.window_flags.zoomed {
        lines.extend(active.map(command::zoom)); // last: select-layout would undo it
    }
}

fn ids(reply: Reply) -> Result<Ids, String> {
    match reply {
        Reply::Done(text) => Ids::parse(&text).ok_or_else(|| "unexpected reply".to_owned()),
        Reply::Failed(why) => Err(why),
    }
}
