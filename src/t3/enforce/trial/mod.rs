//! The trial of a version before any instance gets it: on a copy of the largest real database that fits, started as
//! instances are, and used as a browser uses it. What the predecessor's tests missed was what differed from production.

pub mod scratch;
mod seed;
mod server;

pub use seed::{Seed, answer as answer_seed};

use super::activity::{self, Query};
use super::check::{self, Subject};
use super::error::EnforceError;
use super::settings::Enforce;
use super::version::Version;
use super::versions;
use crate::sys::accounts::Account;
use crate::t3::instance::{Cookie, Instance};
use crate::t3::paths::{self, Paths};
use scratch::Scratch;
use server::Server;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// The arguments of an instance, if the service manager does not say what the unit has.
const ARGUMENTS: [&str; 5] = ["serve", "--host", "127.0.0.1", "--port", "${T3_PORT}"];

/// What a trial is of.
#[derive(Debug)]
pub struct Trial<'a> {
    pub paths: &'a Paths,
    pub settings: &'a Enforce,
    pub account: &'a Account,
    /// The version that ran before, whose sessions should go on; if it is installed.
    pub from: Option<&'a Version>,
    pub to: &'a Version,
    /// The program of `to`.
    pub program: &'a Path,
    /// The database that is copied; without one the version makes its own.
    pub seed: Option<&'a Seed>,
    /// The arguments of the unit of an instance.
    pub arguments: Option<Vec<String>>,
}

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The highest migration that the database has had.
    pub level: Option<i64>,
    /// Whether a session of the version before is still one; `None` if there was none to try.
    pub sessions_go_on: Option<bool>,
}

impl Trial<'_> {
    /// Tries the version. Nothing of the trial is left.
    ///
    /// # Errors
    /// At the first step that fails.
    pub fn run(&self) -> Result<Found, EnforceError> {
        let scratch = Scratch::new(self.paths, self.account)?;
        if let Some(seed) = self.seed {
            seed.copy(&scratch, self.settings.trial_max_mib << 20)?;
        }
        let port = free_port()?;
        let base = paths::base(&scratch.path());
        let old = self.old_session(&scratch, &base, port);
        let server = self.start(&scratch, self.program, &base, port)?;
        let subject = Self::subject(&scratch, self.to, self.program, &base, port);
        let checked = check::wait(&subject, self.settings, &mut || Ok(server.runs()))
            .and_then(|()| check::browse(&subject, self.settings));
        let log = server.log();
        // The log says more than that nothing answered.
        if let Some(line) = failed_migration(&log) {
            return Err(EnforceError::check("migration", line));
        }
        if let Err(error) = checked {
            let last = log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            let last = if server.runs() { String::new() } else { format!(" (it ended: {last})") };
            return Err(EnforceError::check("trial", format!("{error}{last}")));
        }
        let instance = Instance::on(port, self.settings.step_deadline());
        let sessions_go_on = old.map(|cookie| check::is_session(&instance, &cookie).is_ok());
        drop(server);
        let now = crate::sys::clock::now();
        let activity = activity::of_account(
            scratch.account(),
            Query { idle_seconds: 0, now, takes_lock: true },
        )?;
        Ok(Found { level: activity.level, sessions_go_on })
    }

    /// A session of the version before, on the copy.
    fn old_session(&self, scratch: &Scratch, base: &Path, port: u16) -> Option<Cookie> {
        let from = self.from.filter(|from| *from != self.to && self.seed.is_some())?;
        if !versions::is_complete(self.paths, from).ok()? {
            return None;
        }
        let program = versions::program(self.paths, from);
        let made = self.start(scratch, &program, base, port).and_then(|server| {
            let subject = Self::subject(scratch, from, &program, base, port);
            check::wait(&subject, self.settings, &mut || Ok(server.runs()))?;
            check::browse(&subject, self.settings)
        });
        scratch.end_processes();
        match made {
            Ok(cookie) => Some(cookie),
            Err(error) => {
                tracing::warn!(%error, "the present version fails on the copy");
                None
            }
        }
    }

    fn start(
        &self,
        scratch: &Scratch,
        program: &Path,
        base: &Path,
        port: u16,
    ) -> Result<Server, EnforceError> {
        let unit = self.arguments.clone();
        let words = unit.unwrap_or_else(|| ARGUMENTS.map(str::to_owned).to_vec());
        Server::start(program, &filled(&words, port, base), scratch.account())
    }

    fn subject<'a>(
        scratch: &'a Scratch,
        version: &'a Version,
        program: &'a Path,
        base: &'a Path,
        port: u16,
    ) -> Subject<'a> {
        Subject { account: scratch.account(), port, program, base, version }
    }
}

/// The unit's arguments, with another port and base directory: the address that is listened on, and all else, stays as
/// it is in production.
fn filled(words: &[String], port: u16, base: &Path) -> Vec<String> {
    let mut filled = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--base-dir" | "--port" => {
                words.next();
            }
            word if word.starts_with("--base-dir=") || word.starts_with("--port=") => {}
            word => filled.push(word.to_owned()),
        }
    }
    let base = base.to_string_lossy().into_owned();
    filled.extend(["--port".to_owned(), port.to_string(), "--base-dir".to_owned(), base]);
    filled
}

/// The line of a log that says that a migration failed.
fn failed_migration(log: &str) -> Option<String> {
    let failed = |line: &&str| {
        let line = line.to_lowercase();
        line.contains("migrat") && (line.contains("fail") || line.contains("error"))
    };
    log.lines().find(failed).map(|line| line.chars().take(300).collect())
}

/// A port that nothing listens on now. Whose the listener is is checked later.
fn free_port() -> Result<u16, EnforceError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    let address =
        bound.map_err(|source| EnforceError::Io { doing: "finding a free port", source })?;
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_port_and_base_directory_is_as_in_the_unit() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let base = Path::new("/scratch/.t3");
        let own = "--port 99 --base-dir /scratch/.t3";
        for (unit, left) in [
            (
                "serve --host 0.0.0.0 --port ${T3_PORT} --base-dir /home/ann/.t3",
                "serve --host 0.0.0.0",
            ),
            (
                "serve --port=3773 --host 127.0.0.1 --no-browser",
                "serve --host 127.0.0.1 --no-browser",
            ),
        ] {
            assert_eq!(filled(&words(unit), 99, base).join(" "), format!("{left} {own}"));
        }
    }

    #[test]
    fn a_failed_migration_is_seen_in_the_log() {
        assert_eq!(failed_migration("Migrated 30 to 32\nlistening\n"), None);
        let line = "Error: Migration 33 FAILED: no such column";
        assert_eq!(failed_migration(&format!("x\n{line}\n")).as_deref(), Some(line));
    }
}
