//! From a request to the command that does it: the one file that knows all commands.

use super::commands::hook_event::hooked;
use super::commands::{
    conversation, diff, doctor, ended, forget, history, hook_install, import, list, show, status,
};
use super::context::Context;
use super::report::{
    ConversationReport, DiffReport, DoctorReport, EndedReport, ForgetReport, HistoryReport,
    HookInstallReport, ImportReport, ListReport, PlanReport, Problem, Report, SaveReport,
    StatusReport,
};
use super::request::{Job, Request};
use super::restore;
use super::save::{self, coalesce};
use crate::sys::process::watch::Watched;
use crate::sys::{Account, accounts, clock};
use crate::tmux::{Server, Socket};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

impl Job {
    /// Does the work as the user this process is.
    pub fn perform(self) -> Report {
        let account = match accounts::current() {
            Ok(account) => as_the_environment_says(account),
            Err(error) => return failed(&self.request, error.to_string()),
        };
        let context = Context {
            hooks: coalesce::hooks(&self),
            account,
            now: clock::now(),
            server: Server {
                socket: Socket::named(&self.socket, self.tmpdir.as_deref()),
                deadline: self.tmux_deadline,
                may_start: self.may_start_server,
            },
            launcher: beside_ourselves(crate::agent::launcher::PROGRAM),
            state_dir: self.state_dir,
            may_create: self.may_create,
            lock_wait: self.lock_wait,
            lost_window: self.lost_window,
            retention: self.retention,
            keep: self.keep,
            restore: self.restore,
        };
        match &self.request {
            Request::Save => save::save(&context),
            Request::SaveSoon => save::save_soon(&context),
            Request::Restore { sessions, from, dry_run, mode } => {
                restore::restore(&context, sessions, from.as_deref(), *mode, *dry_run)
            }
            Request::Show { snapshot, mode } => show::show(&context, snapshot.as_deref(), *mode),
            Request::List => list::list(&context),
            Request::Forget { sessions, reason, kill } => {
                forget::forget(&context, sessions, reason, *kill)
            }
            Request::Status => status::status(&context),
            Request::History { all } => history::history(&context, *all),
            Request::Diff { from, to } => diff::diff(&context, from, to),
            Request::Doctor { root } => doctor::doctor(&context, root),
            Request::Conversation { id, agent } => {
                conversation::conversation(&context, id, agent.as_deref())
            }
            Request::Ended(ended) => ended::ended(&context, ended),
            Request::Import => import::import(&context),
            Request::HookEvent(call) => hooked(&context, call),
            Request::HookInstall(wire) => hook_install::wire(&context, wire),
        }
    }
}

impl Job {
    /// Holds the caller's tmux server, if one runs, so that its end can be waited for.
    pub fn watch_server(&self) -> std::io::Result<Option<Watched>> {
        let socket = Socket::named(&self.socket, self.tmpdir.as_deref());
        socket.server_pid().map_or(Ok(None), Watched::new)
    }
}

/// The report of a request that could not be carried out at all.
pub fn failed(request: &Request, error: String) -> Report {
    let problem = Some(Problem { message: error.clone(), usage: false });
    match request {
        Request::Save | Request::SaveSoon | Request::HookEvent(_) => {
            Report::Save(SaveReport { error: Some(error), ..SaveReport::default() })
        }
        Request::HookInstall(_) => Report::HookInstall(HookInstallReport {
            error: problem,
            ..HookInstallReport::default()
        }),
        Request::Restore { .. } | Request::Show { .. } => {
            Report::Plan(PlanReport { error: problem, ..PlanReport::default() })
        }
        Request::List => Report::List(ListReport { error: problem, ..ListReport::default() }),
        Request::Doctor { .. } => {
            Report::Doctor(Box::new(DoctorReport { error: problem, ..DoctorReport::default() }))
        }
        Request::Status => {
            Report::Status(Box::new(StatusReport { error: problem, ..StatusReport::default() }))
        }
        Request::History { .. } => {
            Report::History(HistoryReport { error: problem, ..HistoryReport::default() })
        }
        Request::Diff { .. } => {
            Report::Diff(DiffReport { error: problem, ..DiffReport::default() })
        }
        Request::Conversation { .. } => Report::Conversation(ConversationReport {
            error: problem,
            ..ConversationReport::default()
        }),
        Request::Ended(_) => {
            Report::Ended(EndedReport { error: problem, ..EndedReport::default() })
        }
        Request::Import => {
            Report::Import(ImportReport { error: problem, ..ImportReport::default() })
        }
        Request::Forget { .. } => {
            Report::Forget(ForgetReport { error: problem, ..ForgetReport::default() })
        }
    }
}

/// The agents and tmux go by `$HOME` and `$SHELL`, so for the caller's own work we do, too. Not by
/// a home of somebody else's: that is what root has after some ways of becoming root.
fn as_the_environment_says(account: Account) -> Account {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = |home: &PathBuf| home.metadata().is_ok_and(|meta| meta.uid() == account.uid.as_raw());
    let home = absolute("HOME").filter(own).unwrap_or(account.home);
    let shell = absolute("SHELL").unwrap_or(account.shell);
    Account { home, shell, ..account }
}

/// A program of ours that is installed beside the running one.
fn beside_ourselves(program: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(program);
    let mode = beside.metadata().ok().filter(std::fs::Metadata::is_file)?.mode();
    (mode & 0o111 != 0).then_some(beside)
}
