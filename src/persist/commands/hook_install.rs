//! `hook --install` and `--uninstall`: agents are told to call our hook, or no more, by their
//! settings: a file of ours beside the machine's, or one key of the user's own.

use crate::agent::machine;
use crate::agent::settings::{self, Wiring};
use crate::persist::context::Context;
use crate::persist::own_program::program;
use crate::persist::report::{HookInstallReport, HookInstallResult, Problem, Report};
use crate::persist::request::{HookInstall, Scope};
use crate::sys::fs::{self, Existing, trusted_path};
use crate::sys::{Dir, FileError, accounts};
use crate::tmux::Hooks;
use crate::tmux::hooks::Found;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Events of Codex, which has no `Notification`.
const CODEX: [&str; 4] = ["SessionStart", "SessionEnd", "UserPromptSubmit", "Stop"];
/// No settings file is larger (bytes).
const MAX_SETTINGS: u64 = 8 << 20;

/// Does it.
pub fn wire(context: &Context, wire: &HookInstall) -> Report {
    let mut wired = HookInstallReport::default();
    if let Err(problem) = try_wire(context, wire, &mut wired) {
        wired.result = HookInstallResult::Failed;
        wired.error = Some(problem);
    }
    Report::HookInstall(wired)
}

fn try_wire(
    context: &Context,
    wire: &HookInstall,
    wired: &mut HookInstallReport,
) -> Result<(), Problem> {
    let events: &[&str] = match wire.agent.as_str() {
        "claude" => &machine::EVENTS,
        "codex" => &CODEX,
        other => return Err(Problem::usage(format!("'{other}' has no hooks that we know"))),
    };
    let for_all = wire.scope == Scope::Machine;
    if for_all && wire.agent != "claude" {
        return Err(Problem::usage("only claude has settings of the machine: --scope user".into()));
    }
    let command = command(wire).map_err(|why| Problem::failed(&why))?;
    let wiring = Wiring { events, command: &command, is_ours: machine::is_ours };
    let place = if for_all { Place::drop_in(wire) } else { Place::of_user(context, wire) };
    let Some(place) = place.map_err(|error| Problem::failed(&error))? else {
        wired.notes.push("there are no settings".to_owned());
        wired.result = HookInstallResult::Unchanged;
        return Ok(());
    };
    wired.file = place.path().display().to_string();
    wired.result = place.change(wire.install, &wiring, &mut wired.notes)?;
    if wire.install && wire.agent == "codex" && wired.result == HookInstallResult::Installed {
        wired.notes.push("Codex asks once, at its next start, whether you trust them".to_owned());
    }
    if !wire.install && !for_all {
        forget_tmux_hooks(context, &mut wired.notes);
    }
    Ok(())
}

/// What the agent runs: this program, by its path, whatever the PATH is there.
fn command(wire: &HookInstall) -> Result<String, String> {
    let program = program().ok_or("where this program is cannot be told")?;
    if wire.scope == Scope::Machine && wire.root == Path::new("/") {
        // Every user will run it.
        trusted_path::assert_roots_own(&program).map_err(|error| error.to_string())?;
    }
    machine::command(&program, &wire.agent, &wire.options)
}

/// A settings file, there or not.
struct Place {
    dir: Dir,
    name: String,
    /// The mode of one that is made.
    mode: u32,
}

impl Place {
    fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// Our own file among the machine's.
    fn drop_in(wire: &HookInstall) -> Result<Option<Self>, FileError> {
        let path = wire.root.join(machine::DROP_INS.trim_start_matches('/'));
        if !wire.install && !path.exists() {
            return Ok(None);
        }
        let dir = if accounts::is_root() {
            trusted_path::ensure_state_dir(&path)?
        } else {
            fs::create_private_dirs(&path)?;
            Dir::open(&path)?
        };
        Ok(Some(Self { dir, name: machine::DROP_IN.to_owned(), mode: 0o644 }))
    }

    /// The user's own settings, or the file that they are a link to. Links that leave the home and
    /// files of others are refused.
    fn of_user(context: &Context, wire: &HookInstall) -> Result<Option<Self>, FileError> {
        let (directory, name) = match wire.agent.as_str() {
            "codex" => (".codex", "hooks.json"),
            _ => (".claude", "settings.json"),
        };
        let home = canonical(&context.account.home)?;
        let directory = home.join(directory);
        if directory.symlink_metadata().is_err() {
            if !wire.install {
                return Ok(None);
            }
            fs::create_private_dirs(&directory)?;
        }
        let file = directory.join(name);
        let real = match file.symlink_metadata() {
            Ok(_) => canonical(&file)?,
            Err(_) => canonical(&directory)?.join(name),
        };
        let refused = |why: &str| Err(FileError::refused("changing", &file, why));
        if !real.starts_with(&home) {
            return refused("it leads out of the home: left alone");
        }
        let (Some(parent), Some(name)) = (real.parent(), real.file_name().and_then(OsStr::to_str))
        else {
            return refused("it has no name");
        };
        let dir = Dir::open(parent)?;
        if !dir.is_own()? {
            return refused("its directory belongs to another user");
        }
        Ok(Some(Self { dir, name: name.to_owned(), mode: 0o600 }))
    }

    /// Changes the file where there is something to change; the rest of it stays as it is, byte
    /// by byte, or nothing is done.
    fn change(
        &self,
        install: bool,
        wiring: &Wiring<'_>,
        notes: &mut Vec<String>,
    ) -> Result<HookInstallResult, Problem> {
        // Agents write their settings, too: what changed under our hands is read again.
        const TRIES: u32 = 5;
        for _ in 0..TRIES {
            let before = self.read()?;
            let after = self.changed(before.as_deref(), install, wiring)?;
            if after == before {
                return Ok(HookInstallResult::Unchanged);
            }
            if before.as_deref().is_some_and(are_disabled) {
                notes.push("the settings disable all hooks (disableAllHooks)".to_owned());
            }
            let mode = self.dir.stat(&self.name).map_err(|error| Problem::failed(&error))?;
            let mode = mode.map_or(self.mode, |stat| stat.st_mode & 0o777);
            if self.read()? != before {
                continue;
            }
            let done = match &after {
                Some(text) => {
                    let existing =
                        if before.is_some() { Existing::Replaced } else { Existing::Kept };
                    self.dir.write_as(&self.name, text.as_bytes(), existing, mode)
                }
                None => self.dir.remove(&self.name).and_then(|()| self.dir.sync()),
            };
            done.map_err(|error| Problem::failed(&error))?;
            return Ok(if install {
                HookInstallResult::Installed
            } else {
                HookInstallResult::Removed
            });
        }
        Err(Problem::failed(&format!("{}: it changes all the time", self.path().display())))
    }

    fn changed(
        &self,
        before: Option<&str>,
        install: bool,
        wiring: &Wiring<'_>,
    ) -> Result<Option<String>, Problem> {
        let changed = match (install, before) {
            (true, before) => settings::install(before, wiring).map(Some),
            (false, Some(before)) => settings::uninstall(before, wiring),
            (false, None) => Ok(None),
        };
        changed.map_err(|why| Problem::failed(&format!("{}: {why}", self.path().display())))
    }

    fn read(&self) -> Result<Option<String>, Problem> {
        let bytes = match self.dir.read(&self.name, MAX_SETTINGS) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(Problem::failed(&error)),
        };
        let unreadable = |_| Problem::failed(&format!("{}: not UTF-8", self.path().display()));
        String::from_utf8(bytes).map(Some).map_err(unreadable)
    }
}

fn are_disabled(settings: &str) -> bool {
    let settings: Result<serde_json::Value, _> = serde_json::from_str(settings);
    settings.is_ok_and(|settings| settings["disableAllHooks"] == true)
}

fn canonical(path: &Path) -> Result<PathBuf, FileError> {
    path.canonicalize().map_err(|source| FileError {
        doing: "resolving",
        path: path.to_owned(),
        source,
    })
}

/// Takes tmux's hooks of ours away, too.
fn forget_tmux_hooks(context: &Context, notes: &mut Vec<String>) {
    let Ok(Some(listing)) = context.server.list() else { return };
    if listing.hooks == Found::None {
        return;
    }
    let unset: Vec<OsString> = Hooks::unset();
    notes.push(match context.server.tell(unset) {
        Ok(()) if context.hooks.is_some() => {
            "the tmux server's hooks are gone, too, until the next \
            save sets them again (save_on_change = false in the configuration keeps them away)"
                .to_owned()
        }
        Ok(()) => "the tmux server's hooks are gone, too".to_owned(),
        Err(error) => error.to_string(),
    });
}
