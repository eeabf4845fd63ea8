//! The host as it was found: values only. What reads them is `observe`.

use super::site::Site;
use crate::provision::home::Facts;
use crate::provision::state::written::Written;
use crate::roster::Roster;
use crate::roster::ports::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// The map of identities to users.
pub const USER_MAP: &str = "/etc/ttyd-user-map";
/// The users of tier admin.
pub const ADMINS: &str = "/etc/ttyd-admins";
/// The table of identities, users and ports.
pub const DISPATCH: &str = "/etc/t3-serve/dispatch.json";
/// Where the services' environments are.
pub const SERVICES: &str = "/etc/t3-serve";
/// What is kept of what was done.
pub const STATE: &str = "/var/lib/terminal-lobby";
/// What we last wrote and applied.
pub const APPLIED: &str = "/var/lib/terminal-lobby/applied";

/// Facts of the host, all read at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// By name.
    pub accounts: BTreeMap<String, Account>,
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// How logins are locked; `None` when only root may know and we are not root.
    pub locks: Option<BTreeMap<String, Lock>>,
    /// What is where the homes of the roster's users are, or would be.
    pub homes: BTreeMap<String, HomeInode>,
    /// What users' own processes say of their homes; who is not in it was not asked.
    pub inside: BTreeMap<String, Inside>,
    /// Environment files and maps, by path. What is absent is not in it.
    pub files: BTreeMap<String, File>,
    /// Who is cut, each with the second since 1970 when.
    pub cut: BTreeMap<String, u64>,
    /// What configured files say.
    pub site: Site,
    /// The units of the host.
    pub units: Units,
    /// The ports that were given before.
    pub ports: Ledger,
    /// Those of browser tools.
    pub playwright_ports: Ledger,
    /// What we wrote last.
    pub written: Written,
    /// The roster that was applied last; `None` before the first time.
    pub applied: Option<Roster>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// The home that the database names.
    pub home: String,
    /// The login shell.
    pub shell: String,
    /// Whether it is in `/etc/passwd`: another source's cannot be changed here.
    pub local: bool,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Group id.
    pub gid: u32,
    /// Those who have it besides their primary group.
    pub members: BTreeSet<String>,
}

/// How a login is locked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lock {
    /// No password opens it.
    pub password: bool,
    /// The day since 1970 from which on nobody gets in, keys included.
    pub expires: Option<u64>,
}

/// The inode where a home is; nothing below it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeInode {
    /// Its owner.
    pub uid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Whether it is a directory, and no link.
    pub directory: bool,
}

/// What a user's process says of the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// What it saw.
    Seen(Box<Facts>),
    /// It gave no answer: why.
    Unknown(String),
}

/// What is known of what is in a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home<'a> {
    /// There is no account yet: what is in a home that is being made.
    Fresh,
    /// What the user's process saw.
    Seen(&'a Facts),
    /// It gave no answer: why.
    Unknown(&'a str),
    /// Nobody asked: only root can, and only on its own host.
    NotAsked,
}

/// A file of root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    /// What it says.
    Read {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Permission bits.
        mode: u32,
    },
    /// It is there, and what it says is not known: why.
    Unknown(String),
}

/// Units by name (`t3-serve@ann.service`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Units {
    /// The templates that the host has (`t3-serve@.service`).
    pub templates: BTreeSet<String>,
    /// Instances that start with the host.
    pub enabled: BTreeSet<String>,
    /// Instances that nothing can start.
    pub masked: BTreeSet<String>,
    /// Instances that run now; empty where systemd was not asked.
    pub active: BTreeSet<String>,
}

impl Observed {
    /// The groups of a user, the primary one included.
    pub fn groups_of(&self, user: &str) -> BTreeSet<&str> {
        let primary = self.accounts.get(user).map(|account| account.gid);
        let has = |group: &Group| group.members.contains(user) || Some(group.gid) == primary;
        self.groups.iter().filter(|(_, group)| has(group)).map(|(name, _)| name.as_str()).collect()
    }

    /// What is known of what is in a user's home.
    pub fn home(&self, user: &str) -> Home<'_> {
        match self.inside.get(user) {
            Some(Inside::Seen(facts)) => Home::Seen(facts),
            Some(Inside::Unknown(why)) => Home::Unknown(why),
            None if !self.accounts.contains_key(user) => Home::Fresh,
            None => Home::NotAsked,
        }
    }

    /// What a user's process saw in the home, if it was asked and answered.
    pub fn seen(&self, user: &str) -> Option<&Facts> {
        match self.inside.get(user)? {
            Inside::Seen(facts) => Some(facts),
            Inside::Unknown(_) => None,
        }
    }
}

/// A service's environment file of a user.
pub fn service_file(user: &str) -> String {
    format!("{SERVICES}/{user}.env")
}

/// The browser tool's environment file of a user.
pub fn playwright_file(user: &str) -> String {
    format!("{SERVICES}/playwright-{user}.env")
}
