//! One change of a plan.

use crate::offboard::steps::PlannedStep;
use crate::provision::home::{Sealed, Work};
use serde::Serialize;

/// What kind of work a change is, in the order in which it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The OS account.
    Account,
    /// Its groups.
    Groups,
    /// The environment of its services.
    Environment,
    /// Its clones.
    Code,
    /// The configuration of its agents.
    Agents,
    /// Its access to the cluster.
    Cluster,
    /// Its browser tool.
    Browser,
    /// Its services.
    Units,
    /// The generated maps.
    Maps,
    /// What leaving takes.
    Cut,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Something is made.
    Add,
    /// Something that is there is set right.
    Repair,
    /// The roster asks for it, and it is not done.
    Refuse,
    /// Something differs that is not for this program to mend.
    Report,
    /// Someone is shut out; it can be undone.
    Cut,
    /// Something is gone for good.
    Remove,
}

impl Verb {
    /// A sign, and a word for those who do not know signs.
    pub fn shown(self) -> (char, &'static str) {
        match self {
            Self::Add => ('+', "add"),
            Self::Repair => ('~', "repair"),
            Self::Refuse => ('!', "refused"),
            Self::Report => ('!', "report"),
            Self::Cut => ('-', "cut"),
            Self::Remove => ('x', "remove"),
        }
    }

    /// Whether the host would be another one afterwards.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Refuse | Self::Report)
    }

    /// Whether it takes something from somebody.
    pub fn takes_away(self) -> bool {
        matches!(self, Self::Cut | Self::Remove)
    }
}

/// Why the host and the roster differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The roster, or the configuration, changed.
    Intent,
    /// The host moved.
    Drift,
    /// A person changed what we had written.
    Edited,
}

impl Cause {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Drift => "drift",
            Self::Edited => "edited",
        }
    }
}

/// What carrying a change out takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// useradd.
    MakeAccount {
        /// The home, where nothing is.
        home: String,
        /// The shell.
        shell: String,
    },
    /// What useradd began and a power loss ended.
    FinishAccount {
        /// The home.
        home: String,
    },
    /// gpasswd.
    AddToGroup(String),
    /// One key of an environment file.
    SetKey {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// The mode of a file of ours.
    SetMode {
        /// The file.
        file: String,
        /// Permission bits.
        mode: u32,
    },
    /// A generated file.
    WriteFile {
        /// The file.
        file: String,
        /// All of it.
        text: String,
    },
    /// One key of an environment file (0600) that nobody may see.
    SetSecret {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// Its value.
        value: SecretValue,
    },
    /// A generated file that a person changed, without those who are cut: it stays that person's.
    TakeOut {
        /// The file.
        file: String,
        /// All of it.
        text: String,
    },
    /// A file or link of root's, with its directories: see [`crate::provision::apply::install`].
    Install {
        /// Where.
        path: String,
        /// What.
        what: Installed,
    },
    /// systemctl.
    Unit {
        /// The instance.
        unit: String,
        /// Enabled, or stopped and disabled.
        enabled: bool,
    },
    /// Work in the user's home, by a process of the user's.
    Home(Box<Work>),
    /// Shuts a person out.
    Cut,
}

/// Where a secret is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// It is known.
    Given(Sealed),
    /// 32 random bytes as hexadecimal digits, unless the key has a value by then.
    Random,
    /// What the key says in another environment file, when it is done.
    SameAs(String),
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// A file.
    File {
        /// All of it.
        text: String,
        /// Permission bits.
        mode: u32,
    },
    /// A link.
    Link {
        /// Where it leads.
        target: String,
    },
}

impl Action {
    /// What is on record when it is done, of what is known before: place and bytes.
    pub fn written(&self, user: &str) -> Option<(String, Vec<u8>)> {
        match self {
            Self::Install { path, what } => {
                let (Installed::File { text, .. } | Installed::Link { target: text }) = what;
                Some((path.clone(), text.clone().into_bytes()))
            }
            Self::Home(work) => work.written(user),
            _ => None,
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name, for those that need it done before.
    pub id: String,
    /// The kind of work.
    pub step: Step,
    /// Whose; `None` is the host's.
    pub user: Option<String>,
    /// What is done.
    pub verb: Verb,
    /// Why.
    pub cause: Cause,
    /// To what.
    pub what: String,
    /// How it is; secrets as hashes.
    pub before: Option<String>,
    /// How it will be.
    pub after: Option<String>,
    /// The reason, as a sentence; empty where the cause says all.
    pub why: String,
    /// Changes that come before it.
    pub needs: Vec<String>,
    /// Lines that come and go.
    pub lines: Vec<String>,
    /// The steps of a cut.
    pub steps: Vec<PlannedStep>,
    /// How it is carried out; `None` when it is not.
    #[serde(skip)]
    pub action: Option<Action>,
}

impl Change {
    /// A change of a user's, or of the host's.
    pub(super) fn new(user: Option<&str>, step: Step, part: &str, what: impl Into<String>) -> Self {
        Self {
            id: format!("{}/{part}", user.unwrap_or("host")),
            step,
            user: user.map(str::to_owned),
            verb: Verb::Report,
            cause: Cause::Intent,
            what: what.into(),
            before: None,
            after: None,
            why: String::new(),
            needs: Vec::new(),
            lines: Vec::new(),
            steps: Vec::new(),
            action: None,
        }
    }

    pub(super) fn from(self, before: impl Into<String>) -> Self {
        Self { before: Some(before.into()), ..self }
    }

    pub(super) fn to(self, after: impl Into<String>) -> Self {
        Self { after: Some(after.into()), ..self }
    }

    pub(super) fn why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    pub(super) fn needs(self, needs: impl IntoIterator<Item = String>) -> Self {
        Self { needs: needs.into_iter().collect(), ..self }
    }

    /// Something that is done.
    pub(super) fn done(self, verb: Verb, cause: Cause, action: Action) -> Self {
        Self { verb, cause, action: Some(action), ..self }
    }

    /// Something that is not done though the roster asks for it.
    pub(super) fn refused(self, cause: Cause, why: impl Into<String>) -> Self {
        Self { verb: Verb::Refuse, cause, why: why.into(), needs: Vec::new(), ..self }
    }

    /// Something that is only said.
    pub(super) fn reported(self, cause: Cause, why: impl Into<String>) -> Self {
        Self { verb: Verb::Report, cause, why: why.into(), needs: Vec::new(), ..self }
    }
}
