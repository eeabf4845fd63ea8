//! The host as it was found (values only, pure).

use super::configured::ConfiguredFiles;
use crate::provision::protocol::HomeFacts;
use crate::provision::state::written::Written;
use crate::roster::Roster;
use crate::roster::ports::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// Facts of the host, all read at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// By name.
    pub accounts: BTreeMap<String, Account>,
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// How logins are locked; `None` if only root may know.
    pub locks: Option<BTreeMap<String, LoginLock>>,
    /// The present day, counted from 1970-01-01.
    pub today: u64,
    /// Why no home can be made in the directory of homes.
    pub home_base: Option<String>,
    /// What is where the homes of the roster's users are, or would be.
    pub homes: BTreeMap<String, HomeInode>,
    /// Users whose `/tmp/tmux-UID` belongs to another uid, each with that uid.
    pub taken_socket_dirs: BTreeMap<String, u32>,
    /// What users' own processes report about their homes. Users who were not asked are not in it.
    pub home_reports: BTreeMap<String, HomeReport>,
    /// Environment files and maps, by path. Absent files are not in it.
    pub files: BTreeMap<String, File>,
    /// Users who are cut, each with the time of the cut in seconds since 1970.
    pub cut: BTreeMap<String, u64>,
    pub configured: ConfiguredFiles,
    pub units: Units,
    /// Whether the lobby is configured.
    pub has_lobby: bool,
    /// The ports of terminals that were given before.
    pub ports: Ledger,
    /// The ports of browser tools.
    pub playwright_ports: Ledger,
    /// What this program wrote last.
    pub written: Written,
    /// The roster that was applied last; `None` before the first apply.
    pub applied: Option<Roster>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
    pub home: String,
    pub shell: String,
    /// Whether it is in `/etc/passwd`; an account of another source cannot be changed here.
    pub local: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub gid: u32,
    /// Users who have the group besides their primary one.
    pub members: BTreeSet<String>,
}

/// How a login is locked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoginLock {
    /// No password opens it.
    pub password: bool,
    /// The day on which the account expires, counted from 1970-01-01: no login from then on, keys
    /// included.
    pub expires: Option<u64>,
}

/// The inode where a home is; nothing below it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeInode {
    pub uid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Whether it is a directory, and not a link.
    pub directory: bool,
}

/// What a user's process reports about the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HomeReport {
    Facts(Box<HomeFacts>),
    /// There is no report: why.
    Unknown(String),
}

/// What is known about a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HomeView<'a> {
    /// There is no account yet: the home will be made.
    New,
    Facts(&'a HomeFacts),
    /// There is no report: why.
    Unknown(&'a str),
    /// Not inspected: only root can, and only on its own host.
    NotInspected,
}

/// A file of root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    Read {
        bytes: Vec<u8>,
        /// Permission bits.
        mode: u32,
    },
    /// It exists and cannot be read: why.
    Unknown(String),
}

/// Units by name (`t3-serve@ann.service`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Units {
    /// The templates that the host has (`t3-serve@.service`), and the host's own units.
    pub templates: BTreeSet<String>,
    /// Instances that start at boot.
    pub enabled: BTreeSet<String>,
    /// Instances that nothing can start.
    pub masked: BTreeSet<String>,
    /// Instances that run now; empty if systemd was not asked.
    pub active: BTreeSet<String>,
}

impl Observed {
    /// The groups of a user, the primary one included.
    pub fn groups_of(&self, user: &str) -> BTreeSet<&str> {
        let primary = self.accounts.get(user).map(|account| account.gid);
        let has = |group: &Group| group.members.contains(user) || Some(group.gid) == primary;
        self.groups.iter().filter(|(_, group)| has(group)).map(|(name, _)| name.as_str()).collect()
    }

    /// The other accounts with this uid.
    pub fn uid_sharers(&self, user: &str, uid: u32) -> Vec<String> {
        let same = |(name, account): &(&String, &Account)| *name != user && account.uid == uid;
        self.accounts.iter().filter(same).map(|(name, _)| name.clone()).collect()
    }

    /// The other accounts with this home.
    pub fn home_sharers(&self, user: &str, home: &str) -> Vec<String> {
        // Of every user all others are asked: nothing is copied.
        let home = home.trim_end_matches('/');
        let same = |(name, account): &(&String, &Account)| {
            account.home.trim_end_matches('/') == home && *name != user
        };
        self.accounts.iter().filter(same).map(|(name, _)| name.clone()).collect()
    }

    /// What is known about a user's home.
    pub fn home_view(&self, user: &str) -> HomeView<'_> {
        match self.home_reports.get(user) {
            Some(HomeReport::Facts(facts)) => HomeView::Facts(facts),
            Some(HomeReport::Unknown(why)) => HomeView::Unknown(why),
            None if !self.accounts.contains_key(user) => HomeView::New,
            None => HomeView::NotInspected,
        }
    }

    /// What a user's process reported about the home, if it was asked and answered.
    pub fn home_facts(&self, user: &str) -> Option<&HomeFacts> {
        match self.home_reports.get(user)? {
            HomeReport::Facts(facts) => Some(facts),
            HomeReport::Unknown(_) => None,
        }
    }
}
