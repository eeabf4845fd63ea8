//! Where the files of this part are (pure). Tests keep all of them below a directory of their own.

use std::path::{Path, PathBuf};

/// The places, below the root of a host.
#[derive(Debug, Clone)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// The places of this host.
    pub fn host() -> Self {
        Self::below("/")
    }

    /// The places of a host whose files are below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory below which all are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The settings of this part.
    pub fn settings(&self) -> PathBuf {
        self.root.join("etc/terminal-lobby/t3.toml")
    }

    /// The directory of the tables and of the instances' environments.
    pub fn services(&self) -> PathBuf {
        self.root.join("etc/t3-serve")
    }

    /// Who is served, and by which instance.
    pub fn dispatch(&self) -> PathBuf {
        self.services().join("dispatch.json")
    }

    /// Who is no longer served, and why.
    pub fn closed(&self) -> PathBuf {
        self.services().join("closed.json")
    }

    /// The environment of a user's instance, with its port.
    pub fn environment(&self, user: &str) -> PathBuf {
        self.services().join(format!("{user}.env"))
    }

    /// The file that stops all changes of versions while it exists.
    pub fn freeze(&self) -> PathBuf {
        self.services().join("freeze")
    }

    /// The directory of what is on record: 0700, root's.
    pub fn state(&self) -> PathBuf {
        self.root.join("var/lib/t3")
    }

    /// The directory of what the watchdog counted since the host was started.
    pub fn run(&self) -> PathBuf {
        self.root.join("run/t3")
    }

    /// The directory of backups: 0700, root's; one directory in it for each user.
    pub fn backups(&self) -> PathBuf {
        self.root.join("var/backups/t3")
    }

    /// The directory of the installed versions and of the switch between them.
    pub fn programs(&self) -> PathBuf {
        self.root.join("opt/t3")
    }

    /// The directory of the installed versions.
    pub fn versions(&self) -> PathBuf {
        self.programs().join("versions")
    }

    /// The link to the version that new instances run.
    pub fn current(&self) -> PathBuf {
        self.programs().join("current")
    }

    /// The program of the version that new instances run.
    pub fn program(&self) -> PathBuf {
        self.current().join("bin/t3")
    }
}

/// The base directory of a user's instance.
pub fn base(home: &Path) -> PathBuf {
    home.join(".t3")
}
