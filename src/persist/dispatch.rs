//! Performs requests: the one file that uses all commands.

use super::commands::{
    conversation, diff, doctor, ended, events, forget, history, hook_event, hook_install, import,
    list, show, status,
};
use super::context::Context;
use super::report::{
    ConversationReport, DiffReport, DoctorReport, EndedReport, EventsReport, ForgetReport,
    HistoryReport, HookInstallReport, ImportReport, ListReport, PlanReport, Problem, Report,
    SaveReport, StatusReport, SuspendReport, WatchReport,
};
use super::request::{Job, Request};
use super::restore;
use super::save::{self, coalesce};
use super::suspend;
use super::watch;
use super::watch_task::WatchStep;
use crate::agent;
use crate::events::Hook;
use crate::sys::accounts::AccountError;
use crate::sys::process::watch::Watched;
use crate::sys::{Account, accounts, clock, mounts};
use crate::tmux::{Server, Socket};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

impl Job {
    /// Performs the request as the user of this process.
    pub fn perform(self) -> Report {
        let account = match accounts::current() {
            Ok(account) => with_environment(account),
            Err(error) => return failed(&self.request, Problem::failed(&error)),
        };
        let _span =
            tracing::info_span!("request", user = account.name, command = self.request.name())
                .entered();
        let request = self.request.clone();
        let context = self.context(account);
        agent::described::load(&context.account.home);
        match &request {
            Request::Save => save::save(&context),
            Request::SaveSoon => save::save_soon(&context),
            Request::Restore { sessions, from, dry_run, mode } => {
                restore::restore(&context, sessions, from.as_deref(), *mode, *dry_run)
            }
            Request::Show { snapshot, mode } => show::show(&context, snapshot.as_deref(), *mode),
            Request::Suspend(request) => suspend::suspend(&context, request),
            Request::Resume { words } => suspend::resume(&context, words),
            Request::List => list::list(&context),
            Request::Forget { sessions, reason, kill } => {
                forget::forget(&context, sessions, reason, *kill)
            }
            Request::Status => status::status(&context),
            Request::History { all } => history::history(&context, *all),
            Request::Events(request) => events::events(&context, request),
            Request::Diff { from, to } => diff::diff(&context, from, to),
            Request::Doctor { root } => doctor::doctor(&context, root),
            Request::Conversation { id, agent } => {
                conversation::conversation(&context, id, agent.as_deref())
            }
            Request::Ended(ended) => ended::ended(&context, ended),
            Request::Import => import::import(&context),
            Request::HookEvent(call) => hook_event::handle(&context, call),
            Request::HookInstall(request) => hook_install::run(&context, request),
            Request::Watch(task) => match task.step {
                WatchStep::Wait => watch::run::run(&context, task),
                WatchStep::List => watch::list::list(&context, task),
                WatchStep::Warn => watch::warn::warn(&context, task),
                WatchStep::Comeback => watch::comeback::comeback(&context, task),
            },
        }
    }
}

impl Job {
    /// The context of this job for the user of this process.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn own_context(self) -> Result<Context, AccountError> {
        let account = with_environment(accounts::current()?);
        let context = self.context(account);
        agent::described::load(&context.account.home);
        Ok(context)
    }

    fn context(self, account: Account) -> Context {
        let options = self.options();
        Context {
            notifier: Hook { command: self.notify.clone(), options: options.clone() },
            options,
            hooks: coalesce::hooks(&self),
            account,
            now: clock::now(),
            server: Server {
                socket: Socket::named(&self.socket, self.tmpdir.as_deref()),
                deadline: self.tmux_deadline,
                start_deadline: self.tmux_deadline.max(self.restore_deadline / 10 * 9),
                may_start: self.may_start_server,
                configuration: Vec::new(),
            },
            launcher: beside_this_program(crate::agent::launcher::PROGRAM),
            state_dir: self.state_dir,
            may_create: self.may_create,
            lock_wait: self.lock_wait,
            lost_window: self.lost_window,
            retention: self.retention,
            keep: self.keep,
            restore: self.restore,
            watch: self.watch,
            suspend: self.suspend,
        }
    }

    /// Options with which another `persist` works on the same state and server.
    fn options(&self) -> Vec<OsString> {
        let words = ["--state-dir".into(), self.state_dir.clone().into_os_string()];
        let socket = ["--socket".into(), self.socket.clone().into()];
        let config = self.config.iter().flat_map(|file| ["--config".into(), file.clone().into()]);
        words.into_iter().chain(socket).chain(config).collect()
    }

    /// A handle on the caller's tmux server, to wait for its end; `None` if none runs.
    pub fn watch_server(&self) -> std::io::Result<Option<Watched>> {
        let socket = Socket::named(&self.socket, self.tmpdir.as_deref());
        socket.server_pid().map_or(Ok(None), Watched::new)
    }
}

/// The report of a request that could not be started at all.
pub fn failed(request: &Request, problem: Problem) -> Report {
    let error = Some(problem);
    match request {
        Request::Save | Request::SaveSoon | Request::HookEvent(_) => {
            Report::Save(SaveReport { error, ..Default::default() })
        }
        Request::Restore { .. } | Request::Show { .. } => {
            Report::Plan(PlanReport { error, ..Default::default() })
        }
        Request::HookInstall(_) => {
            Report::HookInstall(HookInstallReport { error, ..Default::default() })
        }
        Request::Watch(_) => Report::Watch(WatchReport { error, ..Default::default() }),
        Request::Suspend(_) | Request::Resume { .. } => {
            Report::Suspend(SuspendReport { error, ..Default::default() })
        }
        Request::List => Report::List(ListReport { error, ..Default::default() }),
        Request::Doctor { .. } => {
            Report::Doctor(Box::new(DoctorReport { error, ..Default::default() }))
        }
        Request::Status => Report::Status(Box::new(StatusReport { error, ..Default::default() })),
        Request::History { .. } => Report::History(HistoryReport { error, ..Default::default() }),
        Request::Events(_) => Report::Events(EventsReport { error, ..Default::default() }),
        Request::Diff { .. } => Report::Diff(DiffReport { error, ..Default::default() }),
        Request::Conversation { .. } => {
            Report::Conversation(ConversationReport { error, ..Default::default() })
        }
        Request::Ended(_) => Report::Ended(EndedReport { error, ..Default::default() }),
        Request::Import => Report::Import(ImportReport { error, ..Default::default() }),
        Request::Forget { .. } => Report::Forget(ForgetReport { error, ..Default::default() }),
    }
}

/// Applies `$HOME` and `$SHELL`, as the agents and tmux do. A home of another user is ignored: some
/// ways of becoming root leave one.
fn with_environment(account: Account) -> Account {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let answers = |home: &PathBuf| mounts::unanswered(home).is_none();
    let own = |home: &PathBuf| {
        answers(home) && home.metadata().is_ok_and(|meta| meta.uid() == account.uid.as_raw())
    };
    let home = absolute("HOME").filter(own).unwrap_or(account.home);
    let shell = absolute("SHELL").unwrap_or(account.shell);
    Account { home, shell, ..account }
}

/// Path of another program of ours that is installed beside the running one.
fn beside_this_program(program: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(program);
    let mode = beside.metadata().ok().filter(std::fs::Metadata::is_file)?.mode();
    (mode & 0o111 != 0).then_some(beside)
}
