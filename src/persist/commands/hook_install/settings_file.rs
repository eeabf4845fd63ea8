//! The settings file of an agent, which may not exist yet, and how it is changed.

use super::HookInstallError;
use crate::agent::home::Data;
use crate::agent::machine;
use crate::agent::settings::own_file::OwnFile;
use crate::agent::settings::{self, HookCommand, SettingsError, terminal_title};
use crate::persist::context::Context;
use crate::persist::report::HookInstallResult;
use crate::persist::request::HookInstall;
use crate::sys::fs::{self, Existing, trusted_path};
use crate::sys::{Dir, FileError, accounts};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Maximum size of a settings file, in bytes.
const MAX_SETTINGS: u64 = 8 << 20;

/// A settings file, existing or not.
pub(super) struct SettingsFile {
    dir: Dir,
    name: String,
    /// The mode of a new file.
    mode: u32,
}

impl SettingsFile {
    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// Our own file among the machine's settings; `None` if there is nothing to remove.
    pub(super) fn of_machine(request: &HookInstall) -> Result<Option<Self>, FileError> {
        let path = request.root.join(machine::DROP_INS.trim_start_matches('/'));
        if !request.install && !path.exists() {
            return Ok(None);
        }
        let dir = if accounts::is_root() {
            trusted_path::ensure_dir(&path)?
        } else {
            fs::create_private_dirs(&path)?;
            Dir::open(&path)?
        };
        Ok(Some(Self { dir, name: machine::DROP_IN.to_owned(), mode: 0o644 }))
    }

    /// The user's own settings, or the file that they are a link to; `None` if there is nothing to
    /// remove.
    ///
    /// # Errors
    /// If a link leads out of the home, or the directory belongs to another user.
    pub(super) fn of_user(
        context: &Context,
        request: &HookInstall,
        dir: (&[(&str, &str)], &str),
        name: &str,
    ) -> Result<Option<Self>, FileError> {
        Self::of_data(context, request, dir, name)
    }

    /// The user's own configuration of Codex, in the same way.
    pub(super) fn of_codex(
        context: &Context,
        request: &HookInstall,
    ) -> Result<Option<Self>, FileError> {
        Self::of_data(context, request, Data::Codex.place(), "config.toml")
    }

    /// The file `name` in the directory of an agent's data: where the first variable says that is set, else
    /// the default below the home.
    fn of_data(
        context: &Context,
        request: &HookInstall,
        (variables, default): (&[(&str, &str)], &str),
        name: &str,
    ) -> Result<Option<Self>, FileError> {
        let home = canonical(&context.account.home)?;
        let named = variables.iter().find_map(|(variable, below)| {
            let dir = std::env::var_os(variable).map(PathBuf::from)?;
            let dir = if below.is_empty() { dir } else { dir.join(below) };
            Some(dir).filter(|dir| dir.is_absolute())
        });
        let is_named = named.is_some();
        let directory = named.unwrap_or_else(|| home.join(default));
        if directory.symlink_metadata().is_err() {
            if !request.install {
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
        let is_inside =
            real.starts_with(&home) || is_named && real.starts_with(canonical(&directory)?);
        if !is_inside {
            return refused("it leads out of the home: not changed");
        }
        let (Some(parent), Some(name)) = (real.parent(), real.file_name().and_then(OsStr::to_str))
        else {
            return refused("it has no file name");
        };
        let dir = Dir::open(parent)?;
        if !dir.is_own()? {
            return refused("its directory belongs to another user");
        }
        Ok(Some(Self { dir, name: name.to_owned(), mode: 0o600 }))
    }

    /// Adds or removes the hook. All other bytes of the file stay the same.
    pub(super) fn change(
        &self,
        install: bool,
        wiring: &HookCommand<'_>,
        notes: &mut Vec<String>,
    ) -> Result<HookInstallResult, HookInstallError> {
        self.change_text(install, notes, |before| match (install, before) {
            (true, before) => settings::install(before, wiring).map(Some),
            (false, Some(before)) => settings::uninstall(before, wiring),
            (false, None) => Ok(None),
        })
    }

    /// Writes or removes a file of our own. One that was changed since is left alone.
    pub(super) fn change_own(
        &self,
        install: bool,
        kind: OwnFile,
        text: &str,
        notes: &mut Vec<String>,
    ) -> Result<HookInstallResult, HookInstallError> {
        let before = self.read()?;
        if before.as_deref().is_some_and(|before| !kind.is_ours(before)) {
            return Err(HookInstallError::NotOurs { path: self.path() });
        }
        self.change_text(install, notes, |_| Ok(install.then(|| text.to_owned())))
    }

    /// Makes Codex show its thread in its pane's title, or no longer.
    pub(super) fn change_title(
        &self,
        install: bool,
        notes: &mut Vec<String>,
    ) -> Result<HookInstallResult, HookInstallError> {
        self.change_text(install, notes, |before| match (install, before) {
            (true, before) => terminal_title::install(before).map(Some),
            (false, before) => Ok(before.and_then(terminal_title::uninstall)),
        })
    }

    /// Writes what `changed` makes of the text; `None` is a file that does not exist.
    fn change_text(
        &self,
        install: bool,
        notes: &mut Vec<String>,
        changed: impl Fn(Option<&str>) -> Result<Option<String>, SettingsError>,
    ) -> Result<HookInstallResult, HookInstallError> {
        // Agents write their settings, too: a file that was changed in between is read again.
        const TRIES: u32 = 5;
        for _ in 0..TRIES {
            let before = self.read()?;
            let after = changed(before.as_deref())
                .map_err(|source| HookInstallError::Settings { path: self.path(), source })?;
            if after == before {
                return Ok(HookInstallResult::Unchanged);
            }
            if before.as_deref().is_some_and(are_disabled) {
                notes.push("the settings disable all hooks (disableAllHooks)".to_owned());
            }
            let mode = self.dir.stat(&self.name)?.map_or(self.mode, |stat| stat.st_mode & 0o777);
            if self.read()? != before {
                continue;
            }
            if let Some(text) = &after {
                let existing = if before.is_some() { Existing::Replaced } else { Existing::Kept };
                self.dir.write_as(&self.name, text.as_bytes(), existing, mode)?;
            } else {
                self.dir.remove(&self.name)?;
                self.dir.sync()?;
            }
            return Ok(if install {
                HookInstallResult::Installed
            } else {
                HookInstallResult::Removed
            });
        }
        Err(HookInstallError::KeepsChanging { path: self.path() })
    }

    /// The present text; `None` if there is no file.
    fn read(&self) -> Result<Option<String>, HookInstallError> {
        let bytes = match self.dir.read(&self.name, MAX_SETTINGS) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let not_utf8 = |_| HookInstallError::NotUtf8 { path: self.path() };
        String::from_utf8(bytes).map(Some).map_err(not_utf8)
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
