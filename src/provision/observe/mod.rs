//! Reads the host once. Root reads its own files and the inodes of homes, never what is in a home:
//! only a process of that user's reports that.

mod configured;
mod configured_files;
mod error;
pub mod hardening;
mod homes;
pub mod host_accounts;
mod host_root;
pub mod observed;
pub(super) mod parse;
pub mod roster_file;

pub use configured::{CodexLoginFacts, ConfiguredFiles, Unreadable};
pub use configured_files::read_configured_files;
pub use error::ObserveError;
pub use homes::inspect_homes;

use super::state::written::Written;
use crate::offboard;
use crate::provision::paths::{
    ADMINS, APPLIED, CLOSED, DISPATCH, HOST_UNITS, LOBBY, SERVICES, STATE, USER_MAP,
};
use crate::roster::ports::{self, Ledger};
use crate::roster::{self, HostFacts, Roster};
use crate::sys::accounts::{self, AccountError};
use crate::sys::fs::trusted_path;
use crate::sys::process::tool;
use crate::sys::{Dir, clock};
use host_root::HostRoot;
use observed::{Account, HomeInode, Observed, Units};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// Where administrators put units and links.
const UNITS: &str = "/etc/systemd/system";
/// Where packages put them.
const VENDOR_UNITS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];
/// Maximum size of a record of what was applied, in bytes.
const MAX_RECORD: u64 = 16 << 20;

/// Reads everything that a plan needs from the host below `root`, homes excepted. The inodes of homes
/// are those of `users` in `home_base`.
pub fn observe(root: &Path, users: &Roster, home_base: &str) -> Result<Observed, ObserveError> {
    let _span = tracing::debug_span!("observe", root = %root.display()).entered();
    let source = HostRoot { root };
    let applied = open_applied(&source)?;
    let mut observed = Observed {
        accounts: parse::passwd(&source.read("/etc/passwd")?),
        groups: parse::group(&source.read("/etc/group")?),
        units: units(&source)?,
        has_lobby: source.stat(LOBBY)?.is_some(),
        ports: ledger(applied.as_ref(), "ports.json")?,
        playwright_ports: ledger(applied.as_ref(), "playwright-ports.json")?,
        written: written(applied.as_ref())?,
        applied: applied_roster(applied.as_ref())?,
        cut: cut(&source)?,
        today: clock::now() / (24 * 3600),
        ..Observed::default()
    };
    observed.locks = match source.optional("/etc/shadow") {
        Ok(bytes) => bytes.map(|bytes| parse::shadow(&bytes)),
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => None,
        Err(error) => return Err(error.into()),
    };
    let mut paths = [USER_MAP, ADMINS, DISPATCH, CLOSED].map(str::to_owned).to_vec();
    let services = source.names(SERVICES)?;
    let environments = services.iter().filter(|name| name.strip_suffix(".env").is_some());
    paths.extend(environments.map(|name| format!("{SERVICES}/{name}")));
    for path in paths {
        observed.files.extend(source.file(&path).map(|file| (path, file)));
    }
    if root == Path::new("/") {
        from_elsewhere(&mut observed, users)?;
        observed.units.active = active();
    }
    observed.home_base = unusable_base(&source, home_base);
    for user in users.users.keys() {
        // An inode that may not be read (on a network file system) is no fact.
        if let Ok(Some(meta)) = source.stat(&format!("{home_base}/{user}")) {
            let (uid, mode) = (meta.uid(), meta.mode() & 0o7777);
            observed.homes.insert(user.clone(), HomeInode { uid, mode, directory: meta.is_dir() });
        }
    }
    observed.taken_socket_dirs = taken_socket_dirs(&source, users, &observed.accounts);
    tracing::debug!(
        accounts = observed.accounts.len(),
        groups = observed.groups.len(),
        files = observed.files.len(),
        "observed the host"
    );
    Ok(observed)
}

/// Users of the roster whose directory of tmux sockets another user made. Root's own is given to its user when
/// the host comes up.
fn taken_socket_dirs(
    source: &HostRoot<'_>,
    users: &Roster,
    accounts: &BTreeMap<String, Account>,
) -> BTreeMap<String, u32> {
    let taken = |user: &String| {
        let uid = accounts.get(user)?.uid;
        let owner = source.stat(&socket_dir(uid)).ok()??.uid();
        (owner != uid && owner != 0).then(|| (user.clone(), owner))
    };
    users.users.keys().filter_map(taken).collect()
}

/// Where tmux keeps the sockets of a uid, and refuses what belongs to another.
pub(in crate::provision) fn socket_dir(uid: u32) -> String {
    format!("/tmp/tmux-{uid}")
}

/// Why no home can be made in a directory.
fn unusable_base(source: &HostRoot<'_>, home_base: &str) -> Option<String> {
    let meta = source.stat(home_base).ok().flatten()?;
    if meta.is_symlink() {
        let place = source.link(home_base).unwrap_or_default();
        let place = crate::text::shown(&place).to_string();
        return Some(format!(
            "{home_base} is a link to {place}: home_base must name the real place"
        ));
    }
    (!meta.is_dir()).then(|| format!("{home_base} is not a directory"))
}

/// The uids of a roster's users, as the host below `root` has them.
pub fn host_facts(root: &Path, observed: &Observed) -> HostFacts {
    let defs = HostRoot { root }.optional("/etc/login.defs").ok().flatten().unwrap_or_default();
    let defs = String::from_utf8_lossy(&defs);
    HostFacts {
        uid_min: roster::uid_min(&defs),
        uid_max: roster::uid_max(&defs),
        uids: observed.accounts.iter().map(|(user, account)| (user.clone(), account.uid)).collect(),
        groups: observed.groups.keys().cloned().collect(),
    }
}

/// Accounts that only another source than `/etc/passwd` knows.
fn from_elsewhere(observed: &mut Observed, users: &Roster) -> Result<(), ObserveError> {
    for user in users.users.keys() {
        if observed.accounts.contains_key(user) {
            continue;
        }
        let account = match accounts::by_name(user) {
            Ok(account) => account,
            Err(AccountError::Unknown(_)) => continue,
            Err(error) => return Err(error.into()),
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

fn units(source: &HostRoot<'_>) -> Result<Units, crate::sys::FileError> {
    let mut units = Units::default();
    let is_hosts = |name: &str| HOST_UNITS.contains(&name);
    let is_template = |name: &str| name.contains("@.") || is_hosts(name);
    let is_instance = |name: &str| (name.contains('@') && !name.contains("@.")) || is_hosts(name);
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

/// The instances that run; none if systemd does not run or does not answer. Units that start with the
/// host are then taken to be as they should be.
fn active() -> BTreeSet<String> {
    if !tool::systemd_runs() {
        return BTreeSet::new();
    }
    let args = ["list-units", "--plain", "--no-legend", "--no-pager", "--full"];
    let which =
        ["--state=active,activating,reloading", "t3-serve@*", "playwright-*@*", "lobby-agent@*"];
    let listed = tool::run("systemctl", args.iter().chain(&which), Duration::from_secs(10));
    parse::first_words(&listed.unwrap_or_default())
}

fn cut(source: &HostRoot<'_>) -> Result<BTreeMap<String, u64>, ObserveError> {
    match Dir::open(&source.at(STATE)) {
        Ok(state) => Ok(offboard::record::load_all(&state)?),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// Opens the directory of what was applied last; `None` before the first apply.
fn open_applied(source: &HostRoot<'_>) -> Result<Option<Dir>, ObserveError> {
    let path = source.at(APPLIED);
    let dir = if accounts::is_root() { trusted_path::open_dir(&path) } else { Dir::open(&path) };
    match dir {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A file in it; `None` if it is absent.
fn read_applied(applied: Option<&Dir>, name: &str) -> Result<Option<Vec<u8>>, ObserveError> {
    let Some(dir) = applied else { return Ok(None) };
    match dir.read(name, MAX_RECORD) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn ledger(applied: Option<&Dir>, name: &str) -> Result<Ledger, ObserveError> {
    let path = format!("{APPLIED}/{name}");
    match read_applied(applied, name)? {
        Some(bytes) => ports::read(&bytes).map_err(|source| ObserveError::Ports { path, source }),
        None => Ok(Ledger::new()),
    }
}

fn written(applied: Option<&Dir>) -> Result<Written, ObserveError> {
    let path = format!("{APPLIED}/written.json");
    match read_applied(applied, "written.json")? {
        Some(bytes) => {
            Written::read(&bytes).map_err(|source| ObserveError::Record { path, source })
        }
        None => Ok(Written::default()),
    }
}

fn applied_roster(applied: Option<&Dir>) -> Result<Option<Roster>, ObserveError> {
    let path = format!("{APPLIED}/roster.yaml");
    let Some(bytes) = read_applied(applied, "roster.yaml")? else { return Ok(None) };
    match roster::parse(&bytes) {
        Ok(document) => Ok(Some(document.roster)),
        Err(problems) => Err(ObserveError::AppliedRoster { path, problems }),
    }
}
