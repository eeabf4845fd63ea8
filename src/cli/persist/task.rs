//! From a command line to the task it asks for.

use super::args::{Command, Common, ConversationArgs, DiffArgs, EndedArgs, HookArgs, WatchArgs};
use crate::cli::exit::Failure;
use crate::persist::commands::ended;
use crate::persist::restore_mode::Mode;
use crate::persist::suspend_request::Suspend;
use crate::persist::{Ended, EventsRequest, HookInstall, Request, Scope, WatchStep, WatchTask};
use crate::supervisor::targets::Target;
use crate::supervisor::task::Task;
use crate::sys::{accounts, clock};
use crate::text::{escape, io_reason, shown};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The task of a command; `None` for the commands that work on no user.
pub(crate) fn task(command: Command, common: &Common) -> Result<Option<Task>, Failure> {
    let mode = |mode: Option<String>| mode.as_deref().and_then(Mode::parse);
    let (target, request) = match command {
        Command::Save(args) if args.coalesce => {
            clock::pause(Duration::from_secs(args.after.unwrap_or(0)));
            (Target::Caller, Request::SaveSoon)
        }
        Command::Save(args) if args.all_users => (Target::AllUsers, Request::Save),
        Command::Save(args) => (Target::NamedOrAll(args.users), Request::Save),
        Command::Restore(args) => {
            let from = args.from.map(absolute).transpose()?;
            let (sessions, mode) = (escaped(&args.sessions), mode(args.mode));
            let request = Request::Restore { sessions, from, dry_run: args.dry_run, mode };
            (Target::NamedOrAll(args.users), request)
        }
        Command::Suspend(args) => {
            let request = Suspend {
                words: escaped(&args.sessions),
                older_than: args.older_than,
                need: args.need,
                dry_run: args.dry_run,
                force: args.force,
            };
            (Target::NamedOrAll(args.users), Request::Suspend(request))
        }
        Command::Resume(args) => {
            let words = escaped(&args.sessions);
            (Target::NamedOrAll(args.users), Request::Resume { words })
        }
        Command::Show(args) => {
            let snapshot = args.snapshot.map(absolute).transpose()?;
            (one_or_all(args.user), Request::Show { snapshot, mode: mode(args.mode) })
        }
        Command::List { user } => (one_or_all(user), Request::List),
        Command::Forget(args) => {
            let sessions = escaped(&args.sessions);
            let request = Request::Forget { sessions, reason: args.reason, kill: args.kill };
            (Target::One(args.user), request)
        }
        Command::History(args) => (one_or_all(args.user), Request::History { all: args.all }),
        Command::Events(args) => {
            let since = args.since.map(|since| clock::now().saturating_sub(since.as_secs()));
            let sessions = escaped(&args.sessions);
            let request = EventsRequest { since, sessions, kinds: args.kinds };
            (one_or_all(args.user), Request::Events(request))
        }
        Command::Diff(DiffArgs { from, to, user, .. }) => {
            (one_or_all(user), Request::Diff { from: absolute(from)?, to: absolute(to)? })
        }
        Command::Conversation(ConversationArgs { id, agent }) => {
            (Target::Caller, Request::Conversation { id, agent })
        }
        Command::Ended(EndedArgs { conversation, how, agent, session, reason }) => {
            let (session, closed) = (escape(session.as_bytes()), how == "closed");
            let pane = ended::pane_of_caller();
            let ended = Ended { conversation, pane, agent, session, closed, reason };
            (Target::Caller, Request::Ended(ended))
        }
        Command::Hook(args) => (Target::Caller, hook_install(args, common)?),
        Command::Watch(WatchArgs { by_unit, step, root }) => {
            let step = WatchStep::parse(&step).unwrap_or(WatchStep::Wait);
            (Target::Caller, Request::Watch(WatchTask { step, by_unit, root }))
        }
        Command::Status(_)
        | Command::Doctor(_)
        | Command::Boot(_)
        | Command::Import
        | Command::Keeper
        | Command::Notify
        | Command::Completions { .. }
        | Command::Manual { .. }
        | Command::Worker { .. } => return Ok(None),
    };
    Ok(Some(Task { target, request }))
}

fn one_or_all(user: Option<String>) -> Target {
    Target::NamedOrAll(user.into_iter().collect())
}

fn escaped(names: &[OsString]) -> Vec<String> {
    names.iter().map(|name| escape(name.as_bytes())).collect()
}

/// `hook --install` and `--uninstall`.
fn hook_install(args: HookArgs, common: &Common) -> Result<Request, Failure> {
    let scope = if args.scope == "machine" { Scope::Machine } else { Scope::User };
    if scope == Scope::Machine && args.root.is_none() && !accounts::is_root() {
        return Err(Failure::refused("'persist hook --scope machine' must be run as root"));
    }
    let mut options = Vec::new();
    for (name, path) in [("--state-dir", &common.state_dir), ("--config", &common.config)] {
        if let Some(path) = path {
            options.extend([name.to_owned(), absolute_utf8(path)?]);
        }
    }
    if let Some(socket) = &common.socket {
        options.extend(["--socket".to_owned(), socket.clone()]);
    }
    let agent = args.agent.unwrap_or_else(|| "claude".to_owned());
    let root = args.root.unwrap_or_else(|| PathBuf::from("/"));
    Ok(Request::HookInstall(HookInstall { install: args.install, scope, agent, root, options }))
}

/// A snapshot id as it is, a path as an absolute one: a user's process works in another directory.
fn absolute(snapshot: String) -> Result<String, Failure> {
    if snapshot.contains('/') { absolute_utf8(Path::new(&snapshot)) } else { Ok(snapshot) }
}

fn absolute_utf8(path: &Path) -> Result<String, Failure> {
    let failed = |why: &str| Failure::usage(format!("{}: {why}", shown(path)));
    let path = std::path::absolute(path).map_err(|error| failed(&io_reason(&error)))?;
    path.into_os_string().into_string().map_err(|_| failed("the path is not UTF-8"))
}
