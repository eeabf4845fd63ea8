//! Why the hook could not be installed or removed.

use super::place::AGENTS;
use crate::agent::settings::SettingsError;
use crate::persist::report::Problem;
use crate::sys::FileError;
use crate::text::shown;
use std::path::PathBuf;

/// Why the hook could not be installed or removed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum HookInstallError {
    #[error("unknown agent '{0}': no hooks can be installed for it")]
    NoHooks(String),
    #[error("only claude has settings for the whole machine")]
    NoMachineSettings,
    #[error("cannot determine the path of this program: it was replaced since it started")]
    UnknownProgram,
    #[error("the path of this program is not UTF-8")]
    ProgramNotUtf8,
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {source}", shown(path))]
    Settings { path: PathBuf, source: SettingsError },
    #[error("{}: not UTF-8", shown(path))]
    NotUtf8 { path: PathBuf },
    #[error(
        "{}: not a file as this program writes it, or changed since: left as it is",
        shown(path)
    )]
    NotOurs { path: PathBuf },
    #[error("{}: another program keeps changing it", shown(path))]
    KeepsChanging { path: PathBuf },
}

impl HookInstallError {
    /// A command or an action that helps.
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoHooks(_) => return Some(format!("--agent {}", AGENTS.join(", --agent "))),
            Self::NotOurs { .. } => "move it elsewhere, then run the command again",
            Self::NoMachineSettings => "--scope user",
            Self::UnknownProgram => "run the command again",
            Self::KeepsChanging { .. } => "close the agent, then run the command again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<HookInstallError> for Problem {
    fn from(error: HookInstallError) -> Self {
        let usage =
            matches!(error, HookInstallError::NoHooks(_) | HookInstallError::NoMachineSettings);
        let problem = if usage { Self::usage(&error) } else { Self::failed(&error) };
        problem.with_hint(error.hint())
    }
}
