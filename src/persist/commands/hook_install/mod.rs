//! `hook --install` and `--uninstall`: makes an agent call our hook, or no longer, by its settings: a
//! file of ours among the machine's, or entries in the user's own.

mod error;
pub(crate) mod place;
mod settings_file;

pub use error::HookInstallError;

use crate::agent::machine;
use crate::agent::settings::HookCommand;
use crate::persist::context::Context;
use crate::persist::own_program::program;
use crate::persist::report::{HookInstallReport, HookInstallResult, Report};
use crate::persist::request::{HookInstall, Scope};
use crate::sys::fs::trusted_path;
use crate::text::shown;
use crate::tmux::HookState;
use crate::tmux::Hooks;
use place::What;
use settings_file::SettingsFile;
use std::path::{Path, PathBuf};

/// Installs or removes the hook. Safe to run repeatedly.
pub fn run(context: &Context, request: &HookInstall) -> Report {
    let mut report = HookInstallReport::default();
    if let Err(error) = try_run(context, request, &mut report) {
        report.result = HookInstallResult::Failed;
        report.error = Some(error.into());
    }
    Report::HookInstall(report)
}

fn try_run(
    context: &Context,
    request: &HookInstall,
    report: &mut HookInstallReport,
) -> Result<(), HookInstallError> {
    let Some(place) = place::of(&request.agent) else {
        return Err(HookInstallError::NoHooks(crate::text::escape(request.agent.as_bytes())));
    };
    let for_all = request.scope == Scope::Machine;
    if for_all && request.agent != "claude" {
        return Err(HookInstallError::NoMachineSettings);
    }
    let program = own_program(request)?;
    let not_utf8 = |_| HookInstallError::ProgramNotUtf8;
    let file = if for_all {
        SettingsFile::of_machine(request)?
    } else {
        SettingsFile::of_user(context, request, place.dir, place.file)?
    };
    let Some(file) = file else {
        let what = match place.what {
            What::Entries { .. } => "the agent has no settings file",
            What::OwnFile(_) => "the hook is not installed",
        };
        report.notes.push(what.to_owned());
        report.result = HookInstallResult::Unchanged;
        return Ok(());
    };
    report.file = crate::text::json_text(file.path().as_os_str().as_encoded_bytes());
    report.result = match place.what {
        What::Entries { events, per_second } => {
            let command = machine::command(&program, &request.agent, &request.options);
            let command = command.map_err(not_utf8)?;
            let timeout = TIMEOUT * per_second;
            let is_ours = machine::is_ours;
            let wiring = HookCommand { events, command: &command, timeout, is_ours };
            file.change(request.install, &wiring, &mut report.notes)?
        }
        What::OwnFile(kind) => {
            let words = machine::command_words(&program, &request.agent, &request.options);
            let text = kind.text(&words.map_err(not_utf8)?);
            file.change_own(request.install, kind, &text, &mut report.notes)?
        }
    };
    tracing::info!(result = ?report.result, file = report.file, "agent settings");
    if request.install && request.agent == "codex" && report.result == HookInstallResult::Installed
    {
        let note = "Codex asks once, at its next start, whether you trust the hooks";
        report.notes.push(note.to_owned());
    }
    if request.agent == "codex" {
        report.result = change_title(context, request, report);
    }
    if !request.install && !for_all {
        remove_tmux_hooks(context, &mut report.notes);
    }
    Ok(())
}

/// Makes Codex show its thread in its pane's title, or no longer: with its shared daemon nothing else
/// says which pane runs which thread. A failure is only noted. Returns the result of both changes.
fn change_title(
    context: &Context,
    request: &HookInstall,
    report: &mut HookInstallReport,
) -> HookInstallResult {
    let changed =
        SettingsFile::of_codex(context, request).map_err(HookInstallError::from).and_then(|file| {
            let Some(file) = file else { return Ok(None) };
            Ok(Some((file.path(), file.change_title(request.install, &mut report.notes)?)))
        });
    match changed {
        Ok(None | Some((_, HookInstallResult::Unchanged))) => report.result,
        Ok(Some((path, result))) => {
            let does = if request.install { "now shows its thread" } else { "is as before" };
            report.notes.push(format!("{}: the title of its pane {does}", shown(&path)));
            result
        }
        Err(error) => {
            report.notes.push(format!("the title of its pane does not show its thread: {error}"));
            report.result
        }
    }
}

/// How long an agent waits for the hook at most, in seconds.
const TIMEOUT: u32 = 5;

/// The program that the agent runs: this one by its absolute path, since the agent's PATH may be another
/// one.
fn own_program(request: &HookInstall) -> Result<PathBuf, HookInstallError> {
    let program = program().ok_or(HookInstallError::UnknownProgram)?;
    if request.scope == Scope::Machine && request.root == Path::new("/") {
        // Every user will run it.
        trusted_path::check(&program)?;
    }
    Ok(program)
}

/// Removes our hooks from the tmux server, too.
fn remove_tmux_hooks(context: &Context, notes: &mut Vec<String>) {
    let Ok(Some(listing)) = context.server.list() else { return };
    if listing.hooks == HookState::Missing {
        return;
    }
    notes.push(match context.server.send(Hooks::unset()) {
        Ok(()) if context.hooks.is_some() => {
            "also removed the hooks of the tmux server; the next save sets them again, unless the \
             configuration has save_on_change = false"
                .to_owned()
        }
        Ok(()) => "also removed the hooks of the tmux server".to_owned(),
        Err(error) => format!("removing the hooks of the tmux server: {error}"),
    });
}
