//! The changes of a plan: what each is about, and how it is carried out (pure).

pub use crate::provision::change::{Cause, Verb};
use crate::provision::protocol::{HomeTask, SecretText};
use crate::provision::state::written::home_place;

use crate::offboard::steps::PlannedStep;
use crate::provision::change;
use serde::Serialize;

/// One change of a plan for users.
pub type Change = change::Change<Scope, Action>;

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    pub step: Step,
    /// The user; `None` for the host's own changes.
    pub user: Option<String>,
    /// The `id`s of changes that must be done before.
    pub needs: Vec<String>,
    /// The steps of a cut.
    pub steps: Vec<PlannedStep>,
}

/// The part of the plan that a change belongs to, in the order in which they are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Account,
    /// The groups of the user's tier.
    Groups,
    /// The environment files of the user's services.
    Environment,
    Code,
    Agents,
    /// The user's access to the cluster.
    Cluster,
    Browser,
    /// The user's services.
    Units,
    Maps,
    /// The cut of a user who left.
    Cut,
}

impl Step {
    /// As it is named in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Groups => "groups",
            Self::Environment => "environment",
            Self::Code => "code",
            Self::Agents => "agents",
            Self::Cluster => "cluster",
            Self::Browser => "browser",
            Self::Units => "units",
            Self::Maps => "maps",
            Self::Cut => "cut",
        }
    }
}

/// How a change is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// useradd(8), if nothing is at `home`.
    MakeAccount {
        home: String,
        shell: String,
    },
    /// Finishes what useradd began before a power failure.
    FinishAccount {
        home: String,
    },
    /// gpasswd(1).
    AddToGroup(String),
    /// Sets one key of an environment file.
    SetKey {
        file: String,
        key: &'static str,
        value: String,
    },
    SetMode {
        file: String,
        mode: u32,
    },
    /// Writes a generated file.
    WriteFile {
        file: String,
        text: String,
    },
    /// Sets one key of an environment file to a secret.
    SetSecret {
        file: String,
        key: &'static str,
        value: SecretSource,
    },
    /// Rewrites a generated file that a person changed, without the users who are cut; the file stays
    /// that person's.
    RemoveEntries {
        file: String,
        text: String,
    },
    /// Installs a file or link of root's, with its directories: see
    /// [`crate::provision::apply::install`].
    Install {
        path: String,
        what: Installed,
    },
    /// Shares a login with a group: see [`crate::provision::apply::codex_login`].
    ShareLogin {
        directory: String,
        gid: u32,
        /// The login to put there; `None` if the one that is there stays.
        staged: Option<SecretText>,
        /// The place of the staged login in the record.
        place: String,
    },
    /// systemctl(1): enables and starts an instance, or disables and stops it.
    Unit {
        unit: String,
        enabled: bool,
    },
    /// A task in the user's home, by a process of the user's.
    Home(Box<HomeTask>),
    Cut,
}

/// Where the value of a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    Given(SecretText),
    /// 32 random bytes as hexadecimal digits, unless the key has a value by then.
    Random,
    /// The key's value in another environment file by then.
    SameAs(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    File { text: String, mode: u32 },
    Link { target: String },
}

impl Action {
    /// What is on record once it is done, as far as that is known before: place and bytes, as
    /// [`crate::provision::state::written::Written`] has them.
    pub fn written(&self, user: &str) -> Option<(String, Vec<u8>)> {
        match self {
            Self::Install { path, what } => {
                let (Installed::File { text, .. } | Installed::Link { target: text }) = what;
                Some((path.clone(), text.clone().into_bytes()))
            }
            Self::ShareLogin { staged, place, .. } => {
                let staged = staged.as_ref()?;
                Some((place.clone(), staged.0.clone().into_bytes()))
            }
            Self::Home(task) => {
                let (path, text) = task.written_text()?;
                Some((home_place(user, &path), text.as_bytes().to_vec()))
            }
            _ => None,
        }
    }
}

impl Change {
    /// A change of a user's, or of the host's own, that is not planned yet.
    pub(super) fn new(user: Option<&str>, step: Step, part: &str, what: impl Into<String>) -> Self {
        let id = format!("{}/{part}", user.unwrap_or("host"));
        let user = user.map(str::to_owned);
        let scope = Scope { step, user, needs: Vec::new(), steps: Vec::new() };
        Self::unplanned(id, scope, what)
    }

    pub(super) fn needs(self, needs: impl IntoIterator<Item = String>) -> Self {
        let scope = Scope { needs: needs.into_iter().collect(), ..self.scope };
        Self { scope, ..self }
    }

    /// The user's name, or `the host`.
    pub fn owner(&self) -> &str {
        self.scope.user.as_deref().unwrap_or("the host")
    }
}
