//! The host, read once. Root looks at its own files and at the inodes of homes, never into a home:
//! what is in there only a process of that user's may say.

pub mod hardening;
pub mod host_accounts;
mod inside;
pub mod observed;
pub(super) mod parse;
pub mod site;
pub mod site_files;
mod source;

use super::state::written::Written;
use crate::offboard;
pub use crate::provision::observe::site_files::site;
use crate::roster::ports::{self, Ledger};
use crate::roster::{self, HostFacts, Roster};
use crate::sys::Dir;
use crate::sys::accounts::{self, AccountError};
use crate::sys::fs::trusted_path;
use crate::sys::process::tool;
pub use inside::inside;
use observed::{
    ADMINS, APPLIED, Account, DISPATCH, HomeInode, Observed, SERVICES, STATE, USER_MAP, Units,
};
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// Where administrators put units and links.
const UNITS: &str = "/etc/systemd/system";
/// Where packages put them.
const VENDOR_UNITS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// Reads everything that a plan needs. `users` are those of the roster, whose homes' inodes are
/// looked at in `home_base`.
///
/// # Errors
/// What could not be read and without which a plan would be a guess.
pub fn observe(root: &Path, users: &Roster, home_base: &str) -> Result<Observed, String> {
    let source = Source { root };
    let text = |error: crate::sys::FileError| error.to_string();
    let applied = source.at(APPLIED);
    if accounts::is_root() && applied.exists() {
        trusted_path::assert_roots_own(&applied).map_err(text)?;
    }
    let mut observed = Observed {
        accounts: parse::passwd(&source.read("/etc/passwd").map_err(text)?),
        groups: parse::group(&source.read("/etc/group").map_err(text)?),
        units: units(&source).map_err(text)?,
        ports: ledger(&source, "ports.json")?,
        playwright_ports: ledger(&source, "playwright-ports.json")?,
        written: written(&source)?,
        applied: applied_roster(&source)?,
        cut: cut(&source)?,
        ..Observed::default()
    };
    observed.locks = match source.optional("/etc/shadow") {
        Ok(bytes) => bytes.map(|bytes| parse::shadow(&bytes)),
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => None,
        Err(error) => return Err(error.to_string()),
    };
    let mut paths = [USER_MAP, ADMINS, DISPATCH].map(str::to_owned).to_vec();
    let services = source.names(SERVICES).map_err(text)?;
    let environments = services.iter().filter(|name| name.strip_suffix(".env").is_some());
    paths.extend(environments.map(|name| format!("{SERVICES}/{name}")));
    for path in paths {
        observed.files.extend(source.file(&path).map(|file| (path, file)));
    }
    if root == Path::new("/") {
        from_elsewhere(&mut observed, users)?;
        observed.units.active = active();
    }
    for user in users.users.keys() {
        // An inode that may not be looked at (a network's) is no fact.
        if let Ok(Some(meta)) = source.stat(&format!("{home_base}/{user}")) {
            let (uid, mode) = (meta.uid(), meta.mode() & 0o7777);
            observed.homes.insert(user.clone(), HomeInode { uid, mode, directory: meta.is_dir() });
        }
    }
    Ok(observed)
}

/// The uids of a roster's users, as the host below `root` has them.
pub fn host_facts(root: &Path, observed: &Observed) -> HostFacts {
    let defs = Source { root }.optional("/etc/login.defs").ok().flatten().unwrap_or_default();
    HostFacts {
        uid_min: roster::uid_min(&String::from_utf8_lossy(&defs)),
        uids: observed.accounts.iter().map(|(user, account)| (user.clone(), account.uid)).collect(),
    }
}

/// Accounts that only another source than `/etc/passwd` knows.
fn from_elsewhere(observed: &mut Observed, users: &Roster) -> Result<(), String> {
    for user in users.users.keys() {
        if observed.accounts.contains_key(user) {
            continue;
        }
        let account = match accounts::by_name(user) {
            Ok(account) => account,
            Err(AccountError::Unknown(_)) => continue,
            Err(error) => return Err(error.to_string()),
        };
        let text = |path: &Path| path.to_string_lossy().into_owned();
        observed.accounts.insert(
            user.clone(),
            Account {
                uid: account.uid.as_raw(),
                gid: account.gid.as_raw(),
                home: text(&account.home),
                shell: text(&account.shell),
                local: false,
            },
        );
    }
    Ok(())
}

fn units(source: &Source<'_>) -> Result<Units, crate::sys::FileError> {
    let mut units = Units::default();
    let is_template = |name: &str| name.contains("@.");
    let is_instance = |name: &str| name.contains('@') && !is_template(name);
    for name in source.names(UNITS)? {
        let path = format!("{UNITS}/{name}");
        if name.strip_suffix(".wants").is_some() {
            let wanted = source.names(&path)?.into_iter().filter(|name| is_instance(name));
            units.enabled.extend(wanted);
        } else if is_instance(&name) && source.link(&path).as_deref() == Some("/dev/null".as_ref())
        {
            units.masked.insert(name);
        } else if is_template(&name) {
            units.templates.insert(name);
        }
    }
    for path in VENDOR_UNITS {
        let names: BTreeSet<String> = source.names(path)?.into_iter().collect();
        units.templates.extend(names.into_iter().filter(|name| is_template(name)));
    }
    Ok(units)
}

/// The instances that run. Where systemd is not there, or does not answer, none is known to: units
/// that start with the host are then still as they must be.
fn active() -> BTreeSet<String> {
    if !tool::systemd_runs() {
        return BTreeSet::new();
    }
    let args = ["list-units", "--plain", "--no-legend", "--no-pager", "--full"];
    let which = ["--state=active,activating,reloading", "t3-serve@*", "playwright-*@*"];
    let listed = tool::run("systemctl", args.iter().chain(&which), Duration::from_secs(10));
    parse::first_words(&listed.unwrap_or_default())
}

fn cut(source: &Source<'_>) -> Result<BTreeMap<String, u64>, String> {
    match Dir::open(&source.at(STATE)) {
        Ok(state) => offboard::record::load_all(&state).map_err(|error| error.to_string()),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn ledger(source: &Source<'_>, name: &str) -> Result<Ledger, String> {
    let path = format!("{APPLIED}/{name}");
    let bytes = source.optional(&path).map_err(|error| error.to_string())?;
    let ledger = bytes.map(|bytes| ports::read(&bytes)).transpose();
    Ok(ledger.map_err(|error| format!("{path}: {error}"))?.unwrap_or_default())
}

fn written(source: &Source<'_>) -> Result<Written, String> {
    let path = format!("{APPLIED}/written.json");
    let bytes = source.optional(&path).map_err(|error| error.to_string())?;
    let written = bytes.map(|bytes| Written::read(&bytes)).transpose();
    Ok(written.map_err(|error| format!("{path}: {error}"))?.unwrap_or_default())
}

fn applied_roster(source: &Source<'_>) -> Result<Option<Roster>, String> {
    let path = format!("{APPLIED}/roster.yaml");
    let Some(bytes) = source.optional(&path).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let messages = |problems: Vec<roster::Problem>| {
        let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(&path)).collect();
        lines.join("\n")
    };
    Ok(Some(roster::parse(&bytes).map_err(messages)?.roster))
}
