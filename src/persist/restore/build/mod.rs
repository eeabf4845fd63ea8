//! Creates planned sessions in a tmux server, over one control-mode connection: all sessions, then
//! all other windows, then all other panes, then titles, marks, sizes and names. Each is one
//! exchange, whatever the number of sessions. At the end each pane is checked: it counts as restored
//! only if it exists and its program runs.
//!
//! A session gets its own name last. Until then it has a name of ours, so that an interrupted restore
//! leaves nothing that looks complete. The next restore ends it ([`super::unfinished`]).

mod arrange;
mod complete;
pub mod configured;
mod create;
mod failure;
mod finish;
mod groups;
mod names;
mod pane_command;
mod pane_shell;

pub use failure::StepFailure;

use super::step::Step;
use crate::persist::capture::BUILDER_PREFIX;
use crate::persist::context::Context;
use crate::sys::mounts;
use crate::tmux::command::{self, Ids, Line, Spawn};
use crate::tmux::control::Reply;
use crate::tmux::{Builder, TmuxError};
use arrange::{Session, arrange};
use std::collections::BTreeMap;
use std::path::Path;

/// What was built.
#[derive(Debug, Default)]
pub struct Built {
    /// The result of each step, in the order given.
    pub results: Vec<Result<(), StepFailure>>,
    /// By step, the name of its session where its own was taken meanwhile.
    pub other_names: BTreeMap<usize, Vec<u8>>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// A connection to the user's server, which was started if none ran.
pub struct Connection {
    builder: Builder,
    /// The name of the connection's own session.
    name: String,
}

/// Connects to the user's server.
pub fn connect(context: &Context) -> Result<Connection, TmuxError> {
    let name = format!("{BUILDER_PREFIX}{}", crate::sys::fs::random_hex());
    let home = usable_home(context);
    Ok(Connection { builder: context.server.build(&name, home)?, name })
}

/// The home, or `/` if it is missing or does not answer.
fn usable_home(context: &Context) -> &Path {
    let home = &context.account.home;
    if mounts::unanswered(home).is_none() && home.is_dir() { home } else { Path::new("/") }
}

impl Connection {
    /// Whether the server was started for this connection.
    pub fn began_server(&self) -> bool {
        self.builder.began
    }

    /// The sessions of the server: id, whether a client shows it, and name.
    pub fn sessions(&mut self) -> Result<Vec<(u32, bool, Vec<u8>)>, TmuxError> {
        let reply = self.builder.exchange(&[command::list_sessions()])?.into_iter().next();
        let Some(Reply::Done(list)) = reply else { return Ok(Vec::new()) };
        Ok(list.lines().filter_map(command::parse_session).collect())
    }

    /// Ends the connection.
    pub fn close(self) -> Result<(), TmuxError> {
        self.builder.finish()
    }

    /// Executes `steps`, all of which are selected and none of which is a skip. The sessions
    /// `replaced` are ended before theirs get their names.
    pub fn build(
        self,
        context: &Context,
        steps: &[Step],
        replaced: &[u32],
    ) -> Result<Built, TmuxError> {
        let Self { builder, name } = self;
        let home = usable_home(context);
        let results = vec![Ok(()); steps.len()];
        let mut build = Build {
            context,
            builder,
            home,
            name,
            steps,
            sessions: arrange(steps),
            built: Built { results, ..Built::default() },
            nameless: Vec::new(),
        };
        build.resume_in_place()?;
        build.builder.make_new_only();
        build.create_sessions()?;
        build.create_windows()?;
        build.link_windows()?;
        build.create_panes()?;
        build.finish_windows()?;
        build.join_groups()?;
        build.finish_joined()?;
        build.release_hooks()?;
        build.name_sessions(replaced)?;
        build.check_places()?;
        build.keep_server()?;
        build.builder.finish()?;
        Ok(build.built)
    }
}

struct Build<'a> {
    context: &'a Context,
    /// The user's home, or the root if that cannot be entered.
    home: &'a Path,
    builder: Builder,
    /// Name of the connection's own session, and prefix of the names of unfinished sessions.
    name: String,
    steps: &'a [Step],
    sessions: Vec<Session<'a>>,
    built: Built,
    /// The sessions which could not get their names, and why.
    nameless: Vec<(usize, StepFailure)>,
}

/// The purpose of a command, which determines the meaning of its reply. The numbers are indices: of a step, or of
/// a session, a window in it, and a pane in that.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    /// Start an agent in an existing pane, for this step.
    InPlace(usize),
    Session(usize),
    Window(usize, usize),
    Pane(usize, usize, usize),
    /// Complete a window or a session.
    Finish(usize, usize),
    /// Give a session its name.
    Name(usize),
    /// Link a window into another session.
    Link(usize, usize),
    /// Create a session that shares the windows of another.
    Join(usize),
    /// A command whose failure does not matter, or shows elsewhere.
    Auxiliary,
}

impl Build<'_> {
    /// A command that creates the pane of a step.
    fn spawn(&self, step: &Step, command: impl FnOnce(Spawn<'_>) -> Line) -> Line {
        let argv = pane_command::argv(step, self.context, &self.builder);
        let cwd = pane_command::cwd(step, self.home);
        let environment = pane_command::environment(step, self.context);
        command(Spawn { cwd, argv: &argv, environment: &environment, window_name: None })
    }

    /// What is done to a new session at once: the user's hooks are held off, and it is kept although no
    /// client shows it. Any client that goes, also one of an agent's, makes tmux end what is not kept.
    fn held(&self, name: &str) -> Vec<Line> {
        let target = format!("={name}:");
        let mut lines = self.builder.hooks.hold(&target);
        lines.extend(self.builder.destroys_unattached.then(|| command::keep_unattached(&target)));
        lines
    }

    /// Sends commands in one exchange, and enters what each reply means.
    fn send(&mut self, orders: Vec<(Purpose, Line)>) -> Result<(), TmuxError> {
        let (purposes, lines): (Vec<Purpose>, Vec<Line>) = orders.into_iter().unzip();
        let replies = self.builder.exchange(&lines)?;
        for (purpose, reply) in purposes.into_iter().zip(replies) {
            self.enter(purpose, reply);
        }
        Ok(())
    }

    fn enter(&mut self, purpose: Purpose, reply: Reply) {
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
                    Reply::Done(text) => {
                        command::parse_pane(&text).ok_or(StepFailure::UnexpectedReply(text))
                    }
                    Reply::Failed(why) => Err(StepFailure::Tmux(why)),
                };
                let window = &mut self.sessions[at].windows[number];
                match pane {
                    Ok(pane) => window.pane_ids[place] = Some(pane),
                    Err(why) => self.built.results[window.panes[place].0] = Err(why),
                }
            }
            (Purpose::InPlace(at), Reply::Failed(why)) => {
                self.built.results[at] = Err(StepFailure::Tmux(why));
            }
            (Purpose::Finish(at, number) | Purpose::Link(at, number), Reply::Failed(why)) => {
                self.fail_window(at, number, &StepFailure::Tmux(why));
            }
            (Purpose::Name(at), Reply::Failed(why)) => {
                self.nameless.push((at, StepFailure::Tmux(why)));
            }
            (Purpose::Join(at), reply) => match ids(reply) {
                Ok(ids) => self.sessions[at].id = Some(ids.session),
                Err(why) => self.fail_session(at, &why),
            },
            (
                Purpose::Auxiliary
                | Purpose::InPlace(_)
                | Purpose::Finish(..)
                | Purpose::Link(..)
                | Purpose::Name(_),
                Reply::Done(_),
            )
            | (Purpose::Auxiliary, _) => {}
        }
    }

    fn fail_session(&mut self, at: usize, why: &StepFailure) {
        for number in 0..self.sessions[at].windows.len() {
            self.fail_window(at, number, why);
        }
    }

    fn fail_window(&mut self, at: usize, number: usize, why: &StepFailure) {
        for (step, _) in &self.sessions[at].windows[number].panes {
            self.built.results[*step] = Err(why.clone());
        }
    }
}

fn ids(reply: Reply) -> Result<Ids, StepFailure> {
    match reply {
        Reply::Done(text) => Ids::parse(&text).ok_or(StepFailure::UnexpectedReply(text)),
        Reply::Failed(why) => Err(StepFailure::Tmux(why)),
    }
}
