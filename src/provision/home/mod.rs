//! A user's home, seen and worked on by a process that is that user: what root asks of it, what it
//! answers. Root itself opens nothing below a home (docs/security.md).
//!
//! Both directions are one JSON value. An answer is hostile input: bounded, unknown fields refused,
//! and nothing that root acts on follows from a path in it.

pub mod agents;
pub mod browser;
pub mod cluster;
pub mod code;
mod files;

use super::state::written::home_place;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What root asks of the process that became the user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Look, and change nothing.
    Look(Look),
    /// Do one piece of work.
    Do(Work),
}

/// What to look at; what the site has not configured is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Look {
    /// The clones.
    pub code: Option<code::Look>,
    /// The agents' configuration.
    pub agents: Option<agents::Look>,
    /// The cluster's configuration.
    pub cluster: Option<cluster::Look>,
    /// The browser tool's registration.
    pub browser: Option<browser::Look>,
}

/// What is there; a part that was not asked for is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The clones.
    pub code: Option<code::Facts>,
    /// The agents' configuration.
    pub agents: Option<agents::Facts>,
    /// The cluster's configuration.
    pub cluster: Option<cluster::Facts>,
    /// The browser tool's registration.
    pub browser: Option<browser::Facts>,
}

/// A piece of work in a home. Each is safe to do again, and finishes what was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// On the clones.
    Code(code::Work),
    /// On the agents' configuration.
    Agents(agents::Work),
    /// On the cluster's configuration.
    Cluster(cluster::Work),
    /// On the browser tool's registration.
    Browser(browser::Work),
}

impl Work {
    /// How long it may take.
    pub fn deadline(&self) -> Duration {
        match self {
            Self::Code(work) => work.deadline(),
            Self::Agents(_) | Self::Cluster(_) => Duration::from_secs(30),
            Self::Browser(_) => Duration::from_mins(1),
        }
    }

    /// What is on record when it is done: place and bytes, as [`super::state::written::Written`] has them.
    pub fn written(&self, user: &str) -> Option<(String, Vec<u8>)> {
        let (path, text) = match self {
            Self::Agents(agents::Work::Instructions { text, .. }) => (".codex/AGENTS.md", text),
            Self::Cluster(cluster::Work::Config { text }) => (".kube/config", text),
            Self::Code(_) | Self::Browser(_) => return None,
        };
        Some((home_place(user, path), text.clone().into_bytes()))
    }

    /// The umask of the process that does it: what a person works on is made as their own shell
    /// would make it.
    pub fn umask(&self) -> u32 {
        match self {
            Self::Code(_) => 0o022,
            _ => 0o077,
        }
    }
}

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// What it saw.
    Seen(Box<Facts>),
    /// What it did: a line each, for the receipt.
    Done(Vec<String>),
    /// Why it did not.
    Failed(String),
}

/// The user's side: looks, or works, in the caller's own home.
pub fn answer(request: &Request) -> Answer {
    match request {
        Request::Look(look) => Answer::Seen(Box::new(Facts {
            code: look.code.as_ref().map(code::look),
            agents: look.agents.as_ref().map(agents::look),
            cluster: look.cluster.as_ref().map(cluster::look),
            browser: look.browser.as_ref().map(browser::look),
        })),
        Request::Do(work) => {
            let done = match work {
                Work::Code(work) => code::perform(work),
                Work::Agents(work) => agents::perform(work),
                Work::Cluster(work) => cluster::perform(work),
                Work::Browser(work) => browser::perform(work),
            };
            done.map_or_else(Answer::Failed, Answer::Done)
        }
    }
}

/// What a user's process says, where a plan repeats it: no longer than a message is.
pub trait Clipped {
    /// Its beginning.
    fn clipped(&self) -> String;
}

impl Clipped for str {
    fn clipped(&self) -> String {
        const MOST: usize = 300;
        self.chars().take(MOST).collect()
    }
}

/// A secret on its way to the user's process: no debug text shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Sealed(...)")
    }
}
